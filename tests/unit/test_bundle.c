/* SPDX-License-Identifier: Apache-2.0 */
#include "model/bundle.h"

#include <errno.h>

#include "check.h"
#include "model/contents.h"
#include "bytes_probe.h"
#include "table_builder.h"
#include "util/cleanup.h"

#define CONTENTS_CLEANUP CLEANUP(contents_deinit)
#define TABLE_CLEANUP    CLEANUP(table_builder_deinit)

/* One line a tensor: `name dtype [shape] file offset+bytes`, `-` for what there is not. Then what
 * is missing, and facts. */
static char *describe(const struct contents *contents)
{
    struct buf out = {0};
    buf_puts(&out, "");
    for (size_t i = 0; i < contents->n_tensors; i++) {
        const struct tensor *t = &contents->tensors[i];
        buf_printf(&out, "%s %s%s [", t->name, t->dtype ? t->dtype->name : "-",
                   t->is_big_endian ? " big" : "");
        for (uint32_t k = 0; k < t->n_dims; k++)
            buf_printf(&out, k ? ",%llu" : "%llu", (unsigned long long)t->shape[k]);
        if (t->offset == TENSOR_SCATTERED)
            buf_printf(&out, "] - %llu\n", (unsigned long long)t->n_bytes);
        else
            buf_printf(&out, "] %u %llu+%llu\n", t->file, (unsigned long long)t->offset,
                       (unsigned long long)t->n_bytes);
    }
    size_t i;
    const json_t *what;
    json_array_foreach(contents->missing, i, what)
        buf_printf(&out, "lacks %s\n", json_string_value(what));
    return buf_steal(&out);
}

static int parse(struct contents *contents, uint32_t file, const void *data, size_t len)
{
    struct probe probe;
    return probe_parse(&probe, bundle_parse, contents, file, data, len);
}

/* Parses the data's file 0 of @files, whose sizes are made up but for the first. */
static void check_data(struct contents_file *files, size_t n_files, const char *want)
{
    BUF_CLEANUP struct buf path = {0};
    CONTENTS_CLEANUP struct contents contents;
    size_t len;
    buf_printf(&path, "%s/tensorflow/%s", DATA_DIR, files[0].path);
    CLEANUP(cleanup_free) uint8_t *data = probe_load(path.data, &len);
    files[0].size_bytes = len;
    contents_init(&contents, files, n_files);
    CHECK_EQ(parse(&contents, 0, data, len), 0);
    CLEANUP(cleanup_free) char *got = describe(&contents);
    CHECK_STR(got, want);
}

static void every_type_has_its_place(void)
{
    struct contents_file files[] = {{"types.ckpt.index", 0},
                                    {"types.ckpt.data-00000-of-00001", 298}};
    check_data(files, 2,
               "empty F32 [0,3] 1 263+0\n"
               "matrix F32 [2,3] 1 274+24\n"
               "step I64 [] 1 255+8\n"
               "types/bfloat16 BF16 [3] 1 42+6\n"
               "types/bool BOOL [3] 1 150+3\n"
               "types/complex128 C128 [3] 1 177+48\n"
               "types/complex64 C64 [3] 1 153+24\n"
               "types/float16 F16 [3] 1 36+6\n"
               "types/float32 F32 [3] 1 0+12\n"
               "types/float64 F64 [3] 1 12+24\n"
               "types/float8_e4m3fn F8_E4M3 [3] 1 51+3\n"
               "types/float8_e5m2 F8_E5M2 [3] 1 48+3\n"
               "types/int16 I16 [3] 1 57+6\n"
               "types/int32 I32 [3] 1 63+12\n"
               "types/int4 I8 [3] 1 144+3\n"
               "types/int64 I64 [3] 1 75+24\n"
               "types/int8 I8 [3] 1 54+3\n"
               "types/qint16 I16 [3] 1 231+6\n"
               "types/qint32 I32 [3] 1 243+12\n"
               "types/qint8 I8 [3] 1 225+3\n"
               "types/quint16 U16 [3] 1 237+6\n"
               "types/quint8 U8 [3] 1 228+3\n"
               "types/uint16 U16 [3] 1 102+6\n"
               "types/uint32 U32 [3] 1 108+12\n"
               "types/uint4 U8 [3] 1 147+3\n"
               "types/uint64 U64 [3] 1 120+24\n"
               "types/uint8 U8 [3] 1 99+3\n"
               "words - [2] - 11\n");
}

