/* SPDX-License-Identifier: Apache-2.0 */
#include "model/reference_sources.h"

#include <errno.h>

#include "check.h"
#include "util/buf.h"

enum { MAX_PATHS = 8 };

static void check_pick(const char *const *paths, const char *want)
{
    BUF_CLEANUP struct buf got = {0};
    CLEANUP(cleanup_free) uint32_t *picked = NULL;
    size_t n = 0, n_picked = 0;
    while (n < MAX_PATHS && paths[n])
        n++;
    buf_puts(&got, "");
    CHECK_EQ(reference_sources_pick(paths, n, &picked, &n_picked), 0);
    for (size_t i = 0; i < n_picked; i++)
        buf_printf(&got, "%s%s", i ? " " : "", paths[picked[i]]);
    CHECK_STR(got.data, want);
}

static const struct {
    const char *paths[MAX_PATHS];
    const char *want;
} cases[] = {
    {{NULL}, ""},
    {{"m.onnx", "onnx__MatMul_12"}, "m.onnx"},
    {{"sub/w.bin", "m.onnx"}, "m.onnx"},
    {{"b/m.onnx", "b/w", "a/m.onnx", "a/w", "c/m.onnx", "w"}, "a/m.onnx b/m.onnx"},
    {{"a/m.onnx", "ab/w", "a.w", "b"}, ""},
    /* no other file, or such as no weights are in */
    {{"m.onnx"}, ""},
    {{"m.onnx", "README.md", ".gitattributes", "LICENSE", "a/LICENSE", "vocab.JSON", "metrics.csv",
      "e/events.out.tfevents.1"},
     ""},
    {{"m.onnx", "tokenizer.model", "README"}, ""},
    /* names tell it */
    {{"m.onnx", "m.onnx.data", "w"}, ""},
    {{"m.onnx", "m.pt", "n.safetensors"}, ""},
    {{"m/MLmodel", "m/model.onnx", "m/w", "w"}, ""},
    /* no graphs */
    {{"m.pt", "w"}, ""},
    {{".onnx", "w"}, ""},
};

static void graphs_are_read_where_names_do_not_suffice(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_pick(cases[i].paths, cases[i].want);
}

static void many_sources_are_cut(void)
{
    enum { N = REFERENCE_SOURCES_MAX + 10 };
    static char names[N][32];
    static const char *paths[N + 1];
    CLEANUP(cleanup_free) uint32_t *picked = NULL;
    size_t n;
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof(names[i]), "%05d.onnx", N - i);
        paths[i] = names[i];
    }
    paths[N] = "w";
    CHECK_EQ(reference_sources_pick(paths, N + 1, &picked, &n), 0);
    CHECK_EQ(n, REFERENCE_SOURCES_MAX);
    CHECK_STR(paths[picked[0]], "00001.onnx");
}

static void no_memory_is_an_error(void)
{
    static const char *const paths[] = {"m.onnx", "w"};
    FOR_EACH_ALLOC_FAILURE
    {
        CLEANUP(cleanup_free) uint32_t *picked = NULL;
        size_t n;
        int r = reference_sources_pick(paths, 2, &picked, &n);
        CHECK(r == 0 ? n == 1 && picked[0] == 0 : r == -ENOMEM && !picked);
    }
}

int main(void)
{
    TEST("graphs are read where names do not suffice", graphs_are_read_where_names_do_not_suffice);
    TEST("many sources are cut", many_sources_are_cut);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
