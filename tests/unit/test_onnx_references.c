/* SPDX-License-Identifier: Apache-2.0 */
#include "model/onnx_references.h"

#include "model/wire.h"
#include "proto_builder.h"
#include "source_probe.h"

/* onnx.proto */
enum { DIMS = 1, TYPE = 2, NAME = 8, RAW = 9, EXTERNAL = 13, LOCATION = 14 };
enum { GRAPH = 7, INITIALIZER = 5, NODE = 1 };
enum { UINT8 = 2 };

/* What @model refers to as the file at @path, with a space behind each; its result. */
static int references(const char *path, const struct buf *model, struct buf *out)
{
    const struct history_file files[] = {{"other", 0}, {path, model->len}};
    struct history history;
    history_init(&history, files, 2);
    CHECK_EQ(history_refer(&history, "before", "x"), 0);
    int r = source_parse(onnx_references_parse, &history, 1, model->data, model->len);
    CHECK_STR(history.references[0].from, "before");
    CHECK_EQ(buf_puts(out, ""), 0);
    for (size_t i = 1; i < history.n_references; i++) {
        CHECK_STR(history.references[i].from, path);
        CHECK_EQ(buf_printf(out, "%s ", history.references[i].to), 0);
    }
    history_deinit(&history);
    return r;
}

static void check_references(const char *path, const struct buf *model, int result,
                             const char *want)
{
    BUF_CLEANUP struct buf got = {0};
    CHECK_EQ(references(path, model, &got), result);
    CHECK_STR(got.data, want);
}

/* A tensor whose data is at @location, added to a graph. */
static void add_outside(struct buf *graph, const char *location)
{
    struct buf tensor = {0}, entry = {0};
    proto_text(&tensor, NAME, "t");
    proto_text(&entry, 1, "location");
    proto_text(&entry, 2, location);
    proto_message(&tensor, EXTERNAL, &entry);
    proto_varint(&tensor, LOCATION, 1);
    proto_message(graph, INITIALIZER, &tensor);
}

static void the_librarys_file_refers_to_its_weights(void)
{
    BUF_CLEANUP struct buf data = {0};
    source_read(CORPUS_DIR "/onnx/outside.onnx", &data);
    check_references("m.onnx", &data, 0, "outside.bin ");
    check_references("a/b/m.onnx", &data, 0, "a/b/outside.bin ");
    source_read(CORPUS_DIR "/onnx/inline.onnx", &data);
    check_references("m.onnx", &data, 0, "");
}

static void each_file_is_told_within_the_model(void)
{
    BUF_CLEANUP struct buf model = {0};
    struct buf graph = {0};
    static const char *const locations[] = {
        "onnx__MatMul_12", "w",  "./w", "sub/w.bin",  "../w", "", ".", "x/..",
        "../../w",         "/w", "x/",  "/etc/passwd"};
    for (size_t i = 0; i < sizeof(locations) / sizeof(locations[0]); i++)
        add_outside(&graph, locations[i]);
    proto_message(&model, GRAPH, &graph);
    check_references("a/m.onnx", &model, 0, "a/onnx__MatMul_12 a/w a/sub/w.bin w ");
}

static void what_makes_no_sense_refers_to_nothing(void)
{
    BUF_CLEANUP struct buf model = {0};
    struct buf graph = {0};
    add_outside(&graph, "w");
    proto_varint(&graph, INITIALIZER, 1);
    proto_message(&model, GRAPH, &graph);
    check_references("m.onnx", &model, -EBADMSG, "");
    BUF_CLEANUP struct buf number = {0};
    proto_varint(&number, GRAPH, 1);
    check_references("m.onnx", &number, -EBADMSG, "");
}

/* A file of @n tensors of a large run each, of which only the heads are laid out, and then one
 * whose data is in `w`. */
struct layout {
    struct buf heads[102];
    struct source_piece pieces[102];
    size_t n;
    uint64_t size;
};

static void layout_deinit(struct layout *layout)
{
    for (size_t i = 0; i < layout->n; i++)
        buf_deinit(&layout->heads[i]);
}