static void a_partitioned_variable_is_shown_whole_and_without_a_place(void)
{
    struct contents_file files[] = {{"partitioned.ckpt.index", 0},
                                    {"partitioned.ckpt.data-00000-of-00001", 96}};
    check_data(files, 2, "part F32 [4,3] - 48\nwhole F32 [4,3] 1 48+48\n");
}

static void shards_are_the_files_beside_the_index(void)
{
    struct contents_file files[] = {{"sharded.ckpt.index", 0},
                                    {"sharded.ckpt.data-00001-of-00002", 24},
                                    {"sharded.ckpt.data-00000-of-00001", 99},
                                    {"x/sharded.ckpt.data-00000-of-00002", 99},
                                    {"sharded.ckpt.data-00000-of-00002.tmp", 99},
                                    {"sharded.ckpt.data-00000-of-00002", 24}};
    check_data(files, 6, "a F32 [4] 5 0+16\nb F64 [3] 1 0+24\nc F32 [2] 5 16+8\n");
    check_data(files, 5,
               "a F32 [4] - 16\nb F64 [3] 1 0+24\nc F32 [2] - 8\n"
               "lacks sharded.ckpt.data-00000-of-00002\n");
    files[5].size_bytes = 17;
    files[1].size_bytes = 0;
    check_data(files, 6,
               "a F32 [4] 5 0+16\nb F64 [3] - 24\nc F32 [2] - 8\n"
               "lacks sharded.ckpt.data-00000-of-00002 (17 of 24 bytes)\n"
               "lacks sharded.ckpt.data-00001-of-00002 (0 of 24 bytes)\n");
}

static const struct contents_file files[] = {
    {"d/m.index", 0}, {"d/m.data-00000-of-00001", 100}, {"other", 100}};
enum { N_FILES = sizeof(files) / sizeof(files[0]) };

/* An entry as the index has it. */
struct entry {
    const char *name;
    uint64_t dtype;
    uint64_t dims[3]; /* to the first 0 */
    uint64_t shard, offset, size;
};

static void add(struct table_builder *table, const struct entry *entry)
{
    BUF_CLEANUP struct buf value = {0}, shape = {0}, dim = {0};
    for (size_t i = 0; i < 3 && entry->dims[i]; i++) {
        put_number(&dim, 1, entry->dims[i]);
        put_message(&shape, 2, &dim);
    }
    put_number(&value, 1, entry->dtype);
    put_message(&value, 2, &shape);
    put_number(&value, 3, entry->shard);
    put_number(&value, 4, entry->offset);
    put_number(&value, 5, entry->size);
    table_add(table, entry->name, strlen(entry->name), value.data, value.len);
}

static void add_header(struct table_builder *table, uint64_t n_shards, uint64_t endianness)
{
    BUF_CLEANUP struct buf header = {0};
    put_number(&header, 1, n_shards);
    put_number(&header, 2, endianness);
    table_add(table, "", 0, header.data, header.len);
}

/* Parses one entry behind a header into @contents. */
static int parse_entry(struct contents *contents, uint64_t n_shards, uint64_t endianness,
                       const struct entry *entry)
{
    TABLE_CLEANUP struct table_builder table = {0};
    add_header(&table, n_shards, endianness);
    if (entry->name)
        add(&table, entry);
    table_finish(&table);
    return parse(contents, 0, table.file.data, table.file.len);
}

