/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/listing.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>

#include "check.h"

static void fill_sample(struct listing *listing)
{
    char id[] = "d/a.bin", name[] = "A", url[] = "http://h/a?b", etag[] = "\"e\"", row[] = "loss";
    struct listing_entry file = {.id = id,
                                 .name = name,
                                 .url = url,
                                 .etag = etag,
                                 .size_bytes = UINT64_C(1) << 40,
                                 .mtime_ns = -5,
                                 .has_digest = true,
                                 .digest.bytes = {1, 2, 255}};
    struct listing_entry plain = {.id = "x/\"\\\n\xc3\xa9", .name = "x/\"\\\n\xc3\xa9"};
    struct listing_entry self = {.id = "7", .name = "seven", .type = "ONNX", .mtime_ns = 99};
    listing->fetched_ns = 1234567890123456789;
    listing_add(listing, &file);
    listing_add(listing, &plain);
    listing_add_row(listing, row, 100, 0.1);
    listing_add_row(listing, row, METRIC_LAST_STEP, (double)NAN);
    listing_add_row(listing, "acc", INT64_MAX, -(double)INFINITY);
    listing_set_self(listing, &self);
    memset(id, '?', sizeof(id) - 1); /* texts are copied */
    memset(url, '?', sizeof(url) - 1);
    memset(row, '?', sizeof(row) - 1);
}

static void check_text(const char *got, const char *want)
{
    CHECK_EQ(got != NULL, want != NULL);
    if (got && want)
        CHECK_STR(got, want);
}

static void check_entry(const struct listing_entry *got, const struct listing_entry *want)
{
    check_text(got->id, want->id);
    check_text(got->name, want->name);
    check_text(got->type, want->type);
    check_text(got->url, want->url);
    check_text(got->etag, want->etag);
    CHECK_EQ(got->size_bytes, want->size_bytes);
    CHECK_EQ(got->mtime_ns, want->mtime_ns);
    CHECK_EQ(got->has_digest, want->has_digest);
    CHECK(digest_equal(&got->digest, &want->digest));
}

static void check_same(const struct listing *got, const struct listing *want)
{
    CHECK_EQ(got->kind, want->kind);
    CHECK_EQ(got->fetched_ns, want->fetched_ns);
    CHECK_EQ(got->n_entries, want->n_entries);
    CHECK_EQ(got->n_rows, want->n_rows);
    check_entry(&got->self, &want->self);
    for (size_t i = 0; i < got->n_entries; i++)
        check_entry(&got->entries[i], &want->entries[i]);
    for (size_t i = 0; i < got->n_rows; i++) {
        double x = got->rows[i].value, y = want->rows[i].value;
        CHECK_STR(got->rows[i].name, want->rows[i].name);
        CHECK_EQ(got->rows[i].step, want->rows[i].step);
        CHECK(x == y || (isnan(x) && isnan(y)));
    }
}

static void a_listing_comes_back_from_its_text(void)
{
    for (int kind = LISTING_PROJECTS; kind <= LISTING_FILES; kind++) {
        LISTING_CLEANUP struct listing *listing = listing_new((enum listing_kind)kind);
        LISTING_CLEANUP struct listing *back = NULL;
        BUF_CLEANUP struct buf text = {0};
        fill_sample(listing);
        CHECK_EQ(listing_format(listing, &text), 0);
        CHECK_EQ(listing_parse(text.data, text.len, &back), 0);
        if (back)
            check_same(back, listing);
    }
}

static void an_empty_one_does_too(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_MODELS);
    LISTING_CLEANUP struct listing *back = NULL;
    BUF_CLEANUP struct buf text = {0};
    CHECK_EQ(listing_format(listing, &text), 0);
    CHECK_EQ(listing_parse(text.data, text.len, &back), 0);
    check_same(back, listing);
    CHECK(!back->self.id && !back->self.name);
}

static void texts_are_copied(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    fill_sample(listing);
    CHECK_STR(listing->entries[0].id, "d/a.bin");
    CHECK_STR(listing->entries[0].url, "http://h/a?b");
    CHECK_STR(listing->rows[0].name, "loss");
    CHECK(!listing->entries[0].type);
}

static void thousands_are_kept(void)
{
    enum { N = 3000 };
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    for (int i = 0; i < N; i++) {
        char id[24];
        snprintf(id, sizeof(id), "file-%d", i);
        struct listing_entry entry = {.id = id, .name = id, .size_bytes = (uint64_t)i};
        CHECK_EQ(listing_add(listing, &entry), 0);
        CHECK_EQ(listing_add_row(listing, id, i, i), 0);
    }
    CHECK(listing->n_entries == N && listing->n_rows == N);
    CHECK_STR(listing->entries[2999].id, "file-2999");
    CHECK(listing->entries[5].name == listing->entries[5].id);
    CHECK_EQ(listing_find(listing, "file-77")->size_bytes, 77);
    CHECK_STR(listing->rows[1234].name, "file-1234");
}

static void an_id_is_found_before_a_name(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_PROJECTS);
    static const struct listing_entry entries[] = {
        {.id = "1", .name = "2"}, {.id = "2", .name = "b"}, {.id = "3", .name = "b"}};
    static const struct {
        const char *key, *id; /* NULL: none */
    } cases[] = {{"2", "2"}, {"b", "2"}, {"3", "3"}, {"", NULL}, {"B", NULL}};
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(listing_add(listing, &entries[i]), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct listing_entry *entry = listing_find(listing, cases[i].key);
        check_text(entry ? entry->id : NULL, cases[i].id);
    }
}

