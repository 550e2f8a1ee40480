/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/evict.h"

#include "cache_probe.h"

#define MIB (UINT64_C(1) << 20)

enum { VALUE_BYTES = 65536, VALUE_ROOM = VALUE_BYTES + 4096 };

static char top[PATH_MAX], dir[2 * PATH_MAX];
static int n_dirs;
static struct tables tables;
static struct env_txn *txn;

static const struct blob_id blob_a = {{0xa}}, blob_b = {{0xb}};

/* Each test has tables of its own and one transaction. */
static void begin(void)
{
    snprintf(dir, sizeof(dir), "%s/%d", top, n_dirs++);
    CHECK_EQ(tables_open(dir, 32 * MIB, &tables, NULL), 0);
    CHECK_EQ(env_begin(tables.env, true, &txn), 0);
}

static void end(void)
{
    env_abort(txn);
    env_close(tables.env);
}

static void put(const struct blob_id *blob, uint32_t block, uint64_t when_ns)
{
    uint8_t key[BLOCK_KEY_BYTES];
    void *room;
    block_key_format(blob, block, key);
    struct env_bytes bytes = {.data = key, .len = sizeof(key)};
    CHECK_EQ(env_reserve(txn, tables.blocks, bytes, VALUE_BYTES, &room), 0);
    memset(room, 1, VALUE_BYTES);
    CHECK_EQ(evict_note_use(txn, &tables, key, when_ns), 0);
}

static int use(const struct blob_id *blob, uint32_t block, uint64_t when_ns)
{
    uint8_t key[BLOCK_KEY_BYTES];
    block_key_format(blob, block, key);
    return evict_note_use(txn, &tables, key, when_ns);
}

static void pin(const struct blob_id *blob)
{
    struct env_bytes key = {.data = blob, .len = sizeof(*blob)};
    CHECK_EQ(env_put(txn, tables.pins, key, (struct env_bytes){.data = ""}), 0);
}

static bool is_stored(const struct blob_id *blob, uint32_t block)
{
    uint8_t key[BLOCK_KEY_BYTES];
    struct env_bytes value;
    block_key_format(blob, block, key);
    return env_get(txn, tables.blocks, (struct env_bytes){key, sizeof(key)}, &value) == 0;
}

static struct env_usage usage(unsigned table)
{
    struct env_usage out;
    CHECK_EQ(env_usage(txn, table, &out), 0);
    return out;
}

enum { MANY = 1000 };

/* Evicts @n blocks. */
static void evict(unsigned n)
{
    uint64_t n_evicted = 0, before = usage(tables.blocks).n_entries;
    uint64_t most = usage(tables.blocks).used_bytes - n * UINT64_C(1) * VALUE_ROOM;
    CHECK_EQ(evict_down_to(txn, &tables, most, MANY, &n_evicted), 0);
    CHECK_EQ(n_evicted, n);
    CHECK_EQ(usage(tables.blocks).n_entries, before - n);
}

/* One entry a block in each of the three tables, and the same moment in both. */
static void check_tables_agree(void)
{
    uint64_t n = usage(tables.blocks).n_entries;
    CHECK_EQ(usage(tables.uses).n_entries, n);
    CHECK_EQ(usage(tables.order).n_entries, n);
    struct env_bytes key = {0}, value;
    for (int r = env_seek(txn, tables.order, &key, &value); r == 0;
         r = env_next(txn, tables.order, &key, &value)) {
        struct env_bytes moment, block = {(const uint8_t *)key.data + 8, BLOCK_KEY_BYTES};
        CHECK_EQ(key.len, 8 + BLOCK_KEY_BYTES);
        CHECK_EQ(env_get(txn, tables.uses, block, &moment), 0);
        CHECK(moment.len == 8 && memcmp(moment.data, key.data, 8) == 0);
    }
}

static void the_oldest_use_goes_first(void)
{
    begin();
    put(&blob_a, 1, 300);
    put(&blob_a, 2, 100);
    put(&blob_b, 1, 200);
    put(&blob_b, 2, 400);
    evict(1);
    CHECK(!is_stored(&blob_a, 2));
    evict(1);
    CHECK(!is_stored(&blob_b, 1));
    check_tables_agree();
    evict(2);
    CHECK_EQ(usage(tables.order).n_entries, 0);
    end();
}

