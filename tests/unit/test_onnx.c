/* SPDX-License-Identifier: Apache-2.0 */
#include "model/onnx.h"

#include "model/wire.h"
#include "proto_builder.h"
#include "source_probe.h"

/* onnx.proto */
enum {
    DIMS = 1,
    TYPE = 2,
    FLOATS = 4,
    INT64S = 7,
    NAME = 8,
    RAW = 9,
    EXTERNAL = 13,
    LOCATION = 14
};
enum { GRAPH = 7, INITIALIZER = 5, NODE = 1, INPUT = 11 };
enum { FLOAT = 1, UINT8 = 2, STRING = 8, INT4 = 22 };

/* All tensors on a line each: `name dtype [shape] file@offset+bytes`, `-` for no type, `*` for no
 * window. */
static void describe(const struct contents *contents, struct buf *out)
{
    int r = buf_puts(out, "");
    for (size_t i = 0; i < contents->n_tensors; i++) {
        const struct tensor *t = &contents->tensors[i];
        r |= buf_printf(out, "%s %s [", t->name, t->dtype ? t->dtype->name : "-");
        for (uint32_t k = 0; k < t->n_dims; k++)
            r |= buf_printf(out, k ? ",%llu" : "%llu", (unsigned long long)t->shape[k]);
        if (t->offset == TENSOR_SCATTERED)
            r |= buf_printf(out, "] *+%llu\n", (unsigned long long)t->n_bytes);
        else
            r |= buf_printf(out, "] %u@%llu+%llu\n", t->file, (unsigned long long)t->offset,
                            (unsigned long long)t->n_bytes);
    }
    CHECK_EQ(r, 0);
}

static void check_tensors(const struct contents *contents, const char *want)
{
    BUF_CLEANUP struct buf got = {0};
    describe(contents, &got);
    CHECK_STR(got.data, want);
}

#define COMMON_FACTS                                                                               \
    "\"inputs\":[{\"dtype\":\"F32\",\"name\":\"x\",\"shape\":[\"batch\",2]}],\"ir_version\":10,"   \
    "\"metadata\":{\"author\":\"nobody\",\"task\":\"adding\"},\"opset\":{\"ai.onnx\":21,"          \
    "\"com.example\":1},\"outputs\":[{\"dtype\":\"F32\",\"name\":\"y\",\"shape\":[\"batch\",3]}]," \
    "\"producer\":\"seed 1.2\"}"

static void weights_inside_are_found(void)
{
    BUF_CLEANUP struct buf data = {0};
    source_read(CORPUS_DIR "/onnx/inline.onnx", &data);
    struct contents_file file = {"m.onnx", data.len};
    struct contents contents;
    contents_init(&contents, &file, 1);
    CHECK_EQ(source_parse(onnx_parse, &contents, 0, data.data, data.len), 0);
    check_tensors(&contents, "raw F32 [2,3] 0@60+24\n"
                             "floats F32 [4] 0@92+16\n"
                             "doubles F64 [2] 0@133+16\n"
                             "varints I64 [3] *+24\n"
                             "halves BF16 [2] *+4\n"
                             "texts - [2] *+3\n"
                             "scalar I32 [] 0@225+4\n"
                             "empty F32 [0,3] 0@246+0\n"
                             "fours I4 [4] 0@261+2\n");
    CHECK_JSON(json_object_get(contents.metadata, "onnx"), "{\"graph\":\"inline\"," COMMON_FACTS);
    CHECK(!contents.missing);
    contents_deinit(&contents);
}

#define WEIGHT_LINE "weight F32 [2,3] "
#define BIAS_LINE   "bias F16 [8] "

