/* SPDX-License-Identifier: Apache-2.0 */
/* The data file is never larger than the limit, whatever happens beside it; what was used last and
 * what is pinned stays. */
#include "cache/blocks.h"

#include "cache/meta.h"

#include "blocks_probe.h"

static char top[PATH_MAX], dir[2 * PATH_MAX];
static int n_dirs;

static void fresh_dir(void)
{
    snprintf(dir, sizeof(dir), "%s/%d", top, n_dirs++);
}

static const uint64_t limits[] = {8 * MIB, 32 * MIB};
enum { N_LIMITS = 2 };

/* The file's size is checked now and then while blocks are put. */
static bool is_within(uint64_t limit_bytes)
{
    return probe_data_bytes(dir) <= (int64_t)limit_bytes;
}

static void four_times_the_limit_goes_through_it(void)
{
    for (int i = 0; i < N_LIMITS; i++) {
        fresh_dir();
        struct blocks *blocks = probe_open(dir, limits[i]);
        uint32_t n = (uint32_t)(4 * limits[i] / BLOCK_BYTES);
        for (uint32_t block = 0; block < n; block++) {
            CHECK(probe_offer_whole(blocks, 1, block));
            blocks_flush(blocks);
            CHECK(is_within(limits[i]));
        }
        struct blocks_stats stats = probe_stats(blocks);
        CHECK_EQ(stats.written, n);
        CHECK(stats.evicted > n / 2);
        CHECK(stats.file_bytes <= limits[i]);
        CHECK(stats.used_bytes <= stats.file_bytes);
        CHECK_EQ(probe_view_block(blocks, 1, n - 1), BLOCK_BYTES);
        CHECK_EQ(probe_view_block(blocks, 1, 0), 0);
        CHECK(!stats.failed);
        blocks_close(blocks);
        CHECK(is_within(limits[i]));
    }
}

/* As reads leave them: most blocks come whole, some in pieces first that others complete later, in
 * any order, and some are read again. From the first limit's worth on the file has its size, and
 * blocks neither get lost nor need more room than they did. */
static void eight_times_the_limit_of_mixed_blocks_leaves_the_file_as_it_is(void)
{
    enum { N = 8 * 64 };
    fresh_dir();
    uint64_t seed = 8;
    int64_t bytes_before = 0;
    uint64_t least_blocks = UINT64_MAX;
    struct blocks *blocks = probe_open(dir, 64 * MIB);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t late = i - (uint32_t)(probe_random(&seed) % 6); /* not yet evicted */
        if (probe_random(&seed) % 3 == 0)
            CHECK(probe_offer(blocks, 1, i, BLOCK_BYTES, (uint16_t)(seed >> 20 | 1)));
        else
            CHECK(probe_offer_whole(blocks, 1, i));
        if (late < i)
            CHECK(probe_offer_whole(blocks, 1, late));
        blocks_flush(blocks);
        CHECK(is_within(64 * MIB));
        CHECK(probe_view_block(blocks, 1, i) > 0);
        if (i < N / 8 * 2)
            bytes_before = probe_data_bytes(dir);
        else if (probe_stats(blocks).n_blocks < least_blocks)
            least_blocks = probe_stats(blocks).n_blocks;
    }
    CHECK_EQ(probe_data_bytes(dir), bytes_before);
    CHECK(least_blocks >= 40); /* of 59 that fit beside the spare when all are whole */
    CHECK_EQ(probe_stats(blocks).dropped_offers, 0);
    CHECK(!probe_stats(blocks).failed);
    blocks_close(blocks);
}

/* Pieces of blocks, in all sizes, beside each other: free pages are in short runs then. */
static void odd_sizes_go_through_it(void)
{
    fresh_dir();
    struct blocks *blocks = probe_open(dir, 16 * MIB);
    uint64_t seed = 5;
    for (uint32_t i = 0; i < 400; i++) {
        uint16_t present = (uint16_t)(probe_random(&seed) & probe_random(&seed));
        uint32_t block = (uint32_t)(probe_random(&seed) % 200);
        probe_offer(blocks, 1, block, BLOCK_BYTES, (uint16_t)(present | 1));
        blocks_flush(blocks);
        CHECK(is_within(16 * MIB));
        CHECK(probe_view_block(blocks, 1, block) >= 0);
    }
    struct blocks_stats stats = probe_stats(blocks);
    CHECK(!stats.failed);
    CHECK(stats.written > 350);
    blocks_close(blocks);
}