static void a_use_moves_a_block_to_the_end(void)
{
    begin();
    for (uint32_t i = 0; i < 4; i++)
        put(&blob_a, i, 100 + i);
    CHECK_EQ(use(&blob_a, 0, 500), 0);
    CHECK_EQ(use(&blob_a, 0, 500), 0);
    check_tables_agree();
    evict(3);
    CHECK(is_stored(&blob_a, 0));
    end();
}

static void a_use_of_what_is_not_stored_is_not_noted(void)
{
    begin();
    CHECK_EQ(use(&blob_a, 9, 100), -ENOENT);
    CHECK_EQ(usage(tables.order).n_entries, 0);
    CHECK_EQ(usage(tables.uses).n_entries, 0);
    end();
}

static void a_removed_block_leaves_nothing(void)
{
    begin();
    uint8_t key[BLOCK_KEY_BYTES];
    put(&blob_a, 1, 100);
    block_key_format(&blob_a, 1, key);
    CHECK_EQ(evict_remove(txn, &tables, key), 0);
    CHECK_EQ(evict_remove(txn, &tables, key), 0);
    CHECK_EQ(usage(tables.blocks).n_entries, 0);
    check_tables_agree();
    end();
}

static void nothing_goes_while_there_is_room(void)
{
    begin();
    uint64_t n_evicted = 0;
    put(&blob_a, 1, 100);
    CHECK_EQ(evict_down_to(txn, &tables, 16 * MIB, MANY, &n_evicted), 0);
    CHECK_EQ(n_evicted, 0);
    CHECK(is_stored(&blob_a, 1));
    end();
}

static void everything_goes_when_it_must(void)
{
    begin();
    uint64_t n_evicted = 0;
    for (uint32_t i = 0; i < 30; i++)
        put(i % 2 ? &blob_a : &blob_b, i, 100 + i);
    pin(&blob_a);
    CHECK_EQ(evict_down_to(txn, &tables, 0, MANY, &n_evicted), 0);
    CHECK_EQ(n_evicted, 30);
    CHECK_EQ(usage(tables.blocks).n_entries, 0);
    check_tables_agree();
    CHECK_EQ(evict_down_to(txn, &tables, 0, MANY, &n_evicted), 0);
    end();
}

static void pinned_blocks_go_last(void)
{
    begin();
    for (uint32_t i = 0; i < 10; i++) {
        put(&blob_a, i, 100 + i);
        put(&blob_b, i, 200 + i);
    }
    pin(&blob_a);
    for (int i = 0; i < 10; i++)
        evict(1);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK(is_stored(&blob_a, i));
        CHECK(!is_stored(&blob_b, i));
    }
    check_tables_agree();
    evict(4);
    check_tables_agree();
    end();
}

static void a_pin_that_is_taken_away_puts_blocks_back_in_their_place(void)
{
    begin();
    put(&blob_a, 1, 100);
    pin(&blob_a);
    put(&blob_a, 2, 200); /* sorted as pinned from the beginning */
    put(&blob_b, 1, 300);
    evict(1); /* moves block 1 of the pinned blob on the way */
    CHECK(!is_stored(&blob_b, 1));
    put(&blob_b, 2, 150);
    struct env_bytes pinned = {.data = &blob_a, .len = sizeof(blob_a)};
    CHECK_EQ(env_delete(txn, tables.pins, pinned), 0);
    for (uint32_t i = 1; i <= 3; i++) { /* the third is not there */
        uint8_t key[BLOCK_KEY_BYTES];
        block_key_format(&blob_a, i, key);
        CHECK_EQ(evict_note_pin(txn, &tables, key), 0);
    }
    check_tables_agree();
    evict(2);
    CHECK(is_stored(&blob_a, 2));
    CHECK(!is_stored(&blob_a, 1));
    CHECK(!is_stored(&blob_b, 2));
    end();
}