static const struct {
    const char *model, *weights; /* paths */
    uint64_t weights_bytes;
    const char *tensors, *missing;
} outside[] = {
    {"m.onnx", "outside.bin", 40, WEIGHT_LINE "1@0+24\n" BIAS_LINE "1@24+16\n", "null"},
    {"a/m.onnx", "a/outside.bin", 99, WEIGHT_LINE "1@0+24\n" BIAS_LINE "1@24+16\n", "null"},
    {"a/m.onnx", "outside.bin", 40, WEIGHT_LINE "*+24\n" BIAS_LINE "*+16\n", "[\"a/outside.bin\"]"},
    {"m.onnx", "outside.bin", 39, WEIGHT_LINE "1@0+24\n" BIAS_LINE "*+16\n",
     "[\"outside.bin (39 of 40 bytes)\"]"},
    {"m.onnx", "outside.bin", 0, WEIGHT_LINE "*+24\n" BIAS_LINE "*+16\n",
     "[\"outside.bin (0 of 40 bytes)\"]"},
};

static void weights_beside_it_are_found(void)
{
    BUF_CLEANUP struct buf data = {0};
    source_read(CORPUS_DIR "/onnx/outside.onnx", &data);
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        struct contents_file files[] = {{outside[i].model, data.len},
                                        {outside[i].weights, outside[i].weights_bytes}};
        struct contents contents;
        contents_init(&contents, files, 2);
        CHECK_EQ(source_parse(onnx_parse, &contents, 0, data.data, data.len), 0);
        check_tensors(&contents, outside[i].tensors);
        CHECK_JSON(contents.missing, outside[i].missing);
        CHECK_JSON(json_object_get(contents.metadata, "onnx"),
                   "{\"graph\":\"outside\"," COMMON_FACTS);
        contents_deinit(&contents);
    }
}

static void sparse_and_old_ones_are_told_of(void)
{
    BUF_CLEANUP struct buf data = {0};
    source_read(CORPUS_DIR "/onnx/sparse.onnx", &data);
    struct contents_file file = {"m.onnx", data.len};
    struct contents contents;
    contents_init(&contents, &file, 1);
    CHECK_EQ(source_parse(onnx_parse, &contents, 0, data.data, data.len), 0);
    check_tensors(&contents, "old U8 [2] 0@26+2\nthin F32 [6] *+24\n");
    CHECK_JSON(json_object_get(contents.metadata, "onnx"),
               "{\"graph\":\"sparse\",\"inputs\":["
               "{\"dtype\":\"F32\",\"name\":\"x\",\"shape\":null},"
               "{\"dtype\":\"STRING\",\"name\":\"t\",\"shape\":[1,\"n\",null]},"
               "{\"dtype\":null,\"name\":\"s\",\"shape\":null}],"
               "\"ir_version\":3,\"opset\":{\"ai.onnx\":9},\"outputs\":[]}");
    contents_deinit(&contents);
}

/* A TensorProto but for its data. */
static void add_tensor_head(struct buf *tensor, const char *name, uint64_t type, uint64_t n)
{
    proto_varint(tensor, DIMS, n);
    proto_varint(tensor, TYPE, type);
    proto_text(tensor, NAME, name);
}

static void add_external(struct buf *tensor, const char *key, const char *value)
{
    struct buf entry = {0};
    proto_text(&entry, 1, key);
    proto_text(&entry, 2, value);
    proto_message(tensor, EXTERNAL, &entry);
}

/* A model of one tensor, which is emptied. */
static void wrap(struct buf *tensor, struct buf *out)
{
    struct buf graph = {0};
    proto_message(&graph, INITIALIZER, tensor);
    proto_message(out, GRAPH, &graph);
}

/* Parses @model as a/b/m.onnx, beside w of 100 bytes there, w in a, and w at the top. */
static void check_model(const struct buf *model, int result, const char *tensors,
                        const char *missing)
{
    struct contents_file files[] = {
        {"a/b/m.onnx", model->len}, {"a/b/w", 100}, {"a/w", 100}, {"w", 100}};
    const struct tensor before = {.name = "before", .shape = NULL, .offset = TENSOR_SCATTERED};
    struct contents contents;
    BUF_CLEANUP struct buf want = {0};
    contents_init(&contents, files, 4);
    CHECK_EQ(contents_add(&contents, &before), 0);
    CHECK_EQ(source_parse(onnx_parse, &contents, 0, model->data, model->len), result);
    CHECK_EQ(buf_printf(&want, "before - [] *+0\n%s", tensors), 0);
    check_tensors(&contents, want.data);
    CHECK_JSON(contents.missing, missing);
    contents_deinit(&contents);
}