static void other_text_is_no_listing(void)
{
    static const char *const cases[] = {
        "",
        "{",
        "null",
        "[]",
        "{}",
        "{\"version\":1}",
        "{\"kind\":0}",
        "{\"version\":2,\"kind\":0}",
        "{\"version\":1,\"kind\":3}",
        "{\"version\":1,\"kind\":-1}",
        "{\"version\":1,\"kind\":\"files\"}",
        "{\"version\":1,\"kind\":0,\"entries\":[{}]}",
        "{\"version\":1,\"kind\":0,\"entries\":[1]}",
        "{\"version\":1,\"kind\":0,\"entries\":[{\"id\":5}]}",
        "{\"version\":1,\"kind\":0,\"rows\":[[]]}",
        "{\"version\":1,\"kind\":0,\"rows\":[{\"a\":1}]}",
        "{\"version\":1,\"kind\":0,\"rows\":[[\"loss\",1,2]]}",
        "{\"version\":1,\"kind\":0,\"rows\":[[1,1,\"2\"]]}",
        "{\"version\":1,\"kind\":0,\"rows\":[[\"loss\",1]]}",
        "{\"version\":1,\"kind\":0,\"rows\":[[\"loss\",1,\"\"]]}",
        "{\"version\":1,\"kind\":0,\"rows\":[[\"loss\",1,\"1x\"]]}",
        "{\"version\":1,\"kind\":0,\"rows\":[[\"loss\",\"1\",\"1\"]]}",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        LISTING_CLEANUP struct listing *listing = NULL;
        int r = listing_parse(cases[i], strlen(cases[i]), &listing);
        if (r != -EINVAL)
            printf("# %s\n", cases[i]);
        CHECK(r == -EINVAL && !listing);
    }
}

static void odd_fields_have_their_default(void)
{
    static const char text[] =
        "{\"version\":1,\"kind\":2,\"entries\":[{\"id\":\"a\",\"size\":\"x\",\"mtime\":1.5,"
        "\"digest\":\"12\",\"name\":null,\"url\":7}],\"rows\":{},\"self\":[],\"more\":1}";
    static const struct listing_entry want = {.id = "a", .name = "a"}, none = {.id = NULL};
    LISTING_CLEANUP struct listing *listing = NULL;
    CHECK_EQ(listing_parse(text, strlen(text), &listing), 0);
    CHECK_EQ(listing->n_entries, 1);
    check_entry(&listing->entries[0], &want);
    check_entry(&listing->self, &none);
}

/* Such a name cannot stand in JSON: the cache goes without. */
static void bytes_that_are_no_text_are_an_error(void)
{
    static const struct listing_entry entry = {.id = "\xff", .name = "\xff"};
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    BUF_CLEANUP struct buf text = {0};
    CHECK_EQ(listing_add(listing, &entry), 0);
    CHECK(listing_format(listing, &text) < 0);
}

static void references_are_counted(void)
{
    struct listing *listing = listing_new(LISTING_FILES);
    CHECK(listing_ref(listing) == listing);
    listing_unref(listing);
    CHECK_EQ(listing->refs, 1);
    listing_unref(listing);
    listing_unref(NULL);
}

static void no_memory_is_an_error(void)
{
    static const char text[] =
        "{\"version\":1,\"kind\":2,\"entries\":[{\"id\":\"a\"},{\"id\":\"b\"}],"
        "\"rows\":[[\"loss\",1,\"2\"]],\"self\":{\"id\":\"m\"}}";
    FOR_EACH_ALLOC_FAILURE
    {
        LISTING_CLEANUP struct listing *listing = NULL;
        int r = listing_parse(text, sizeof(text) - 1, &listing);
        CHECK(r == 0 ? listing->n_entries == 2 : r == -ENOMEM && !listing);
    }
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

static void what_was_written_is_whole(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    fill_sample(listing);
    json_object_seed(1); /* once, and outside the loop */
    json_set_alloc_funcs(failing_malloc, plain_free);
    FOR_EACH_ALLOC_FAILURE
    {
        LISTING_CLEANUP struct listing *back = NULL;
        BUF_CLEANUP struct buf text = {0};
        int r = listing_format(listing, &text);
        CHECK(r == 0 || r == -ENOMEM);
        check_alloc_countdown = -1;
        if (r == 0 && listing_parse(text.data, text.len, &back) == 0)
            check_same(back, listing);
    }
}

int main(void)
{
    TEST("a listing comes back from its text", a_listing_comes_back_from_its_text);
    TEST("an empty one does too", an_empty_one_does_too);
    TEST("texts are copied", texts_are_copied);
    TEST("thousands are kept", thousands_are_kept);
    TEST("an id is found before a name", an_id_is_found_before_a_name);
    TEST("other text is no listing", other_text_is_no_listing);
    TEST("odd fields have their default", odd_fields_have_their_default);
    TEST("bytes that are no text are an error", bytes_that_are_no_text_are_an_error);
    TEST("references are counted", references_are_counted);
    TEST("no memory is an error", no_memory_is_an_error);
    TEST("what was written is whole, or not written", what_was_written_is_whole);
    return check_done();
}
