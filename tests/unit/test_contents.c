/* SPDX-License-Identifier: Apache-2.0 */
#include "model/contents.h"

#include <errno.h>

#include "check.h"
#include "util/cleanup.h"

#define CONTENTS_CLEANUP CLEANUP(contents_deinit)

static const struct contents_file files[] = {
    {"model.index.json", 100}, {"a.bin", 1000},   {"sub/b.bin", UINT64_MAX},
    {"sub/index.json", 10},    {"sub/deep/c", 1}, {"..odd", 1},
};
enum { N_FILES = sizeof(files) / sizeof(files[0]) };

#define SHAPE(...) ((const uint64_t[]){__VA_ARGS__})

static void only_what_makes_sense_is_added(void)
{
    static char long_name[TENSOR_MAX_NAME_BYTES + 2];
    memset(long_name, 'n', TENSOR_MAX_NAME_BYTES + 1);
    const struct dtype *f32 = dtype_find("F32");
    const uint64_t all = TENSOR_SCATTERED;
    const struct {
        int result;
        struct tensor tensor;
    } cases[] = {
        {0, {"w", f32, SHAPE(2, 3), 2, 0, 0, 1, 0, 24, 0}},
        {0, {"w", f32, SHAPE(2, 3), 2, 0, 0, 1, 976, 24, 128}},
        {0, {"w", f32, NULL, 0, 0, 0, 1, 996, 4, 0}},
        {0, {"w", f32, SHAPE(0), 1, 0, 0, 1, 1000, 0, 0}},
        {0, {"w", NULL, SHAPE(7), 1, 0, 0, 1, 0, 1000, 0}},
        {0, {"w", f32, SHAPE(7), 1, 0, 0, 1, all, 3, 0}}, /* in slices, say */
        {0, {"w", NULL, SHAPE(7), 1, 0, 0, 99, all, 0, 0}},
        {0, {"w", f32, SHAPE(1), 1, 0, 0, 2, UINT64_MAX - 5, 4, 0}},
        {0, {long_name + 1, f32, SHAPE(1), 1, 0, 0, 1, 0, 4, 0}},
        {-EBADMSG, {long_name, f32, SHAPE(1), 1, 0, 0, 1, 0, 4, 0}},
        {-EBADMSG, {"", f32, SHAPE(1), 1, 0, 0, 1, 0, 4, 0}},
        {-EBADMSG, {"w", f32, SHAPE(2, 3), 2, 0, 0, 1, 977, 24, 0}},
        {-EBADMSG, {"w", f32, SHAPE(2, 3), 2, 0, 0, 1, 1001, 24, 0}},
        {-EBADMSG, {"w", f32, SHAPE(2, 3), 2, 0, 0, 1, 0, 23, 0}},
        {-EBADMSG, {"w", f32, SHAPE(2, 3), 2, 0, 0, N_FILES, 0, 24, 0}},
        {-EBADMSG, {"w", f32, SHAPE(1), 1, 0, 0, 1, 100, 4, 101}}, /* its header is cut off */
        {-EBADMSG, {"w", NULL, SHAPE(1), 1, 0, 0, 1, 1, 1000, 0}},
        {-EBADMSG, {"w", NULL, SHAPE(1), 1, 0, 0, 1, 1, UINT64_MAX, 0}},
        {-EBADMSG, {"w", NULL, SHAPE(UINT64_MAX, 2), 2, 0, 0, 1, all, 0, 0}},
        {-EBADMSG, {"w", f32, SHAPE(UINT64_MAX / 4 + 1), 1, 0, 0, 1, 0, 0, 0}},
        {-EBADMSG, {"w", dtype_find("Q4_0"), SHAPE(33), 1, 0, 0, 1, 0, 18, 0}},
        {-EBADMSG, {"w", f32, SHAPE(0), TENSOR_MAX_DIMS + 1, 0, 0, 1, 0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CONTENTS_CLEANUP struct contents c;
        contents_init(&c, files, N_FILES);
        int r = contents_add(&c, &cases[i].tensor);
        if (r != cases[i].result)
            printf("# case %zu\n", i);
        CHECK_EQ(r, cases[i].result);
        CHECK_EQ(c.n_tensors, cases[i].result == 0);
    }
}

static void what_is_kept_is_a_copy(void)
{
    CONTENTS_CLEANUP struct contents c;
    char name[] = "w0";
    uint64_t shape[] = {0, 1};
    contents_init(&c, files, N_FILES);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "%c", 'a' + i % 26);
        shape[0] = (uint64_t)i;
        struct tensor tensor = {.name = name, .shape = shape, .n_dims = 2, .offset = -1};
        CHECK_EQ(contents_add(&c, &tensor), 0);
    }
    for (size_t i = 0; i < 300; i++) {
        CHECK_EQ(c.tensors[i].name[0], 'a' + (int)i % 26);
        CHECK_EQ(c.tensors[i].shape[0], i);
        CHECK_EQ((uintptr_t)c.tensors[i].shape % sizeof(uint64_t), 0);
    }
    CHECK_EQ(contents_parameters(&c), 299 * 300 / 2);
}