static const struct {
    const char *location, *offset, *length; /* NULL: not said */
    int result;
    const char *tensors, *missing;
} places[] = {
    {"w", NULL, NULL, 0, "t F32 [4] 1@0+16\n", "null"},
    {"./w", "84", "16", 0, "t F32 [4] 1@84+16\n", "null"},
    {"../w", NULL, NULL, 0, "t F32 [4] 2@0+16\n", "null"},
    {"../../w", NULL, NULL, 0, "t F32 [4] 3@0+16\n", "null"},
    {"x/../w", NULL, NULL, 0, "t F32 [4] 1@0+16\n", "null"},
    {"../../../w", NULL, NULL, 0, "t F32 [4] *+16\n",
     "[\"../../../w (outside of the checkpoint: refused)\"]"},
    {"x/../../../../w", NULL, NULL, 0, "t F32 [4] *+16\n",
     "[\"x/../../../../w (outside of the checkpoint: refused)\"]"},
    {"/w", NULL, NULL, 0, "t F32 [4] *+16\n", "[\"/w (outside of the checkpoint: refused)\"]"},
    {"/etc/passwd", "0", "1", 0, "t F32 [4] *+16\n",
     "[\"/etc/passwd (outside of the checkpoint: refused)\"]"},
    {"v", NULL, NULL, 0, "t F32 [4] *+16\n", "[\"a/b/v\"]"},
    {NULL, NULL, NULL, 0, "t F32 [4] *+16\n", "[\"external data without a location\"]"},
    {"w", "85", NULL, 0, "t F32 [4] *+16\n", "[\"a/b/w (100 of 101 bytes)\"]"},
    {"w", "0", "101", 0, "t F32 [4] *+16\n", "[\"a/b/w (100 of 101 bytes)\"]"},
    {"w", "9223372036854775807", NULL, 0, "t F32 [4] *+16\n",
     "[\"a/b/w (100 of 9223372036854775823 bytes)\"]"},
    {"w", NULL, "8", -EBADMSG, "", "null"},
    {"w", NULL, "17", -EBADMSG, "", "null"},
    {"w", "-1", NULL, -EBADMSG, "", "null"},
    {"w", "", NULL, -EBADMSG, "", "null"},
    {"w", "1x", NULL, -EBADMSG, "", "null"},
    {"w", "9223372036854775808", NULL, -EBADMSG, "", "null"},
    {"w", "99999999999999999999", NULL, -EBADMSG, "", "null"},
};

static void locations_stay_in_the_checkpoint(void)
{
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        BUF_CLEANUP struct buf model = {0};
        struct buf tensor = {0};
        add_tensor_head(&tensor, "t", FLOAT, 4);
        if (places[i].location)
            add_external(&tensor, "location", places[i].location);
        if (places[i].offset)
            add_external(&tensor, "offset", places[i].offset);
        if (places[i].length)
            add_external(&tensor, "length", places[i].length);
        add_external(&tensor, "a key that is none of ours", "x");
        proto_varint(&tensor, LOCATION, 1);
        wrap(&tensor, &model);
        check_model(&model, places[i].result, places[i].tensors, places[i].missing);
    }
}