static void one_transaction_evicts_no_more_than_it_may(void)
{
    begin();
    uint64_t n_evicted = 0;
    for (uint32_t i = 0; i < 10; i++)
        put(&blob_a, i, 100 + i);
    CHECK_EQ(evict_down_to(txn, &tables, 0, 4, &n_evicted), EVICT_MORE);
    CHECK_EQ(n_evicted, 4);
    CHECK_EQ(evict_down_to(txn, &tables, 0, 7, &n_evicted), 0);
    CHECK_EQ(n_evicted, 10);
    end();
}

/* A clock that was set back: uses lie in the future. */
static void pinned_blocks_go_last_when_the_clock_went_back(void)
{
    begin();
    for (uint32_t i = 0; i < 4; i++) {
        put(&blob_a, i, 100 + i);
        put(&blob_b, i, 9000 + i);
    }
    pin(&blob_a);
    evict(2);
    evict(1);
    for (uint32_t i = 0; i < 4; i++)
        CHECK(is_stored(&blob_a, i));
    check_tables_agree();
    evict(1);
    for (uint32_t i = 0; i < 4; i++)
        CHECK(is_stored(&blob_a, i));
    evict(1);
    end();
}

/* As damage, or another program, may leave them. */
static void entries_of_no_block_do_not_hold_the_evicter(void)
{
    begin();
    uint8_t entry[8 + BLOCK_KEY_BYTES] = {0}, longer[200] = {1};
    struct env_bytes empty = {.data = ""};
    CHECK_EQ(env_put(txn, tables.order, (struct env_bytes){entry, sizeof(entry)}, empty), 0);
    CHECK_EQ(env_put(txn, tables.order, (struct env_bytes){entry, 3}, empty), 0);
    CHECK_EQ(env_put(txn, tables.order, (struct env_bytes){longer, sizeof(longer)}, empty), 0);
    put(&blob_a, 1, UINT64_MAX);
    uint64_t n_evicted = 0;
    CHECK_EQ(evict_down_to(txn, &tables, 0, MANY, &n_evicted), 0);
    CHECK(!is_stored(&blob_a, 1));
    CHECK_EQ(usage(tables.order).n_entries, 0);
    end();
}

/* A block that `order` does not know: nothing would ever make it go. */
static void a_block_without_a_use_is_damage(void)
{
    begin();
    put(&blob_a, 1, 100);
    uint8_t key[BLOCK_KEY_BYTES];
    void *room;
    block_key_format(&blob_b, 7, key);
    CHECK_EQ(
        env_reserve(txn, tables.blocks, (struct env_bytes){key, sizeof(key)}, VALUE_BYTES, &room),
        0);
    uint64_t n_evicted = 0;
    CHECK_EQ(evict_down_to(txn, &tables, 0, MANY, &n_evicted), -EIO);
    CHECK(env_is_broken(tables.env));
    end();
}

int main(void)
{
    probe_dir_make(top);
    TEST("the oldest use goes first", the_oldest_use_goes_first);
    TEST("a use moves a block to the end", a_use_moves_a_block_to_the_end);
    TEST("a use of what is not stored is not noted", a_use_of_what_is_not_stored_is_not_noted);
    TEST("a removed block leaves nothing", a_removed_block_leaves_nothing);
    TEST("nothing goes while there is room", nothing_goes_while_there_is_room);
    TEST("everything goes when it must", everything_goes_when_it_must);
    TEST("pinned blocks go last", pinned_blocks_go_last);
    TEST("a pin that is taken away puts blocks back in their place",
         a_pin_that_is_taken_away_puts_blocks_back_in_their_place);
    TEST("one transaction evicts no more than it may", one_transaction_evicts_no_more_than_it_may);
    TEST("pinned blocks go last when the clock went back",
         pinned_blocks_go_last_when_the_clock_went_back);
    TEST("entries of no block do not hold the evicter",
         entries_of_no_block_do_not_hold_the_evicter);
    TEST("a block without a use is damage", a_block_without_a_use_is_damage);
    probe_dir_remove(top);
    return check_done();
}