static void lay_out(struct layout *layout, size_t n, uint64_t each)
{
    struct buf *last = &layout->heads[n + 1];
    uint64_t graph_bytes, at;
    layout->n = n + 2;
    for (size_t i = 1; i <= n; i++) {
        struct buf inner = {0};
        proto_varint(&inner, DIMS, each);
        proto_varint(&inner, TYPE, UINT8);
        proto_head(&inner, RAW, each);
        proto_head(&layout->heads[i], INITIALIZER, inner.len + each);
        CHECK_EQ(buf_append(&layout->heads[i], inner.data, inner.len), 0);
        buf_deinit(&inner);
    }
    add_outside(last, "w");
    graph_bytes = last->len + n * (layout->heads[1].len + each);
    proto_head(&layout->heads[0], GRAPH, graph_bytes);
    at = 0;
    for (size_t i = 0; i < layout->n; i++) {
        layout->pieces[i] = (struct source_piece){at, layout->heads[i].data, layout->heads[i].len};
        at += layout->heads[i].len + (i > 0 && i <= n ? each : 0);
    }
    layout->size = at;
}

/* Parses it; how many references there are. */
static size_t parse_layout(const struct layout *layout, int result, struct source_probe *probe)
{
    const struct history_file file = {"m.onnx", layout->size};
    struct history history;
    history_init(&history, &file, 1);
    CHECK_EQ(source_parse_pieces(probe, onnx_references_parse, &history, 0, layout->pieces,
                                 layout->n, layout->size),
             result);
    size_t n = history.n_references;
    history_deinit(&history);
    return n;
}

static void a_graph_with_its_weights_inside_is_left_soon(void)
{
    CLEANUP(layout_deinit) struct layout few = {0}, many = {0};
    struct source_probe probe;
    lay_out(&few, ONNX_REFERENCES_MAX_OWN - 1, 100 << 20);
    CHECK_EQ(parse_layout(&few, 0, &probe), 1);
    lay_out(&many, 100, 100 << 20);
    CHECK_EQ(parse_layout(&many, 0, &probe), 0);
    CHECK_EQ(probe.n_rounds, ONNX_REFERENCES_MAX_OWN);
    CHECK(probe.given_bytes <= WIRE_WINDOW_BYTES + ONNX_REFERENCES_MAX_OWN * GLIMPSE_MIN_BYTES);
}

/* Weights that are large, but none so large that all are taken to be inside. */
static void there_is_an_end_to_rounds(void)
{
    CLEANUP(layout_deinit) struct layout layout = {0};
    struct source_probe probe;
    lay_out(&layout, 100, WIRE_WINDOW_BYTES - 1);
    CHECK_EQ(parse_layout(&layout, -EFBIG, &probe), 0);
    CHECK_EQ(probe.n_rounds, ONNX_REFERENCES_MAX_ROUNDS);
}

static void no_memory_is_an_error(void)
{
    BUF_CLEANUP struct buf model = {0};
    struct buf graph = {0};
    char name[16];
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "w%d", i);
        add_outside(&graph, name);
    }
    proto_message(&model, GRAPH, &graph);
    FOR_EACH_ALLOC_FAILURE
    {
        const struct history_file file = {"m.onnx", model.len};
        struct history history;
        history_init(&history, &file, 1);
        int r = source_parse(onnx_references_parse, &history, 0, model.data, model.len);
        CHECK(r == 0 ? history.n_references == 20 : r == -ENOMEM && history.n_references == 0);
        history_deinit(&history);
    }
}

int main(void)
{
    TEST("the library's file refers to its weights", the_librarys_file_refers_to_its_weights);
    TEST("each file is told within the model", each_file_is_told_within_the_model);
    TEST("what makes no sense refers to nothing", what_makes_no_sense_refers_to_nothing);
    TEST("a graph with its weights inside is left soon",
         a_graph_with_its_weights_inside_is_left_soon);
    TEST("there is an end to rounds", there_is_an_end_to_rounds);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
