/* SPDX-License-Identifier: Apache-2.0 */
#include "model/checkpoints.h"

#include <errno.h>

#include "check.h"
#include "util/buf.h"

#define CHECKPOINTS_CLEANUP CLEANUP(checkpoints_deinit)

enum { MAX_PATHS = 16 };

/* One line a checkpoint: `name format step directory files [missing]`, then `rest files`. Paths
 * are numbered as given. */
static char *describe(const char *const *paths)
{
    struct buf out = {0};
    CHECKPOINTS_CLEANUP struct checkpoints found = {0};
    size_t n = 0;
    while (n < MAX_PATHS && paths[n])
        n++;
    CHECK_EQ(checkpoints_find(paths, n, &found), 0);
    for (size_t i = 0; i < found.n; i++) {
        const struct checkpoint *c = &found.items[i];
        buf_printf(&out, "%s %c %lld '%s' ", c->name, c->format[0], (long long)c->step,
                   c->directory);
        for (size_t k = 0; k < c->n_files; k++)
            buf_printf(&out, "%u", c->files[k]);
        if (c->state_prefix)
            buf_printf(&out, " %s", c->state_prefix);
        if (c->missing)
            buf_printf(&out, " lacks %s", c->missing);
        buf_puts(&out, "\n");
    }
    for (size_t i = 0; i < found.n_rest; i++)
        buf_printf(&out, "%s%u", i ? "" : "rest ", found.rest[i]);
    return buf_steal(&out);
}

struct find_case {
    const char *paths[MAX_PATHS];
    const char *want;
};

static void check_cases(const struct find_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(cleanup_free) char *got = describe(cases[i].paths);
        CHECK_STR(got, cases[i].want);
    }
}

#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof((cases)[0]))

static void tensorflow_checkpoints_are_found(void)
{
    static const struct find_case cases[] = {
        {{NULL}, ""},
        {{"model.ckpt-600.index", "model.ckpt-600.data-00000-of-00001", "model.ckpt-600.meta"},
         "ckpt-600 T 600 '' 012 model.ckpt-600\n"},
        {{"d/e/m-7.data-00001-of-00002", "x", "d/e/m-7.index", "d/e/m-7.data-00000-of-00002"},
         "ckpt-7 T 7 'd/e/' 023 m-7\nrest 1"},
        {{"m-10.index", "m-9.index", "m-10.data-00000-of-00001", "m-9.data-00000-of-00001"},
         "ckpt-9 T 9 '' 13 m-9\nckpt-10 T 10 '' 02 m-10\n"},
        {{"a.data-x-5.index", "a.data-x-5.data-00000-of-00001"}, "ckpt-5 T 5 '' 01 a.data-x-5\n"},
        {{"m-0.index", "m-0.data-00000-of-00001"}, "ckpt-0 T 0 '' 01 m-0\n"},
        {{"m-999999999999999999.meta"},
         "ckpt-999999999999999999 T 999999999999999999 '' 0 m-999999999999999999 lacks "
         "m-999999999999999999.index\n"},
    };
    CHECK_CASES(cases);
}

static void what_a_checkpoint_lacks_is_named(void)
{
    static const struct find_case cases[] = {
        {{"m-1.data-00000-of-00001"}, "ckpt-1 T 1 '' 0 m-1 lacks m-1.index\n"},
        {{"m-1.meta"}, "ckpt-1 T 1 '' 0 m-1 lacks m-1.index\n"},
        {{"m-1.index"}, "ckpt-1 T 1 '' 0 m-1 lacks m-1.data-00000-of-?\n"},
        {{"m-1.index", "m-1.data-00001-of-00003"},
         "ckpt-1 T 1 '' 01 m-1 lacks m-1.data-?-of-00003 (1 of 3)\n"},
        {{"e/5/saved_model.pb", "e/5/variables/variables.index"},
         "export-5 S 5 'e/5/' 01 lacks variables/variables.data-00000-of-?\n"},
        {{"e/5/saved_model.pb", "e/5/variables/variables.data-00000-of-00001"},
         "export-5 S 5 'e/5/' 01 lacks variables/variables.index\n"},
        {{"e/5/saved_model.pb", "e/5/variables/x"},
         "export-5 S 5 'e/5/' 01 lacks variables/variables.index\n"},
    };
    CHECK_CASES(cases);
}