static const struct {
    uint64_t type, n;
    size_t raw_bytes, floats_bytes; /* 0: none */
    bool has_varints;
    int result;
    const char *tensors;
} inside[] = {
    {FLOAT, 4, 16, 0, false, 0, "t F32 [4] 0@16+16\n"},
    {FLOAT, 4, 0, 16, false, 0, "t F32 [4] 0@16+16\n"},
    {FLOAT, 4, 0, 0, false, 0, "t F32 [4] *+16\n"},
    {FLOAT, 4, 16, 16, false, 0, "t F32 [4] *+16\n"},
    {FLOAT, 4, 16, 0, true, 0, "t F32 [4] *+16\n"},
    {FLOAT, 4, 15, 0, false, -EBADMSG, ""},
    {FLOAT, 4, 0, 12, false, -EBADMSG, ""},
    {FLOAT, 0, 0, 0, false, 0, "t F32 [0] 0@0+0\n"},
    {FLOAT, 0, 4, 0, false, -EBADMSG, ""},
    {INT4, 4, 2, 0, false, 0, "t I4 [4] 0@16+2\n"},
    {INT4, 3, 2, 0, false, 0, "t I4 [3] *+2\n"},
    {STRING, 2, 0, 0, true, 0, "t - [2] *+0\n"},
    {99, 2, 8, 0, false, 0, "t - [2] *+8\n"},
    {FLOAT, INT64_MAX, 16, 0, false, 0, "t F32 [9223372036854775807] *+16\n"},
    {FLOAT, UINT64_MAX, 16, 0, false, -EBADMSG, ""},
};

static void sizes_must_agree(void)
{
    const char zeros[64] = {0};
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        BUF_CLEANUP struct buf model = {0};
        struct buf tensor = {0};
        add_tensor_head(&tensor, "t", inside[i].type, inside[i].n);
        proto_varint(&tensor, 16, 1); /* what nobody knows */
        if (inside[i].raw_bytes)
            proto_bytes(&tensor, RAW, zeros, inside[i].raw_bytes);
        if (inside[i].floats_bytes)
            proto_bytes(&tensor, FLOATS, zeros, inside[i].floats_bytes);
        if (inside[i].has_varints)
            proto_varint(&tensor, INT64S, 1);
        wrap(&tensor, &model);
        check_model(&model, inside[i].result, inside[i].tensors, "null");
    }
}

static void what_makes_no_sense_is_refused(void)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"", 0},                 /* no graph */
        {"\x08\x07", 2},         /* neither */
        {"\x38\x01", 2},         /* a graph that is a number */
        {"\x3a\x02\x28\x01", 4}, /* an initializer that is one */
        {"\x3a\x01", 2},         /* a graph that is longer than the file */
        {"\x3a\x05\x2a\x04\x08", 5},
        {"\x3a\x03\x2a\x05\x08", 5}, /* a tensor that is longer than the graph */
        {"\x3a\x04\x2a\x02\x10", 5},
        {"\x3a\x03\x2a\x01\x0b", 5},     /* a group */
        {"\x3a\x04\x2a\x02\x00\x00", 6}, /* field 0 */
        {"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},
        {"PK\x03\x04", 4},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BUF_CLEANUP struct buf model = {0};
        CHECK_EQ(buf_append(&model, cases[i].bytes, cases[i].len), 0);
        check_model(&model, -EBADMSG, "", "null");
    }
}

static void too_many_dimensions_and_long_names_are_refused(void)
{
    for (int beyond = 0; beyond <= 1; beyond++) {
        BUF_CLEANUP struct buf model = {0};
        struct buf tensor = {0};
        for (int i = 0; i < TENSOR_MAX_DIMS + beyond; i++)
            proto_varint(&tensor, DIMS, 0);
        proto_text(&tensor, NAME, "t");
        wrap(&tensor, &model);
        struct contents_file file = {"m.onnx", model.len};
        struct contents contents;
        contents_init(&contents, &file, 1);
        CHECK_EQ(source_parse(onnx_parse, &contents, 0, model.data, model.len),
                 beyond ? -EBADMSG : 0);
        contents_deinit(&contents);
    }
    BUF_CLEANUP struct buf model = {0};
    struct buf tensor = {0}, name = {0};
    for (int i = 0; i <= TENSOR_MAX_NAME_BYTES; i++)
        CHECK_EQ(buf_putc(&name, 'n'), 0);
    proto_message(&tensor, NAME, &name);
    wrap(&tensor, &model);
    check_model(&model, -EBADMSG, "", "null");
}

enum { N_BIG = 20 };