static void entries_make_sense_or_all_is_refused(void)
{
    static const struct {
        uint64_t n_shards, endianness;
        struct entry entry;
        int r;
        const char *want;
    } cases[] = {
        {1, 0, {NULL, 0, {0}, 0, 0, 0}, 0, ""},
        {1, 0, {"a", 1, {5, 2}, 0, 60, 40}, 0, "a F32 [5,2] 1 60+40\n"},
        {1, 1, {"a", 1, {5, 2}, 0, 60, 40}, 0, "a F32 big [5,2] 1 60+40\n"},
        {1, 0, {"a", 20, {0}, 0, 0, 7}, 0, "a - [] - 7\n"},
        {1, 0, {"a", 99, {3}, 0, 0, 7}, 0, "a - [3] - 7\n"},
        {1, 0, {"a", 101, {3}, 0, 0, 7}, 0, "a - [3] - 7\n"},
        {1, 0, {"a", 0, {3}, 0, 0, 7}, 0, "a - [3] - 7\n"},
        {1,
         0,
         {"a", 1, {5, 2}, 0, 61, 40},
         0,
         "a F32 [5,2] - 40\nlacks d/m.data-00000-of-00001 (100 of 101 bytes)\n"},
        {2, 0, {"a", 1, {1}, 1, 0, 4}, 0, "a F32 [1] - 4\nlacks d/m.data-00001-of-00002\n"},
        {1, 0, {"a", 1, {5, 2}, 0, 0, 44}, -EBADMSG, ""},
        {1, 0, {"a", 1, {5}, 1, 0, 20}, -EBADMSG, ""},
        {0, 0, {"a", 1, {5}, 0, 0, 20}, -EBADMSG, ""},
        {1, 0, {"a", 1, {5}, UINT64_C(1) << 32, 0, 20}, -EBADMSG, ""},
        {1, 0, {"a", 1, {1}, 0, UINT64_MAX, 4}, -EBADMSG, ""},
        {1, 0, {"a", 1, {UINT64_MAX}, 0, 0, 4}, -EBADMSG, ""},
        {1, 0, {"a", 1, {UINT64_C(1) << 40, UINT64_C(1) << 40}, 0, 0, 4}, -EBADMSG, ""},
        {BUNDLE_MAX_SHARDS + 1, 0, {"a", 1, {1}, 0, 0, 4}, -EFBIG, ""},
        {UINT64_MAX, 0, {"a", 1, {1}, 0, 0, 4}, -EFBIG, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CONTENTS_CLEANUP struct contents contents;
        contents_init(&contents, files, N_FILES);
        CHECK_EQ(parse_entry(&contents, cases[i].n_shards, cases[i].endianness, &cases[i].entry),
                 cases[i].r);
        CLEANUP(cleanup_free) char *got = describe(&contents);
        CHECK_STR(got, cases[i].want);
    }
}

static void the_number_of_shards_is_told(void)
{
    CONTENTS_CLEANUP struct contents contents;
    contents_init(&contents, files, N_FILES);
    CHECK_EQ(parse_entry(&contents, 3, 0, &(struct entry){0}), 0);
    CHECK_EQ(json_integer_value(
                 json_object_get(json_object_get(contents.metadata, "tensorflow"), "num_shards")),
             3);
}

/* Keys and values as they are, behind a header or not. */
static int parse_raw(bool has_header, const char *key, size_t key_len, const char *value,
                     size_t value_len)
{
    TABLE_CLEANUP struct table_builder table = {0};
    CONTENTS_CLEANUP struct contents contents;
    contents_init(&contents, files, N_FILES);
    if (has_header)
        add_header(&table, 1, 0);
    table_add(&table, key, key_len, value, value_len);
    table_finish(&table);
    int r = parse(&contents, 0, table.file.data, table.file.len);
    CHECK_EQ(contents.n_tensors, r == 0 && key[0]);
    return r;
}

static void what_is_no_bundle_is_refused(void)
{
#define BYTES(text) text, sizeof(text) - 1
    static char name[TENSOR_MAX_NAME_BYTES + 1];
    memset(name, 'a', sizeof(name));
    CHECK_EQ(parse_raw(true, BYTES("a"), BYTES("\x08\x14")), 0);
    CHECK_EQ(parse_raw(false, BYTES("a"), BYTES("\x08\x14")), -EBADMSG);
    CHECK_EQ(parse_raw(false, BYTES(""), BYTES("\x08")), -EBADMSG);
    CHECK_EQ(parse_raw(true, BYTES("a"), BYTES("\x08")), -EBADMSG);
    CHECK_EQ(parse_raw(true, BYTES("a"), BYTES("\x12\x03\x12\x01\x08")), -EBADMSG);
    CHECK_EQ(parse_raw(true, BYTES("a"), BYTES("\x12\x02\x12\x05")), -EBADMSG);
    CHECK_EQ(parse_raw(true, BYTES("a\0b"), BYTES("\x08\x14")), -EBADMSG);
    CHECK_EQ(parse_raw(true, BYTES("\0b"), BYTES("?")), 0); /* a slice */
    CHECK_EQ(parse_raw(true, name, sizeof(name), BYTES("\x08\x14")), -EBADMSG);
    CHECK_EQ(parse_raw(true, name, sizeof(name) - 1, BYTES("\x08\x14")), 0);
}

static void a_file_of_another_name_is_refused(void)
{
    static const struct contents_file others[] = {{"m", 0}, {"index", 0}, {"m.index2", 0}};
    TABLE_CLEANUP struct table_builder table = {0};
    add_header(&table, 1, 0);
    table_finish(&table);
    for (uint32_t i = 0; i < 3; i++) {
        CONTENTS_CLEANUP struct contents contents;
        contents_init(&contents, others, 3);
        CHECK_EQ(parse(&contents, i, table.file.data, table.file.len), -EBADMSG);
    }
}

static void an_index_of_another_program_holds_nothing(void)
{
    static const char text[] =
        "not a table, and much longer than the end of one would be: a search "
        "tree of somebody's";
    static const struct contents_file alone[] = {{"faiss.index", sizeof(text)}, {"faiss.data", 1}},
                                      sharded[] = {{"m.index", sizeof(text)},
                                                   {"m.data-00000-of-00001", 1}};
    CONTENTS_CLEANUP struct contents a, b;
    contents_init(&a, alone, 2);
    contents_init(&b, sharded, 2);
    CHECK_EQ(parse(&a, 0, text, sizeof(text)), 0);
    CHECK_EQ(parse(&b, 0, text, sizeof(text)), -EBADMSG);
}

static void too_many_dimensions_are_refused(void)
{
    for (size_t more = 0; more < 2; more++) {
        BUF_CLEANUP struct buf value = {0}, shape = {0};
        for (size_t i = 0; i < TENSOR_MAX_DIMS + more; i++)
            put_text(&shape, 2, "\x08\x01");
        put_number(&value, 1, 1);
        put_message(&value, 2, &shape);
        put_number(&value, 5, 4);
        CHECK_EQ(parse_raw(true, "a", 1, value.data, value.len), more ? -EBADMSG : 0);
    }
}

/* Thousands of names of 4,000 bytes that share all but the end. */
static void names_far_larger_than_the_file_are_refused(void)
{
    TABLE_CLEANUP struct table_builder table = {0};
    CONTENTS_CLEANUP struct contents contents;
    static char name[4001];
    contents_init(&contents, files, N_FILES);
    memset(name, 'a', sizeof(name) - 1);
    add_header(&table, 1, 0);
    for (int i = 0; i < 2000; i++) {
        snprintf(name + 3990, 11, "%010u", (unsigned)i % 10000);
        if (i == 1)
            table.block.n_since = -2000; /* no restart any more */
        table_add(&table, name, 4000, "\x08\x14", 2);
    }
    table_finish(&table);
    CHECK_EQ(parse(&contents, 0, table.file.data, table.file.len), -EFBIG);
    CHECK_EQ(contents.n_tensors, 0);
}

static void many_missing_shards_are_summed_up(void)
{
    TABLE_CLEANUP struct table_builder table = {0};
    CONTENTS_CLEANUP struct contents contents;
    contents_init(&contents, files, N_FILES);
    add_header(&table, 70, 0);
    for (uint32_t i = 0; i < 70; i++) {
        char name[] = {(char)('0' + i), '\0'};
        add(&table, &(struct entry){name, 1, {1}, i, 0, 4});
    }
    table_finish(&table);
    CHECK_EQ(parse(&contents, 0, table.file.data, table.file.len), 0);
    CHECK_EQ(json_array_size(contents.missing), BUNDLE_MAX_MISSES + 1);
    CHECK_STR(json_string_value(json_array_get(contents.missing, BUNDLE_MAX_MISSES)),
              "6 more shards of d/m");
}

/* A later failure takes back what was added, and nothing that others have. */
static void all_is_added_or_nothing(void)
{
    TABLE_CLEANUP struct table_builder table = {0};
    CONTENTS_CLEANUP struct contents contents;
    contents_init(&contents, files, N_FILES);
    CHECK_EQ(contents_add(&contents, &(struct tensor){.name = "own", .offset = TENSOR_SCATTERED}),
             0);
    add_header(&table, 1, 0);
    add(&table, &(struct entry){"a", 1, {1}, 0, 0, 4});
    add(&table, &(struct entry){"b", 1, {1}, 0, 0, 5});
    table_finish(&table);
    CHECK_EQ(parse(&contents, 0, table.file.data, table.file.len), -EBADMSG);
    CHECK_EQ(contents.n_tensors, 1);
}

static void *failing_malloc(size_t n)
{
    return malloc(n);
}

static void plain_free(void *p)
{
    free(p);
}

static void no_memory_is_an_error(void)
{
    TABLE_CLEANUP struct table_builder table = {0};
    add_header(&table, 2, 0);
    add(&table, &(struct entry){"a", 1, {1}, 0, 0, 4});
    add(&table, &(struct entry){"b", 1, {1}, 1, 0, 4});
    table_finish(&table);
    json_set_alloc_funcs(failing_malloc, plain_free);
    json_object_seed(1);
    FOR_EACH_ALLOC_FAILURE
    {
        CONTENTS_CLEANUP struct contents contents;
        contents_init(&contents, files, N_FILES);
        int r = parse(&contents, 0, table.file.data, table.file.len);
        CHECK(r == 0 || r == -ENOMEM);
        CHECK_EQ(contents.n_tensors, r == 0 ? 2 : 0);
        CHECK(r < 0 || json_array_size(contents.missing) == 2);
    }
}

int main(void)
{
    TEST("every type has its place", every_type_has_its_place);
    TEST("a partitioned variable is shown whole and without a place",
         a_partitioned_variable_is_shown_whole_and_without_a_place);
    TEST("shards are the files beside the index", shards_are_the_files_beside_the_index);
    TEST("entries make sense, or all is refused", entries_make_sense_or_all_is_refused);
    TEST("the number of shards is told", the_number_of_shards_is_told);
    TEST("what is no bundle is refused", what_is_no_bundle_is_refused);
    TEST("a file of another name is refused", a_file_of_another_name_is_refused);
    TEST("an index of another program holds nothing", an_index_of_another_program_holds_nothing);
    TEST("too many dimensions are refused", too_many_dimensions_are_refused);
    TEST("names far larger than the file are refused", names_far_larger_than_the_file_are_refused);
    TEST("many missing shards are summed up", many_missing_shards_are_summed_up);
    TEST("all is added or nothing", all_is_added_or_nothing);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