/* Views keep pages from being used again: blocks may be given up, the limit may not. */
static void views_that_are_held_do_not_move_it(void)
{
    for (int i = 0; i < N_LIMITS; i++) {
        enum { HELD = 4 };
        struct blocks_view views[HELD];
        struct blob_id id = probe_blob(1);
        fresh_dir();
        struct blocks *blocks = probe_open(dir, limits[i]);
        uint32_t n = (uint32_t)(2 * limits[i] / BLOCK_BYTES);
        for (int held = 0; held < HELD; held++) {
            CHECK(probe_offer_whole(blocks, 1, (uint32_t)held));
            blocks_flush(blocks);
            CHECK_EQ(blocks_view(blocks, &id, held * BLOCK_BYTES, BLOCK_BYTES, &views[held]), 1);
        }
        for (uint32_t block = 0; block < n; block++) {
            probe_offer_whole(blocks, 2, block);
            blocks_flush(blocks);
            CHECK(is_within(limits[i]));
        }
        for (int held = 0; held < HELD; held++) {
            CHECK(probe_is_right(1, held * BLOCK_BYTES, views[held].piece[0].iov_base,
                                 views[held].piece[0].iov_len));
            blocks_view_end(&views[held]);
        }
        for (uint32_t block = 0; block < 4; block++) { /* and all is well again */
            CHECK(probe_offer_whole(blocks, 3, block));
            blocks_flush(blocks);
            CHECK_EQ(probe_view_block(blocks, 3, block), BLOCK_BYTES);
        }
        CHECK(!probe_stats(blocks).failed);
        blocks_close(blocks);
    }
}

struct job {
    uint64_t blob, limit_bytes;
};

static int put_many(void *ctx)
{
    const struct job *job = ctx;
    struct blocks *blocks = probe_open(dir, job->limit_bytes);
    CHECK(blocks);
    for (uint32_t i = 0; i < 100; i++) {
        probe_offer_whole(blocks, job->blob, i);
        if (i % 4 == 3)
            blocks_flush(blocks);
        CHECK(is_within(job->limit_bytes));
        CHECK(probe_view_block(blocks, job->blob, i / 2) >= 0);
        CHECK(probe_view_block(blocks, job->blob % 2 + 1, i / 2) >= 0);
    }
    blocks_flush(blocks);
    struct blocks_stats stats = probe_stats(blocks);
    CHECK(!stats.failed);
    CHECK(stats.written > 50);
    blocks_close(blocks);
    return 0;
}

static void two_processes_keep_it(void)
{
    for (int i = 0; i < N_LIMITS; i++) {
        fresh_dir();
        struct job one = {1, limits[i]}, two = {2, limits[i]};
        pid_t a = probe_start(put_many, &one, 100), b = probe_start(put_many, &two, 100);
        CHECK_EQ(probe_wait(a), 0);
        CHECK_EQ(probe_wait(b), 0);
        CHECK(is_within(limits[i]));
    }
}

static int put_some_in_less(void *ctx)
{
    struct blocks *blocks = probe_open(dir, *(uint64_t *)ctx);
    for (uint32_t i = 0; i < 60; i++) {
        probe_offer_whole(blocks, 1, i);
        blocks_flush(blocks);
        CHECK(probe_view_block(blocks, 2, i) >= 0);
        CHECK(probe_view_block(blocks, 1, i) >= 0);
    }
    CHECK(!probe_stats(blocks).failed);
    CHECK(probe_stats(blocks).written > 30);
    blocks_close(blocks);
    return 0;
}