static void what_is_cut_makes_room(void)
{
    static const size_t cuts[] = {9, 8, 7, 5, 4, 3, 2, 1, 0};
    CONTENTS_CLEANUP struct contents c;
    const struct tensor tensor = {.name = "w", .offset = TENSOR_SCATTERED};
    contents_init(&c, files, N_FILES);
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        while (c.n_tensors < 9)
            CHECK_EQ(contents_add(&c, &tensor), 0);
        contents_cut(&c, cuts[i]);
        CHECK_EQ(c.n_tensors, cuts[i]);
        contents_cut(&c, 100);
        CHECK_EQ(c.n_tensors, cuts[i]);
    }
}

static void there_is_an_end_to_tensors(void)
{
    CONTENTS_CLEANUP struct contents c;
    const struct tensor tensor = {.name = "w", .offset = TENSOR_SCATTERED};
    contents_init(&c, files, N_FILES);
    c.n_tensors = CONTENTS_MAX_TENSORS; /* as if they were there */
    CHECK_EQ(contents_add(&c, &tensor), -EFBIG);
    c.n_tensors = 0;
}

static void parameters_are_counted_to_the_end_of_numbers(void)
{
    CONTENTS_CLEANUP struct contents c;
    const struct tensor tensor = {
        .name = "w", .shape = SHAPE(INT64_MAX - 5), .n_dims = 1, .offset = TENSOR_SCATTERED};
    const struct tensor small = {
        .name = "v", .shape = SHAPE(5), .n_dims = 1, .offset = TENSOR_SCATTERED};
    contents_init(&c, files, N_FILES);
    CHECK_EQ(contents_parameters(&c), 0);
    CHECK_EQ(contents_add(&c, &small), 0);
    CHECK_EQ(contents_parameters(&c), 5);
    CHECK_EQ(contents_add(&c, &tensor), 0);
    CHECK_EQ(contents_parameters(&c), INT64_MAX);
    CHECK_EQ(contents_add(&c, &small), 0);
    CHECK_EQ(contents_parameters(&c), INT64_MAX);
    CHECK_EQ(contents_add(&c, &tensor), 0);
    CHECK_EQ(contents_add(&c, &tensor), 0);
    CHECK_EQ(contents_parameters(&c), INT64_MAX);
}

static void check_json(const json_t *json, const char *want)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    CHECK_STR(text, want);
    free(text);
}

static void facts_are_told_by_group(void)
{
    CONTENTS_CLEANUP struct contents c;
    contents_init(&c, files, N_FILES);
    CHECK_EQ(contents_tell(&c, "gguf", "a", NULL), -ENOMEM);
    CHECK_EQ(contents_tell(&c, "gguf", "a", json_integer(1)), 0);
    CHECK_EQ(contents_tell(&c, "gguf", "a", json_integer(2)), 0);
    CHECK_EQ(contents_tell(&c, "gguf", "b\xff", json_true()), 0); /* no UTF-8 */
    CHECK_EQ(contents_tell(&c, "x\xc3", "", json_true()), 0);
    check_json(c.metadata, "{\"gguf\":{\"a\":2,\"b\xef\xbf\xbd\":true},"
                           "\"x\xef\xbf\xbd\":{\"\":true}}");
}

