/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/blocks.h"

#include <pthread.h>

#include "cache/env.h"

#include "blocks_probe.h"

static char top[PATH_MAX], dir[2 * PATH_MAX];
static int n_dirs;
static struct blocks *blocks;

static void open_fresh(void)
{
    snprintf(dir, sizeof(dir), "%s/%d", top, n_dirs++);
    blocks = probe_open(dir, 64 * MIB);
    CHECK(blocks);
}

static void open_again(void)
{
    blocks_close(blocks);
    blocks = probe_open(dir, 64 * MIB);
    CHECK(blocks);
}

static void an_empty_cache_misses(void)
{
    open_fresh();
    CHECK_EQ(probe_view(blocks, 1, 0, 100), 0);
    struct blob_id id = probe_blob(1);
    CHECK_EQ(blocks_run(blocks, &id, 0, 100), 0);
    CHECK_EQ(blocks_present_bytes(blocks, &id, 100), 0);
    CHECK_EQ(probe_stats(blocks).misses, 1);
    blocks_close(blocks);
    blocks_close(NULL);
}

/* Two processes that wait for each other: a pipe each way. */
struct talk {
    int to_child[2], to_parent[2];
};

static void say(int fd)
{
    CHECK_EQ(write(fd, "x", 1), 1);
}

static void hear(int fd)
{
    char byte;
    CHECK_EQ(read(fd, &byte, 1), 1);
}

/* Holds up the writer: opens, takes the write lock when told to, and lets it go when told to. */
static int hold_write_lock(void *ctx)
{
    const struct talk *talk = ctx;
    struct env *env;
    struct env_txn *txn;
    struct env_options options = {.dir = probe_path(dir, "v1"),
                                  .map_bytes = 64 * MIB,
                                  .n_tables = 8,
                                  .safety = ENV_DISPOSABLE};
    if (env_open(&options, &env, NULL) < 0)
        return 1;
    hear(talk->to_child[0]);
    if (env_begin(env, true, &txn) < 0)
        return 2;
    say(talk->to_parent[1]);
    hear(talk->to_child[0]);
    env_abort(txn);
    env_close(env);
    return 0;
}

static void what_is_offered_is_seen_at_once(void)
{
    struct talk talk;
    struct blob_id id = probe_blob(1);
    open_fresh();
    blocks_close(blocks);
    CHECK(pipe(talk.to_child) == 0 && pipe(talk.to_parent) == 0);
    pid_t pid = probe_start(hold_write_lock, &talk, 60);
    blocks = probe_open(dir, 64 * MIB);
    say(talk.to_child[1]);
    hear(talk.to_parent[0]); /* nothing can be written from here on */
    for (uint32_t i = 0; i < 8; i++) {
        CHECK(probe_offer_whole(blocks, 1, i));
        CHECK_EQ(probe_view_block(blocks, 1, i), BLOCK_BYTES);
    }
    CHECK_EQ(probe_view(blocks, 1, 1000, 7 * BLOCK_BYTES), 7 * BLOCK_BYTES);
    CHECK_EQ(blocks_run(blocks, &id, 5, 1000), 1000);
    CHECK_EQ(probe_stats(blocks).written, 0);
    CHECK_EQ(blocks_pending_bytes(blocks), 8 * BLOCK_BYTES);
    say(talk.to_child[1]);
    CHECK_EQ(probe_wait(pid), 0);
    blocks_flush(blocks);
    CHECK_EQ(probe_stats(blocks).written, 8);
    CHECK_EQ(blocks_pending_bytes(blocks), 0);
    for (int i = 0; i < 2; i++) {
        close(talk.to_child[i]);
        close(talk.to_parent[i]);
    }
    blocks_close(blocks);
}

static void what_is_written_is_there_again(void)
{
    open_fresh();
    for (uint32_t i = 0; i < 5; i++)
        CHECK(probe_offer_whole(blocks, 1, i));
    CHECK(probe_offer(blocks, 1, 5, 12345, ALL_PIECES)); /* the blob's last */
    open_again();
    CHECK_EQ(probe_view(blocks, 1, 0, 6 * BLOCK_BYTES), 5 * BLOCK_BYTES + 12345);
    CHECK_EQ(probe_view(blocks, 2, 0, 100), 0);
    CHECK_EQ(probe_stats(blocks).n_blocks, 6);
    blocks_close(blocks);
}