/* The larger one holds; who has the smaller one follows the file as it grows. */
static void two_processes_with_different_limits_work_together(void)
{
    fresh_dir();
    uint64_t less = 12 * MIB;
    pid_t pid = probe_start(put_some_in_less, &less, 100);
    probe_sleep_us(50000);
    struct blocks *blocks = probe_open(dir, 48 * MIB);
    for (uint32_t i = 0; i < 120; i++) {
        probe_offer_whole(blocks, 2, i);
        if (i % 8 == 7)
            blocks_flush(blocks);
        CHECK(is_within(48 * MIB));
        CHECK(probe_view_block(blocks, 1, i) >= 0);
    }
    blocks_flush(blocks);
    CHECK_EQ(probe_wait(pid), 0);
    CHECK(!probe_stats(blocks).failed);
    CHECK(probe_offer_whole(blocks, 3, 0));
    blocks_flush(blocks);
    CHECK_EQ(probe_view_block(blocks, 3, 0), BLOCK_BYTES);
    blocks_close(blocks);
}

static void a_smaller_limit_starts_anew_when_alone(void)
{
    fresh_dir();
    struct blocks *blocks = probe_open(dir, 48 * MIB);
    for (uint32_t i = 0; i < 30; i++)
        CHECK(probe_offer_whole(blocks, 1, i));
    blocks_close(blocks);
    CHECK(!is_within(16 * MIB));
    blocks = probe_open(dir, 48 * MIB); /* nothing is lost while the limit stays */
    for (uint32_t i = 0; i < 30; i++)
        CHECK_EQ(probe_view_block(blocks, 1, i), BLOCK_BYTES);
    blocks_close(blocks);
    blocks = probe_open(dir, 16 * MIB);
    CHECK_EQ(probe_view_block(blocks, 1, 0), 0);
    for (uint32_t i = 0; i < 30; i++) {
        CHECK(probe_offer_whole(blocks, 1, i));
        blocks_flush(blocks);
        CHECK(is_within(16 * MIB));
    }
    blocks_close(blocks);
}

static void a_tiny_limit_is_raised_to_the_least(void)
{
    fresh_dir();
    struct blocks *blocks = probe_open(dir, 0);
    CHECK_EQ(probe_stats(blocks).limit_bytes, 8 * MIB);
    CHECK(probe_offer_whole(blocks, 1, 0));
    blocks_flush(blocks);
    CHECK_EQ(probe_view_block(blocks, 1, 0), BLOCK_BYTES);
    blocks_close(blocks);
}

static void pinned_blobs_stay_while_others_can_go(void)
{
    fresh_dir();
    struct blob_id id = probe_blob(1);
    struct blocks *blocks = probe_open(dir, 32 * MIB);
    for (uint32_t i = 0; i < 10; i++)
        CHECK(probe_offer_whole(blocks, 1, i));
    CHECK_EQ(blocks_pin(blocks, &id, true), 0);
    for (uint32_t i = 0; i < 100; i++)
        CHECK(probe_offer_whole(blocks, 2, i));
    blocks_flush(blocks);
    for (uint32_t i = 0; i < 10; i++)
        CHECK_EQ(probe_view_block(blocks, 1, i), BLOCK_BYTES);
    blocks_close(blocks);
    blocks = probe_open(dir, 32 * MIB); /* a pin lasts */
    for (uint32_t i = 100; i < 200; i++)
        CHECK(probe_offer_whole(blocks, 2, i));
    blocks_flush(blocks);
    for (uint32_t i = 0; i < 10; i++)
        CHECK_EQ(probe_view_block(blocks, 1, i), BLOCK_BYTES);
    CHECK_EQ(blocks_pin(blocks, &id, false), 0);
    for (uint32_t i = 200; i < 300; i++)
        CHECK(probe_offer_whole(blocks, 2, i));
    blocks_flush(blocks);
    CHECK_EQ(probe_view_block(blocks, 1, 0), 0);
    blocks_close(blocks);
}

/* A pin is a wish: a cache full of pinned blocks still takes new ones. */
static void pinned_blobs_go_when_nothing_else_can(void)
{
    fresh_dir();
    struct blob_id id = probe_blob(1);
    struct blocks *blocks = probe_open(dir, 16 * MIB);
    CHECK_EQ(blocks_pin(blocks, &id, true), 0);
    for (uint32_t i = 0; i < 60; i++) {
        CHECK(probe_offer_whole(blocks, 1, i));
        blocks_flush(blocks);
        CHECK_EQ(probe_view_block(blocks, 1, i), BLOCK_BYTES);
        CHECK(is_within(16 * MIB));
    }
    blocks_close(blocks);
}

