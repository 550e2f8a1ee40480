/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/describe.h"

#include <jansson.h>
#include <math.h>

#include "check.h"
#include "util/json.h"

#define OUTLINE_CLEANUP CLEANUP(outline_deinit)
#define SECOND_NS       INT64_C(1000000000)

/* What is described as text, in the order it was made. Frees @json. */
static char *text_of(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    json_decref(json);
    return text;
}

static void add_file(struct listing *listing, const char *path, uint64_t size, int64_t mtime_ns)
{
    struct listing_entry entry = {
        .id = path, .name = path, .size_bytes = size, .mtime_ns = mtime_ns};
    CHECK_EQ(listing_add(listing, &entry), 0);
}

static void folders_are_described(void)
{
    static const struct listing_entry a = {
        .id = "1", .name = "a", .type = "ONNX", .mtime_ns = SECOND_NS};
    static const struct listing_entry b = {.id = "2", .name = ""};
    static const struct {
        enum listing_kind kind;
        const char *project, *want;
    } cases[] = {
        {LISTING_PROJECTS, NULL,
         "{\"kind\":\"registry\",\"registry\":\"x://h\",\"entries\":["
         "{\"id\":\"1\",\"name\":\"a\",\"type\":\"ONNX\",\"modified\":\"1970-01-01T00:00:01.000Z\"}"
         ","
         "{\"id\":\"2\",\"name\":\"\",\"type\":null,\"modified\":null}]}"},
        {LISTING_MODELS, "p",
         "{\"kind\":\"project\",\"registry\":\"x://h\",\"project\":\"p\",\"entries\":["
         "{\"id\":\"1\",\"name\":\"a\",\"type\":\"ONNX\",\"modified\":\"1970-01-01T00:00:01.000Z\"}"
         ","
         "{\"id\":\"2\",\"name\":\"\",\"type\":null,\"modified\":null}]}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        LISTING_CLEANUP struct listing *listing = listing_new(cases[i].kind);
        CHECK_EQ(listing_add(listing, &a) | listing_add(listing, &b), 0);
        CLEANUP(cleanup_free)
        char *text = text_of(describe_listing(listing, "x://h", cases[i].project));
        CHECK_STR(text, cases[i].want);
    }
}

static struct listing *new_model(void)
{
    static const struct listing_entry self = {.id = "7", .name = "seven", .type = "Tensorflow"};
    struct listing_entry hashed = {.id = "m-5.index",
                                   .name = "m-5.index",
                                   .size_bytes = 3,
                                   .has_digest = true,
                                   .digest.bytes = {0xab}};
    struct listing *listing = listing_new(LISTING_FILES);
    if (!listing)
        return NULL;
    listing_set_self(listing, &self);
    listing_add(listing, &hashed);
    add_file(listing, "m-5.data-00000-of-00001", 4, 2 * SECOND_NS);
    add_file(listing, "e/9.onnx", 10, 0);
    add_file(listing, "m-6.index", 1, 0);
    listing_add_row(listing, "loss", 5, 0.5, 0);
    listing_add_row(listing, "acc", 5, (double)NAN, 0);
    listing_add_row(listing, "auc", 6, 0.25, 0);
    return listing;
}

#define DIGEST_TEXT "ab00000000000000000000000000000000000000000000000000000000000000"
#define TWO_SECONDS "\"1970-01-01T00:00:02.000Z\""
#define CKPT_5                                                                                     \
    "{\"name\":\"ckpt-5\",\"framework\":\"TensorFlow\",\"format\":\"TensorFlow "                   \
    "V2\",\"step\":5,\"complete\":true,\"size\":7,"                                                \
    "\"modified\":" TWO_SECONDS ",\"metrics\":{\"acc\":\"NaN\",\"loss\":0.5},\"files\":["          \
    "{\"path\":\"m-5.index\",\"size\":3,\"modified\":null,\"digest\":\"" DIGEST_TEXT "\"},"        \
    "{\"path\":\"m-5.data-00000-of-00001\",\"size\":4,\"modified\":" TWO_SECONDS "}]}"
#define CKPT_6                                                                                     \
    "{\"name\":\"ckpt-6\",\"framework\":\"TensorFlow\",\"format\":\"TensorFlow "                   \
    "V2\",\"step\":6,\"complete\":false,"                                                          \
    "\"missing\":\"m-6.data-00000-of-?\",\"size\":1,\"modified\":null,"                            \
    "\"metrics\":{\"auc\":0.25},\"files\":[{\"path\":\"m-6.index\",\"size\":1,\"modified\":null}]" \
    "}"
#define EXPORT_9                                                                                   \
    "{\"name\":\"export-9\",\"framework\":\"ONNX\",\"format\":\"ONNX\",\"step\":9,\"complete\":"   \
    "true,\"size\":10,"                                                                            \
    "\"modified\":null,\"metrics\":{},\"files\":[{\"path\":\"9.onnx\",\"size\":10,"                \
    "\"modified\":null}]}"

static void checkpoints_are_described(void)
{
    static const char *const want[] = {CKPT_5, CKPT_6, EXPORT_9};
    LISTING_CLEANUP struct listing *listing = new_model();
    OUTLINE_CLEANUP struct outline o = {0};
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK_EQ(o.checkpoints.n, 3);
    for (size_t i = 0; i < 3; i++) {
        CLEANUP(cleanup_free) char *text = text_of(describe_checkpoint(&o, i));
        CHECK_STR(text, want[i]);
    }
}

static void a_model_is_described(void)
{
    LISTING_CLEANUP struct listing *listing = new_model();
    OUTLINE_CLEANUP struct outline o = {0};
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CLEANUP(cleanup_free) char *text = text_of(describe_model(&o, "x://h", "p"));
    CHECK_STR(text,
              "{\"kind\":\"model\",\"registry\":\"x://h\",\"project\":\"p\",\"id\":\"7\","
              "\"name\":\"seven\",\"type\":\"Tensorflow\",\"modified\":null,\"latest\":\"ckpt-5\","
              "\"best\":{\"loss\":\"ckpt-5\"},\"metrics\":{\"acc\":\"NaN\",\"loss\":0.5},"
              "\"checkpoints\":[" CKPT_5 "," CKPT_6 "," EXPORT_9 "],\"size\":18,\"files\":["
              "{\"path\":\"m-5.index\",\"size\":3,\"modified\":null,\"digest\":\"" DIGEST_TEXT
              "\"},{\"path\":\"m-5.data-00000-of-00001\",\"size\":4,\"modified\":" TWO_SECONDS
              "},{\"path\":\"e/9.onnx\",\"size\":10,\"modified\":null},"
              "{\"path\":\"m-6.index\",\"size\":1,\"modified\":null}]}");
}

static void an_empty_model_is_described(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CLEANUP(cleanup_free) char *text = text_of(describe_model(&o, "x://h", NULL));
    CHECK_STR(text, "{\"kind\":\"model\",\"registry\":\"x://h\",\"project\":null,\"id\":null,"
                    "\"name\":null,\"type\":null,\"modified\":null,\"latest\":null,\"best\":{},"
                    "\"metrics\":{},\"checkpoints\":[],\"size\":0,\"files\":[]}");
}

static void names_may_be_any_bytes(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    add_file(listing,
             "a\xff"
             "b\xc3.onnx",
             1, 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    JSON_CLEANUP json_t *model = describe_model(&o, "x://h", "p\xfe");
    CHECK_STR(json_get_text(model, "project"), "p\xef\xbf\xbd");
    CHECK_STR(json_get_text(json_array_get(json_get_array(model, "files"), 0), "path"),
              "a\xef\xbf\xbd"
              "b\xef\xbf\xbd.onnx");
    const json_t *export = json_array_get(json_get_array(model, "checkpoints"), 0);
    CHECK(json_is_null(json_object_get(export, "step")));
    CLEANUP(cleanup_free) char *text = json_dumps(model, 0);
    CHECK(text);
}

/* jansson allocates inside its own library, out of --wrap's reach; this is inside. */
static void *failing_malloc(size_t n)
{
    return malloc(n);
}

static void plain_free(void *p)
{
    free(p);
}

static void what_is_described_is_whole(void)
{
    json_object_seed(1); /* once, and outside the loop */
    json_set_alloc_funcs(failing_malloc, plain_free);
    LISTING_CLEANUP struct listing *listing = new_model();
    OUTLINE_CLEANUP struct outline o = {0};
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CLEANUP(cleanup_free) char *model = text_of(describe_model(&o, "x://h", "p"));
    CLEANUP(cleanup_free) char *folder = text_of(describe_listing(listing, "x://h", "p"));
    FOR_EACH_ALLOC_FAILURE
    {
        JSON_CLEANUP json_t *got = describe_model(&o, "x://h", "p");
        JSON_CLEANUP json_t *entries = describe_listing(listing, "x://h", "p");
        check_alloc_countdown = -1;
        CLEANUP(cleanup_free) char *x = text_of(steal_ptr(got)), *y = text_of(steal_ptr(entries));
        CHECK(!x || strcmp(x, model) == 0);
        CHECK(!y || strcmp(y, folder) == 0);
    }
}

int main(void)
{
    TEST("a registry's and a project's entries are described", folders_are_described);
    TEST("checkpoints are described", checkpoints_are_described);
    TEST("a model is described", a_model_is_described);
    TEST("an empty model is described", an_empty_model_is_described);
    TEST("names may be any bytes", names_may_be_any_bytes);
    TEST("what is described is whole, or nothing", what_is_described_is_whole);
    return check_done();
}
