/* SPDX-License-Identifier: Apache-2.0 */
#include "model/sstable.h"

#include <errno.h>

#include "check.h"
#include "bytes_probe.h"
#include "table_builder.h"

#define TABLE_CLEANUP CLEANUP(table_builder_deinit)

/* Pairs as `key=value `; stops with 77 after a pair whose key is @stop. */
struct seen {
    struct buf text;
    const char *stop;
    size_t n;
};

static void seen_deinit(struct seen *seen)
{
    buf_deinit(&seen->text);
}

static int see(void *ctx, const struct sstable_pair *pair)
{
    struct seen *seen = (struct seen *)ctx;
    seen->n++;
    int r = buf_printf(&seen->text, "%.*s=%.*s ", (int)pair->key_len,
                       pair->key_len ? (const char *)pair->key : "", (int)pair->value_len,
                       (const char *)pair->value);
    if (r < 0)
        return r;
    return seen->stop && pair->key_len == strlen(seen->stop) &&
                   memcmp(pair->key, seen->stop, pair->key_len) == 0
               ? 77
               : 0;
}

static int parse(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    (void)file;
    return sstable_each(glimpse, see, ctx);
}

static int parse_table(const struct table_builder *table, struct seen *seen)
{
    struct probe probe;
    CLEANUP(cleanup_free)
    char *copy = malloc(table->file.len + !table->file.len); /* exact, for ASan */
    memcpy(copy, table->file.data, table->file.len);
    return probe_parse(&probe, parse, seen, 0, copy, table->file.len);
}

static void add(struct table_builder *table, const char *key, const char *value)
{
    table_add(table, key, strlen(key), value, strlen(value));
}

/* Two blocks, with shared beginnings and restarts. */
static void build(struct table_builder *table, bool is_packed)
{
    static const char *const keys[] = {"", "a", "ab", "abc", "abd", "b", "model/x", "model/y", "z"};
    table->is_packed = is_packed;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        add(table, keys[i], i % 2 ? "1" : "");
        if (i == 4)
            table_flush(table);
    }
    table_finish(table);
}

static const char all[] = "= a=1 ab= abc=1 abd= b=1 model/x= model/y=1 z= ";

static void pairs_come_in_order(void)
{
    for (int is_packed = 0; is_packed < 2; is_packed++) {
        TABLE_CLEANUP struct table_builder table = {0};
        CLEANUP(seen_deinit) struct seen seen = {0};
        build(&table, is_packed);
        CHECK_EQ(parse_table(&table, &seen), 0);
        CHECK_STR(seen.text.data, all);
    }
}

static void the_callback_stops_it(void)
{
    TABLE_CLEANUP struct table_builder table = {0};
    CLEANUP(seen_deinit) struct seen seen = {.stop = "abd"};
    build(&table, false);
    CHECK_EQ(parse_table(&table, &seen), 77);
    CHECK_STR(seen.text.data, "= a=1 ab= abc=1 abd= ");
}

static void a_table_may_be_empty(void)
{
    TABLE_CLEANUP struct table_builder table = {0};
    CLEANUP(seen_deinit) struct seen seen = {0};
    table_finish(&table);
    CHECK_EQ(parse_table(&table, &seen), 0);
    CHECK_EQ(seen.n, 0);
}

/* Every bit of the data, the index and their trailers, and every byte of the magic number; what
 * stands between (padding, the place of the meta index) says nothing. */