/* A use counts from the moment it is written down, at the latest when the cache is closed. */
static void what_was_read_stays_longer(void)
{
    fresh_dir();
    struct blocks *blocks = probe_open(dir, 32 * MIB);
    for (uint32_t i = 0; i < 20; i++)
        CHECK(probe_offer_whole(blocks, 1, i));
    blocks_flush(blocks);
    CHECK_EQ(probe_view_block(blocks, 1, 3), BLOCK_BYTES);
    blocks_close(blocks);
    blocks = probe_open(dir, 32 * MIB);
    for (uint32_t i = 0; i < 20; i++)
        CHECK(probe_offer_whole(blocks, 2, i));
    blocks_flush(blocks);
    CHECK_EQ(probe_view_block(blocks, 1, 2), 0);
    CHECK_EQ(probe_view_block(blocks, 1, 4), 0);
    CHECK_EQ(probe_view_block(blocks, 1, 3), BLOCK_BYTES);
    blocks_close(blocks);
}

/* A disk that has less free than asked for: the file grows by what the last transactions freed,
 * which cannot be used again yet, and no further. */
static void a_low_disk_stops_growth(void)
{
    fresh_dir();
    struct blocks *blocks = probe_open(dir, 64 * MIB);
    for (uint32_t i = 0; i < 16; i++)
        CHECK(probe_offer_whole(blocks, 1, i));
    blocks_close(blocks);
    int64_t before = probe_data_bytes(dir);
    struct blocks_options options = {
        .dir = dir, .limit_bytes = 64 * MIB, .min_free_bytes = UINT64_MAX};
    CHECK_EQ(blocks_open(&options, &blocks), 0);
    for (uint32_t i = 0; i < 200; i++) {
        CHECK(probe_offer_whole(blocks, 2, i));
        blocks_flush(blocks);
    }
    CHECK(probe_data_bytes(dir) <= before + (int64_t)(4 * MIB));
    CHECK_EQ(probe_view_block(blocks, 2, 199), BLOCK_BYTES);
    blocks_close(blocks);
}

static void small_records_keep_it(void)
{
    fresh_dir();
    struct blocks *blocks = probe_open(dir, 16 * MIB);
    char *value = calloc(1, MIB), key[32];
    CHECK(probe_offer_whole(blocks, 1, 0));
    for (int i = 0; i < 400; i++) {
        snprintf(key, sizeof(key), "record %d", i);
        meta_put(blocks_meta(blocks), key, value, MIB / 8 + (size_t)i);
        CHECK(is_within(16 * MIB));
    }
    CHECK(!probe_stats(blocks).failed);
    CHECK(meta_put(blocks_meta(blocks), "large", value, MIB / 2) == 0);
    for (uint32_t i = 0; i < 4; i++) { /* blocks find room all the same */
        CHECK(probe_offer_whole(blocks, 2, i));
        blocks_flush(blocks);
        CHECK_EQ(probe_view_block(blocks, 2, i), BLOCK_BYTES);
    }
    free(value);
    blocks_close(blocks);
}

int main(void)
{
    probe_dir_make(top);
    TEST("four times the limit goes through it", four_times_the_limit_goes_through_it);
    TEST("eight times the limit of mixed blocks leaves the file as it is",
         eight_times_the_limit_of_mixed_blocks_leaves_the_file_as_it_is);
    TEST("odd sizes go through it", odd_sizes_go_through_it);
    TEST("views that are held do not move it", views_that_are_held_do_not_move_it);
    TEST("two processes keep it", two_processes_keep_it);
    TEST("two processes with different limits work together",
         two_processes_with_different_limits_work_together);
    TEST("a smaller limit starts anew when alone", a_smaller_limit_starts_anew_when_alone);
    TEST("a tiny limit is raised to the least", a_tiny_limit_is_raised_to_the_least);
    TEST("pinned blobs stay while others can go", pinned_blobs_stay_while_others_can_go);
    TEST("pinned blobs go when nothing else can", pinned_blobs_go_when_nothing_else_can);
    TEST("what was read stays longer", what_was_read_stays_longer);
    TEST("a low disk stops growth", a_low_disk_stops_growth);
    TEST("small records keep it", small_records_keep_it);
    probe_dir_remove(top);
    return check_done();
}