static void what_is_missing_is_said_once(void)
{
    CONTENTS_CLEANUP struct contents c;
    contents_init(&c, files, N_FILES);
    CHECK_EQ(contents_miss(&c, "a"), 0);
    CHECK_EQ(contents_miss(&c, "b\xff"), 0);
    CHECK_EQ(contents_miss(&c, "a"), 0);
    CHECK_EQ(contents_miss(&c, "b\xff"), 0);
    CHECK_EQ(contents_miss_rest(&c, 1, UINT64_MAX), 0);
    CHECK_EQ(contents_miss_rest(&c, N_FILES, 1), 0);
    check_json(c.missing, "[\"a\",\"b\xef\xbf\xbd\",\"a.bin (1000 of 18446744073709551615 bytes)\","
                          "\" (0 of 1 bytes)\"]");
}

static void files_are_found_as_seen_from_a_file(void)
{
    static const struct {
        uint32_t from;
        const char *name;
        uint32_t found;
    } cases[] = {
        {0, "a.bin", 1},
        {0, "./a.bin", 1},
        {0, ".//./a.bin", 1},
        {0, "sub/b.bin", 2},
        {0, "sub/./deep/../b.bin", 2},
        {0, "sub/deep/../../a.bin", 1},
        {0, "..odd", 5},
        {3, "b.bin", 2},
        {3, "../a.bin", 1},
        {3, "../sub/b.bin", 2},
        {4, "../../a.bin", 1},
        {4, "../b.bin", 2},
        {CONTENTS_NO_FILE, "a.bin", 1},
        {0, "../a.bin", CONTENTS_NO_FILE},
        {3, "../../a.bin", CONTENTS_NO_FILE},
        {3, "../../sub/b.bin", CONTENTS_NO_FILE}, /* not out and back in again */
        {3, "a.bin", CONTENTS_NO_FILE},
        {0, "/a.bin", CONTENTS_NO_FILE},
        {0, "", CONTENTS_NO_FILE},
        {0, ".", CONTENTS_NO_FILE},
        {3, "..", CONTENTS_NO_FILE},
        {0, "sub", CONTENTS_NO_FILE},
        {0, "sub/b.bin/", CONTENTS_NO_FILE},
        {0, "sub/b.bin/..", CONTENTS_NO_FILE},
        {0, "A.bin", CONTENTS_NO_FILE},
    };
    CONTENTS_CLEANUP struct contents c;
    contents_init(&c, files, N_FILES);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t found = contents_find(&c, cases[i].from, cases[i].name);
        if (found != cases[i].found)
            printf("# %s\n", cases[i].name);
        CHECK_EQ(found, cases[i].found);
    }
    CHECK_EQ(contents_find_path(&c, "sub/b.bin"), 2);
    CHECK_EQ(contents_find_path(&c, "./sub/b.bin"), CONTENTS_NO_FILE);
}

static void no_memory_is_an_error(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        CONTENTS_CLEANUP struct contents c;
        const struct tensor tensor = {.name = "w", .offset = TENSOR_SCATTERED};
        contents_init(&c, files, N_FILES);
        int r = 0;
        for (size_t i = 0; i < 5 && r == 0; i++)
            r = contents_add(&c, &tensor);
        CHECK(r == 0 ? c.n_tensors == 5 : r == -ENOMEM && c.n_tensors < 5);
        r = r == 0 ? contents_tell(&c, "a", "b", json_integer(1)) : r;
        r = r == 0 ? contents_miss_rest(&c, 0, 200) : r;
        CHECK(r == 0 || r == -ENOMEM);
        uint32_t found = contents_find(&c, 0, "sub/b.bin");
        CHECK(found == 2 || found == CONTENTS_NO_FILE);
    }
}

int main(void)
{
    TEST("only what makes sense is added", only_what_makes_sense_is_added);
    TEST("what is kept is a copy", what_is_kept_is_a_copy);
    TEST("what is cut makes room", what_is_cut_makes_room);
    TEST("there is an end to tensors", there_is_an_end_to_tensors);
    TEST("parameters are counted to the end of numbers",
         parameters_are_counted_to_the_end_of_numbers);
    TEST("facts are told by group", facts_are_told_by_group);
    TEST("what is missing is said once", what_is_missing_is_said_once);
    TEST("files are found as seen from a file", files_are_found_as_seen_from_a_file);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