/* Lays a model out whose weights are @each bytes, none of which is in @pieces: heads only. Its
 * size. */
static uint64_t lay_out(uint64_t each, struct buf heads[N_BIG + 1],
                        struct source_piece pieces[N_BIG + 1])
{
    uint64_t graph_bytes = 0, at;
    for (int i = 0; i < N_BIG; i++) {
        struct buf inner = {0};
        char name[8];
        snprintf(name, sizeof(name), "w%02d", i);
        add_tensor_head(&inner, name, UINT8, each);
        proto_head(&inner, RAW, each);
        proto_head(&heads[i + 1], INITIALIZER, inner.len + each);
        CHECK_EQ(buf_append(&heads[i + 1], inner.data, inner.len), 0);
        graph_bytes += heads[i + 1].len + each;
        buf_deinit(&inner);
    }
    proto_varint(&heads[0], 1, 8);
    proto_head(&heads[0], GRAPH, graph_bytes);
    pieces[0] = (struct source_piece){0, heads[0].data, heads[0].len};
    at = heads[0].len;
    for (int i = 1; i <= N_BIG; i++) {
        pieces[i] = (struct source_piece){at, heads[i].data, heads[i].len};
        at += heads[i].len + each;
    }
    return at;
}

static void large_weights_are_jumped_over(void)
{
    const uint64_t each = 100 << 20;
    struct buf heads[N_BIG + 1] = {{0}};
    struct source_piece pieces[N_BIG + 1];
    uint64_t size = lay_out(each, heads, pieces);
    struct contents_file file = {"m.onnx", size};
    struct source_probe probe;
    struct contents contents;
    contents_init(&contents, &file, 1);
    CHECK_EQ(source_parse_pieces(&probe, onnx_parse, &contents, 0, pieces, N_BIG + 1, size), 0);
    CHECK_EQ(contents.n_tensors, N_BIG);
    CHECK_EQ(contents.tensors[0].offset, pieces[1].offset + pieces[1].len);
    CHECK_EQ(contents.tensors[N_BIG - 1].offset, pieces[N_BIG].offset + pieces[N_BIG].len);
    CHECK_EQ(contents.tensors[N_BIG - 1].n_bytes, each);
    CHECK_EQ(probe.n_rounds, N_BIG);
    CHECK(probe.given_bytes <= WIRE_WINDOW_BYTES + N_BIG * GLIMPSE_MIN_BYTES);
    contents_deinit(&contents);
    for (int i = 0; i <= N_BIG; i++)
        buf_deinit(&heads[i]);
}

static void a_small_file_is_one_round_trip(void)
{
    const uint64_t each = 400000;
    struct buf heads[N_BIG + 1] = {{0}};
    struct source_piece pieces[N_BIG + 1];
    uint64_t size = lay_out(each, heads, pieces);
    struct contents_file file = {"m.onnx", size};
    struct source_probe probe;
    struct contents contents;
    contents_init(&contents, &file, 1);
    CHECK(size <= WIRE_WHOLE_BYTES);
    CHECK_EQ(source_parse_pieces(&probe, onnx_parse, &contents, 0, pieces, N_BIG + 1, size), 0);
    CHECK_EQ(contents.n_tensors, N_BIG);
    CHECK_EQ(probe.n_rounds, 1);
    contents_deinit(&contents);
    for (int i = 0; i <= N_BIG; i++)
        buf_deinit(&heads[i]);
}

/* Nodes close together, then a weight: windows, not one question a node. */
static void many_nodes_are_walked_in_windows(void)
{
    BUF_CLEANUP struct buf model = {0};
    struct buf graph = {0}, tensor = {0};
    char node[100] = {0};
    for (int i = 0; i < 120000; i++)
        proto_bytes(&graph, NODE, node, sizeof(node));
    add_tensor_head(&tensor, "t", FLOAT, 0);
    proto_message(&graph, INITIALIZER, &tensor);
    proto_message(&model, GRAPH, &graph);
    struct contents_file file = {"m.onnx", model.len};
    struct source_piece piece = {0, model.data, model.len};
    struct source_probe probe;
    struct contents contents;
    contents_init(&contents, &file, 1);
    CHECK_EQ(source_parse_pieces(&probe, onnx_parse, &contents, 0, &piece, 1, model.len), 0);
    CHECK_EQ(contents.n_tensors, 1);
    CHECK(probe.n_rounds <= 1 + (int)(model.len / WIRE_WINDOW_BYTES));
    contents_deinit(&contents);
}