static void a_view_has_the_leading_bytes_that_are_here(void)
{
    static const struct {
        uint64_t off, len, seen;
    } cases[] = {
        {0, 1, 1},
        {0, PIECE_BYTES, PIECE_BYTES},
        {0, 3 * PIECE_BYTES, 2 * PIECE_BYTES},
        {PIECE_BYTES + 5, BLOCK_BYTES, PIECE_BYTES - 5},
        {2 * PIECE_BYTES, 1, 0},
        {3 * PIECE_BYTES, PIECE_BYTES, PIECE_BYTES},
        {3 * PIECE_BYTES - 1, 2, 0},
        {15 * PIECE_BYTES + 1, 2 * PIECE_BYTES, 2 * PIECE_BYTES},
        {15 * PIECE_BYTES, 8 * MIB, 3 * PIECE_BYTES},
        {BLOCK_BYTES, 10, 10},
        {BLOCK_BYTES + 2 * PIECE_BYTES, 10, 0},
        {2 * BLOCK_BYTES, 10, 0},
        {UINT64_C(1) << 51, 10, 0},
        {(BLOCK_BYTES << 32) + PIECE_BYTES, 10, 0}, /* no block number for that */
        {UINT64_MAX - 9, 9, 0},
    };
    open_fresh();
    CHECK(probe_offer(blocks, 1, 0, BLOCK_BYTES, 0x800b)); /* pieces 0, 1, 3, 15 */
    CHECK(probe_offer(blocks, 1, 1, BLOCK_BYTES, 0x0003));
    for (int written = 0; written < 2; written++) {
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            int64_t seen = probe_view(blocks, 1, cases[i].off, cases[i].len);
            if (seen != (int64_t)cases[i].seen)
                printf("# case %zu, written %d\n", i, written);
            CHECK_EQ(seen, cases[i].seen);
        }
        open_again();
    }
    blocks_close(blocks);
}

static void a_run_says_the_same_without_looking(void)
{
    struct blob_id id = probe_blob(1);
    open_fresh();
    CHECK(probe_offer(blocks, 1, 0, BLOCK_BYTES, 0x800b));
    for (int written = 0; written < 2; written++) {
        CHECK_EQ(blocks_run(blocks, &id, 0, BLOCK_BYTES), 2 * PIECE_BYTES);
        CHECK_EQ(blocks_run(blocks, &id, 7, 10), 10);
        CHECK_EQ(blocks_run(blocks, &id, PIECE_BYTES + 7, BLOCK_BYTES - PIECE_BYTES - 7),
                 PIECE_BYTES - 7);
        CHECK_EQ(blocks_run(blocks, &id, 2 * PIECE_BYTES, 10), 0);
        CHECK_EQ(blocks_run(blocks, &id, 15 * PIECE_BYTES, PIECE_BYTES), PIECE_BYTES);
        CHECK_EQ(blocks_run(blocks, &id, BLOCK_BYTES, 10), 0);
        open_again();
    }
    blocks_close(blocks);
}

static void pieces_merge(void)
{
    open_fresh();
    for (unsigned i = 0; i < BLOCK_PIECES; i++) {
        unsigned piece = i * 7 % BLOCK_PIECES;
        CHECK(probe_offer(blocks, 1, 3, BLOCK_BYTES, (uint16_t)(1u << piece)));
        if (i % 3 == 0)
            blocks_flush(blocks);
        if (i == 8)
            open_again();
        CHECK_EQ(probe_view(blocks, 1, 3 * BLOCK_BYTES + piece * PIECE_BYTES, 100), 100);
    }
    CHECK_EQ(probe_view_block(blocks, 1, 3), BLOCK_BYTES);
    open_again();
    CHECK_EQ(probe_view_block(blocks, 1, 3), BLOCK_BYTES);
    CHECK_EQ(probe_stats(blocks).n_blocks, 1);
    blocks_close(blocks);
}

static void what_is_offered_twice_is_stored_once(void)
{
    open_fresh();
    for (int i = 0; i < 20; i++)
        CHECK(probe_offer_whole(blocks, 1, 0));
    blocks_flush(blocks);
    CHECK_EQ(probe_stats(blocks).n_blocks, 1);
    CHECK_EQ(probe_view_block(blocks, 1, 0), BLOCK_BYTES);
    CHECK(!probe_offer(blocks, 1, 1, BLOCK_BYTES, 0)); /* nothing in it */
    CHECK_EQ(probe_stats(blocks).dropped_offers, 1);
    blocks_close(blocks);
}

static void present_bytes_are_counted(void)
{
    struct blob_id id = probe_blob(1);
    open_fresh();
    CHECK(probe_offer_whole(blocks, 1, 0));
    CHECK(probe_offer(blocks, 1, 2, BLOCK_BYTES, 0x0101));
    CHECK(probe_offer(blocks, 1, 3, 1000, 1));
    CHECK(probe_offer_whole(blocks, 2, 0));
    blocks_flush(blocks);
    CHECK_EQ(blocks_present_bytes(blocks, &id, UINT64_MAX), BLOCK_BYTES + 2 * PIECE_BYTES + 1000);
    CHECK_EQ(blocks_present_bytes(blocks, &id, 500), 500);
    blocks_close(blocks);
}