static void exports_are_found(void)
{
    static const struct find_case cases[] = {
        {{"export/12/saved_model.pb", "export/12/variables/variables.index",
          "export/12/variables/variables.data-00000-of-00001", "export/x"},
         "export-12 S 12 'export/12/' 012\nrest 3"},
        {{"saved_model.pbtxt", "variables/variables.index", "assets/a", "other",
          "variables/variables.data-00000-of-00002", "saved_model.pb.bak"},
         "export-model S -1 '' 0124\nrest 35"},
        {{"a/saved_model.pb", "a/b/saved_model.pb", "a/b/x-5.index"}, "export-a S -1 'a/' 012\n"},
        {{"a/saved_model.pb", "ab/x", "a-b/x", "a"}, "export-a S -1 'a/' 0\nrest 123"},
        {{"9.onnx", "d/net.onnx", ".onnx", "net.onnx.txt"},
         "export-net O -1 'd/' 1\nexport-9 O 9 '' 0\nrest 23"},
        {{"s/saved_model.pb", "s/net.onnx"}, "export-s S -1 's/' 01\n"},
        {{"20.onnx", "3.onnx", "m-5.index", "m-5.data-00000-of-00001"},
         "ckpt-5 T 5 '' 23 m-5\nexport-3 O 3 '' 1\nexport-20 O 20 '' 0\n"},
    };
    CHECK_CASES(cases);
}

static void what_looks_like_one_and_is_none_is_rest(void)
{
    static const struct find_case cases[] = {
        {{"", "/", "a/", "checkpoint", "graph.pbtxt", ".index", "-5.index", "m-.index", "m5.index"},
         "rest 012345678"},
        {{"m-1234567890123456789.index", "m-5x.index", "m-5.indexx", "m-+5.index", "m- 5.index"},
         "rest 01234"},
        {{"m-5.data-00001-of-00001", "m-5.data-0-of-1", "m-5.data-00000-of-00000",
          "m-5.data-00000-of-000001", "m-5.data-000000-of-00001"},
         "rest 01234"},
        {{"m-5.data--0000-of-00001", "m-5.data- 0000-of-00001", "m-5.data-+0000-of-00001",
          "m-5.data-00000-of-+0001", "m-5.data-00000-OF-00001"},
         "rest 01234"},
        {{"m-5.data-00000-of-00001.tmp", "m-5.data-00000-of-00001/x", "x/.data-00000-of-00001"},
         "rest 012"},
        {{"saved_model", "my_saved_model.pb", "x/saved_model.pbx"}, "rest 012"},
    };
    CHECK_CASES(cases);
}

static void twins_carry_where_they_are(void)
{
    static const struct find_case cases[] = {
        {{"a/m-5.meta", "b/m-5.meta"},
         "ckpt-5~a/m-5 T 5 'a/' 0 m-5 lacks m-5.index\n"
         "ckpt-5~b/m-5 T 5 'b/' 1 m-5 lacks m-5.index\n"},
        {{"m-5.meta", "m-05.meta", "n-6.meta"},
         "ckpt-5~m-05 T 5 '' 1 m-05 lacks m-05.index\n"
         "ckpt-5~m-5 T 5 '' 0 m-5 lacks m-5.index\n"
         "ckpt-6 T 6 '' 2 n-6 lacks n-6.index\n"},
        {{"x/net.onnx", "net.onnx", "y/net/saved_model.pb"},
         "export-net~net O -1 '' 1\n"
         "export-net~x/net O -1 'x/' 0\n"
         "export-net~y/net/net S -1 'y/net/' 2\n"},
    };
    CHECK_CASES(cases);
}

static void no_two_have_one_name(void)
{
    static const char *const paths[] = {
        "a/m-5.meta",
        "b/m-5.meta",
        "m-5.meta",
        "m-05.meta",
        "5.onnx",
        "05.onnx",
        "x/5.onnx",
        "y/5/saved_model.pb",
        "model.onnx",
        "z/model.onnx",
        "z/05/saved_model.pb",
        "b/n-5.meta",
    };
    enum { N = sizeof(paths) / sizeof(paths[0]) };
    CHECKPOINTS_CLEANUP struct checkpoints c = {0};
    CHECK_EQ(checkpoints_find(paths, N, &c), 0);
    CHECK_EQ(c.n, N);
    for (size_t i = 0; i < c.n; i++)
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(c.items[i].name, c.items[k].name) != 0);
}