/* Of a dimension told twice the last counts; a sanitizer sees whether the first is let go. */
static void a_dimension_told_twice_is_told_once(void)
{
    BUF_CLEANUP struct buf model = {0};
    struct buf dim = {0}, shape = {0}, tensor = {0}, type = {0}, input = {0}, graph = {0};
    proto_varint(&dim, 1, 3);
    proto_varint(&dim, 1, 4);
    proto_message(&shape, 1, &dim);
    proto_message(&tensor, 2, &shape);
    proto_message(&type, 1, &tensor);
    proto_text(&input, 1, "x");
    proto_message(&input, 2, &type);
    proto_message(&graph, INPUT, &input);
    proto_message(&model, GRAPH, &graph);
    struct contents_file file = {"m.onnx", model.len};
    struct contents contents;
    contents_init(&contents, &file, 1);
    CHECK_EQ(source_parse(onnx_parse, &contents, 0, model.data, model.len), 0);
    CHECK_JSON(json_object_get(json_object_get(contents.metadata, "onnx"), "inputs"),
               "[{\"dtype\":null,\"name\":\"x\",\"shape\":[4]}]");
    contents_deinit(&contents);
}

static void fields_are_bounded(void)
{
    BUF_CLEANUP struct buf model = {0};
    struct buf graph = {0};
    for (int i = 0; i <= WIRE_MAX_FIELDS; i++)
        proto_varint(&graph, 100, 0);
    proto_message(&model, GRAPH, &graph);
    check_model(&model, -EFBIG, "", "null");
}

static void survives_each_allocation_failure(void)
{
    static const char *const names[] = {"inline", "outside", "sparse"};
    static const size_t n_tensors[] = {9, 2, 2};
    for (size_t i = 0; i < 3; i++) {
        BUF_CLEANUP struct buf data = {0}, path = {0};
        CHECK_EQ(buf_printf(&path, CORPUS_DIR "/onnx/%s.onnx", names[i]), 0);
        source_read(path.data, &data);
        FOR_EACH_ALLOC_FAILURE
        {
            struct contents_file file = {"m.onnx", data.len};
            struct contents contents;
            contents_init(&contents, &file, 1);
            int r = source_parse(onnx_parse, &contents, 0, data.data, data.len);
            check_alloc_countdown = -1;
            CHECK(r == 0 || r == -ENOMEM);
            CHECK_EQ(contents.n_tensors, r == 0 ? n_tensors[i] : 0);
            contents_deinit(&contents);
        }
    }
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that jansson's allocations can fail, too */
    TEST("weights inside are found, where they are one run", weights_inside_are_found);
    TEST("weights beside it are found, and told of where they are not",
         weights_beside_it_are_found);
    TEST("sparse ones are told of, and weights of old models are no inputs",
         sparse_and_old_ones_are_told_of);
    TEST("locations stay in the checkpoint", locations_stay_in_the_checkpoint);
    TEST("sizes must agree", sizes_must_agree);
    TEST("what makes no sense is refused", what_makes_no_sense_is_refused);
    TEST("too many dimensions and long names are refused",
         too_many_dimensions_and_long_names_are_refused);
    TEST("large weights are jumped over, a round each", large_weights_are_jumped_over);
    TEST("a small file is one round trip", a_small_file_is_one_round_trip);
    TEST("many nodes are walked in windows", many_nodes_are_walked_in_windows);
    TEST("a dimension told twice is told once", a_dimension_told_twice_is_told_once);
    TEST("fields are bounded", fields_are_bounded);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