static void a_dropped_blob_is_gone_and_others_stay(void)
{
    struct blob_id id = probe_blob(2);
    open_fresh();
    for (uint32_t i = 0; i < 8; i++)
        for (uint64_t n = 1; n <= 3; n++)
            CHECK(probe_offer(blocks, n, i, BLOCK_BYTES, 1));
    for (uint32_t i = 0; i < 600; i++) /* more than one transaction drops */
        CHECK(probe_offer(blocks, 2, 100 + i, 10, 1));
    CHECK_EQ(blocks_drop(blocks, &id), 0);
    CHECK_EQ(blocks_drop(blocks, &id), 0);
    CHECK_EQ(blocks_present_bytes(blocks, &id, UINT64_MAX), 0);
    for (uint32_t i = 0; i < 8; i++) {
        CHECK_EQ(probe_view_block(blocks, 1, i), PIECE_BYTES);
        CHECK_EQ(probe_view_block(blocks, 2, i), 0);
        CHECK_EQ(probe_view_block(blocks, 3, i), PIECE_BYTES);
    }
    CHECK_EQ(probe_stats(blocks).n_blocks, 16);
    blocks_close(blocks);
}

/* A view's bytes are not overwritten while it lives. */
static void a_view_keeps_its_bytes_while_the_cache_goes_on(void)
{
    struct blob_id id = probe_blob(1);
    struct blocks_view view;
    open_fresh();
    CHECK(probe_offer_whole(blocks, 1, 0));
    open_again();
    CHECK_EQ(blocks_view(blocks, &id, 0, BLOCK_BYTES, &view), 1);
    CHECK_EQ(blocks_drop(blocks, &id), 0);
    for (uint32_t i = 0; i < 100; i++) {
        probe_offer_whole(blocks, 2, i);
        blocks_flush(blocks);
    }
    CHECK_EQ(view.n_pieces, 1);
    CHECK(probe_is_right(1, 0, view.piece[0].iov_base, view.piece[0].iov_len));
    blocks_view_end(&view);
    CHECK_EQ(probe_view_block(blocks, 1, 0), 0);
    blocks_close(blocks);
}

static void two_processes_share_one_cache(void)
{
    open_fresh();
    blocks_close(blocks);
    pid_t pid = fork();
    if (pid == 0) {
        blocks = probe_open(dir, 64 * MIB);
        for (uint32_t i = 0; blocks && i < 20; i++)
            probe_offer_whole(blocks, 7, i);
        blocks_close(blocks);
        _exit(0);
    }
    blocks = probe_open(dir, 64 * MIB);
    for (uint32_t i = 0; i < 20; i++)
        CHECK(probe_offer_whole(blocks, 8, i));
    CHECK_EQ(probe_wait(pid), 0);
    blocks_flush(blocks);
    for (uint32_t i = 0; i < 20; i++) {
        CHECK_EQ(probe_view_block(blocks, 7, i), BLOCK_BYTES);
        CHECK_EQ(probe_view_block(blocks, 8, i), BLOCK_BYTES);
    }
    blocks_close(blocks);
}

static void *work(void *ctx)
{
    uint64_t seed = (uintptr_t)ctx, wrong = 0;
    for (int i = 0; i < (PROBE_SLOW ? 150 : 600); i++) {
        uint64_t n = probe_random(&seed) % 4;
        uint32_t block = (uint32_t)(probe_random(&seed) % 30);
        uint16_t present = (uint16_t)(probe_random(&seed) | 1);
        if (i % 3 == 0)
            probe_offer(blocks, n, block, BLOCK_BYTES, present);
        else
            wrong += probe_view(blocks, n, block * BLOCK_BYTES + present, 2 * BLOCK_BYTES) < 0;
        struct blob_id id = probe_blob(n);
        if (i % 101 == 0)
            blocks_drop(blocks, &id);
        if (i % 50 == 0)
            blocks_present_bytes(blocks, &id, MIB);
    }
    return (void *)(uintptr_t)wrong;
}

static void threads_may_work_at_once(void)
{
    open_fresh();
    pthread_t threads[6];
    for (uintptr_t i = 0; i < 6; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
    for (int i = 0; i < 6; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        CHECK_EQ((uintptr_t)wrong, 0);
    }
    CHECK(!probe_stats(blocks).failed);
    CHECK_EQ(probe_stats(blocks).damaged, 0);
    blocks_close(blocks);
}

int main(void)
{
    probe_dir_make(top);
    TEST("an empty cache misses", an_empty_cache_misses);
    TEST("what is offered is seen at once", what_is_offered_is_seen_at_once);
    TEST("what is written is there again", what_is_written_is_there_again);
    TEST("a view has the leading bytes that are here", a_view_has_the_leading_bytes_that_are_here);
    TEST("a run says the same without looking", a_run_says_the_same_without_looking);
    TEST("pieces merge", pieces_merge);
    TEST("what is offered twice is stored once", what_is_offered_twice_is_stored_once);
    TEST("present bytes are counted", present_bytes_are_counted);
    TEST("a dropped blob is gone, and others stay", a_dropped_blob_is_gone_and_others_stay);
    TEST("a view keeps its bytes while the cache goes on",
         a_view_keeps_its_bytes_while_the_cache_goes_on);
    TEST("two processes share one cache", two_processes_share_one_cache);
    TEST("threads may work at once", threads_may_work_at_once);
    probe_dir_remove(top);
    return check_done();
}