static void a_wrong_bit_is_found(void)
{
    TABLE_CLEANUP struct table_builder table = {0};
    build(&table, false);
    size_t meta_bytes = 4 + 5, n_found = 0, n = table.file.len;
    for (size_t bit = 0; bit < 8 * n; bit++) {
        CLEANUP(seen_deinit) struct seen seen = {0};
        table.file.data[bit / 8] ^= (char)(1 << bit % 8);
        int r = parse_table(&table, &seen);
        CHECK(r == 0 || r == -EBADMSG);
        CHECK(r < 0 || strcmp(seen.text.data, all) == 0);
        n_found += r < 0;
        table.file.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    CHECK(n_found > 8 * (n - 48 - meta_bytes));
    CHECK(n_found < 8 * n);
}

static void any_end_but_the_right_one_is_found(void)
{
    TABLE_CLEANUP struct table_builder table = {0};
    build(&table, true);
    for (size_t n = table.file.len; n-- > 0;) {
        CLEANUP(seen_deinit) struct seen seen = {0};
        table.file.len = n;
        CHECK_EQ(parse_table(&table, &seen), -EBADMSG);
    }
}

/* A data block of raw bytes with right checksums, named by the index @n_times. */
static int parse_block(const char *data, size_t len, uint8_t type, int n_times)
{
    TABLE_CLEANUP struct table_builder table = {0};
    CLEANUP(seen_deinit) struct seen seen = {0};
    BUF_CLEANUP struct buf handle = {0}, block = {0};
    buf_append(&block, data, len);
    table_put(&table, &block, type, &handle);
    for (int i = 0; i < n_times; i++)
        block_add(&table.index, &(char){(char)('a' + i)}, 1, handle.data, handle.len);
    table_finish(&table);
    return parse_table(&table, &seen);
}

static void a_block_that_is_none_is_refused(void)
{
#define BLOCK(text) text, sizeof(text) - 1
    static const struct {
        const char *data;
        size_t len;
        uint8_t type;
        int n_times, want;
    } cases[] = {
        {BLOCK("\0\1\1kv\0\0\0\0\1\0\0\0"), 0, 1, 0},
        {BLOCK("\0\1\1kv\0\0\0\0"), 0, 1, 0}, /* no restarts */
        {BLOCK("\0\0\0\0\0\0\0"), 0, 1, 0},   /* one empty pair */
        {BLOCK(""), 0, 1, -EBADMSG},
        {BLOCK("\0\0\0"), 0, 1, -EBADMSG},
        {BLOCK("\1\0\0\0"), 0, 1, -EBADMSG}, /* a restart that is not there */
        {BLOCK("\xff\xff\xff\xff"), 0, 1, -EBADMSG},
        {BLOCK("\1\1\1kv\0\0\0\0"), 0, 1, -EBADMSG}, /* shares with nothing */
        {BLOCK("\0\1\2kv\0\0\0\0"), 0, 1, -EBADMSG}, /* a value beyond the end */
        {BLOCK("\0\3\0kv\0\0\0\0"), 0, 1, -EBADMSG}, /* a key beyond the end */
        {BLOCK("\0\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1kv\0\0\0\0"), 0, 1, -EBADMSG},
        {BLOCK("\0\1\0k\0\1\0j\0\0\0\0"), 0, 1, -EBADMSG}, /* keys descend */
        {BLOCK("\0\1\0k\0\1\0k\0\0\0\0"), 0, 1, -EBADMSG}, /* one twice */
        {BLOCK("\0\1\0k\1\0\0\0\0\0\0"), 0, 1, -EBADMSG},
        {BLOCK("\0\1\1kv\0\0\0\0"), 0, 2, -EBADMSG}, /* the same block again */
        {BLOCK("\0\0\0\0"), 0, 2, -EBADMSG},
        {BLOCK("\0\1\1kv\0\0\0\0"), 2, 1, -EBADMSG}, /* no such compression */
        {BLOCK("\0\1\1kv\0\0\0\0"), 1, 1, -EBADMSG}, /* not snappy */
        {BLOCK("\xff\xff\xff\xff\x0f"), 1, 1, -EBADMSG},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(parse_block(cases[i].data, cases[i].len, cases[i].type, cases[i].n_times),
                 cases[i].want);
}

/* An index that says where data is in a way it cannot be. */
static void a_place_outside_is_refused(void)
{
    static const struct {
        const char *handle;
        size_t len;
    } cases[] = {
        {BLOCK("")},
        {BLOCK("\1")},
        {BLOCK("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\1")},
        {BLOCK("\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1")},
        {BLOCK("\x7f\0")},
        {BLOCK("\0\x7f")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TABLE_CLEANUP struct table_builder table = {0};
        CLEANUP(seen_deinit) struct seen seen = {0};
        block_add(&table.index, "a", 1, cases[i].handle, cases[i].len);
        table_finish(&table);
        CHECK_EQ(parse_table(&table, &seen), -EBADMSG);
    }
}

static void a_key_too_long_is_refused(void)
{
    static char key[SSTABLE_MAX_KEY_BYTES + 1];
    for (size_t more = 0; more < 2; more++) {
        TABLE_CLEANUP struct table_builder table = {0};
        CLEANUP(seen_deinit) struct seen seen = {0};
        table_add(&table, key, SSTABLE_MAX_KEY_BYTES + more, "", 0);
        table_finish(&table);
        CHECK_EQ(parse_table(&table, &seen), more ? -EBADMSG : 0);
    }
}

/* Blocks of 64 KiB until the file has @size bytes or some more. */
static void build_large(struct table_builder *table, size_t size)
{
    static char value[65536];
    for (uint32_t i = 0; table->file.len < size; i++) {
        uint32_t key = htobe32(i);
        table_add(table, &key, sizeof(key), value, sizeof(value));
        table_flush(table);
    }
    table_finish(table);
}

static int count(void *ctx, const struct sstable_pair *pair)
{
    (void)pair;
    ++*(int *)ctx;
    return 0;
}

static int parse_counting(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    (void)file;
    return sstable_each(glimpse, count, ctx);
}

static void a_small_table_takes_one_round_trip_a_large_one_two(void)
{
    for (int is_large = 0; is_large < 2; is_large++) {
        TABLE_CLEANUP struct table_builder table = {0};
        struct probe probe;
        int n = 0;
        build_large(&table, is_large ? SSTABLE_WHOLE_BYTES : SSTABLE_WHOLE_BYTES / 2);
        CHECK_EQ(probe_parse(&probe, parse_counting, &n, 0, table.file.data, table.file.len), 0);
        CHECK_EQ(n, is_large ? 64 : 32);
        CHECK_EQ(probe.n_rounds, is_large ? 2 : 1);
        CHECK_EQ(probe.given_bytes, table.file.len);
    }
}

static void what_is_no_table_costs_its_end_only(void)
{
    static char zeros[SSTABLE_WHOLE_BYTES + 1];
    struct probe probe;
    int n = 0;
    CHECK_EQ(probe_parse(&probe, parse_counting, &n, 0, zeros, sizeof(zeros)), -EBADMSG);
    CHECK_EQ(probe.given_bytes, GLIMPSE_MIN_BYTES);
}

static void no_memory_is_an_error(void)
{
    TABLE_CLEANUP struct table_builder table = {0};
    build(&table, true);
    FOR_EACH_ALLOC_FAILURE
    {
        CLEANUP(seen_deinit) struct seen seen = {0};
        struct probe probe;
        int r = probe_parse(&probe, parse, &seen, 0, table.file.data, table.file.len);
        CHECK(r == -ENOMEM || (r == 0 && strcmp(seen.text.data, all) == 0));
    }
}

int main(void)
{
    TEST("pairs come in order, packed or not", pairs_come_in_order);
    TEST("the callback stops it", the_callback_stops_it);
    TEST("a table may be empty", a_table_may_be_empty);
    TEST("a wrong bit is found", a_wrong_bit_is_found);
    TEST("any end but the right one is found", any_end_but_the_right_one_is_found);
    TEST("a block that is none is refused", a_block_that_is_none_is_refused);
    TEST("a place outside is refused", a_place_outside_is_refused);
    TEST("a key too long is refused", a_key_too_long_is_refused);
    TEST("a small table takes one round trip, a large one two",
         a_small_table_takes_one_round_trip_a_large_one_two);
    TEST("what is no table costs its end only", what_is_no_table_costs_its_end_only);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