static void the_latest_is_complete(void)
{
    static const struct {
        const char *paths[MAX_PATHS];
        const char *latest; /* NULL: none */
    } cases[] = {
        {{NULL}, NULL},
        {{"x"}, NULL},
        {{"m-5.index"}, NULL},
        {{"m-5.index", "m-5.data-00000-of-00001", "m-6.index", "m-4.index"}, "ckpt-5"},
        {{"m-5.index", "m-5.data-00000-of-00001", "9.onnx"}, "ckpt-5"},
        {{"m-5.index", "9.onnx", "10.onnx", "net.onnx"}, "export-10"},
        {{"m-5.index", "net.onnx"}, "export-net"},
        {{"m-9.index", "m-9.data-00000-of-00001", "m-10.index", "m-10.data-00000-of-00001"},
         "ckpt-10"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECKPOINTS_CLEANUP struct checkpoints c = {0};
        size_t n = 0;
        while (cases[i].paths[n])
            n++;
        CHECK_EQ(checkpoints_find(cases[i].paths, n, &c), 0);
        const struct checkpoint *latest = checkpoints_latest(&c);
        CHECK_EQ(latest != NULL, cases[i].latest != NULL);
        if (latest)
            CHECK_STR(latest->name, cases[i].latest);
    }
}

static void inner_paths_begin_behind_the_directory(void)
{
    static const char *const paths[] = {"e/5/saved_model.pb", "e/5/variables/x"};
    CHECKPOINTS_CLEANUP struct checkpoints c = {0};
    CHECK_EQ(checkpoints_find(paths, 2, &c), 0);
    CHECK_EQ(c.n, 1);
    CHECK_STR(checkpoint_inner_path(&c.items[0], paths[1]), "variables/x");
}

/* A path of thousands of parts is not looked up at each of them. */
static void a_saved_model_is_not_looked_for_in_the_depths(void)
{
    for (size_t depth = 64; depth <= 65; depth++) {
        char path[160] = "";
        for (size_t i = 0; i < depth; i++)
            strcat(path, "d/");
        strcat(path, "saved_model.pb");
        const char *const paths[] = {path};
        CHECKPOINTS_CLEANUP struct checkpoints c = {0};
        CHECK_EQ(checkpoints_find(paths, 1, &c), 0);
        CHECK_EQ(c.n, depth == 64);
        CHECK_EQ(c.n_rest, depth == 65);
    }
}

/* Whatever the order of thousands of files, each belongs somewhere once. */
static void each_file_belongs_somewhere_once(void)
{
    enum { N = 3000 };
    static char texts[N][64];
    static const char *paths[N];
    static unsigned char seen[N];
    static const char *const forms[] = {"d%d/m-%d.index", "d%d/m-%d.data-00000-of-00001",
                                        "s%d/%d/saved_model.pb", "s%d/%d/variables/v", "x%d/%d"};
    for (int i = 0; i < N; i++) {
        int k = i * 1009 % N;
        snprintf(texts[i], sizeof(texts[i]), "%s", forms[k % 5]);
        char *text = texts[i], form[64];
        strcpy(form, text);
        char *first = strstr(form, "%d"), *second = strstr(first + 1, "%d");
        *first = *second = '\0';
        snprintf(text, sizeof(texts[i]), "%s%d%s%d%s", form, k % 7, first + 2, k / 5, second + 2);
        paths[i] = text;
    }
    CHECKPOINTS_CLEANUP struct checkpoints c = {0};
    CHECK_EQ(checkpoints_find(paths, N, &c), 0);
    for (size_t i = 0; i < c.n; i++)
        for (size_t k = 0; k < c.items[i].n_files; k++)
            seen[c.items[i].files[k]]++;
    for (size_t i = 0; i < c.n_rest; i++)
        seen[c.rest[i]]++;
    for (int i = 0; i < N; i++)
        CHECK_EQ(seen[i], 1);
}

static void no_memory_is_an_error(void)
{
    static const char *const paths[] = {"m-5.index", "e/saved_model.pb", "e/variables/x", "9.onnx",
                                        "x",         "y/9.onnx"};
    FOR_EACH_ALLOC_FAILURE
    {
        CHECKPOINTS_CLEANUP struct checkpoints c = {0};
        int r = checkpoints_find(paths, 6, &c);
        CHECK(r == 0 ? c.n == 4 : r == -ENOMEM && !c.items && !c.rest);
    }
}

int main(void)
{
    TEST("TensorFlow's checkpoints are found", tensorflow_checkpoints_are_found);
    TEST("what a checkpoint lacks is named", what_a_checkpoint_lacks_is_named);
    TEST("exports are found", exports_are_found);
    TEST("what looks like one and is none is rest", what_looks_like_one_and_is_none_is_rest);
    TEST("twins carry where they are", twins_carry_where_they_are);
    TEST("no two have one name", no_two_have_one_name);
    TEST("the latest is complete, a step before an export", the_latest_is_complete);
    TEST("inner paths begin behind the directory", inner_paths_begin_behind_the_directory);
    TEST("a saved model is not looked for in the depths",
         a_saved_model_is_not_looked_for_in_the_depths);
    TEST("each file belongs somewhere, once", each_file_belongs_somewhere_once);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
