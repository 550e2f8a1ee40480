/* SPDX-License-Identifier: Apache-2.0 */
/* A process that is killed at any moment of its writing loses nothing that was committed, and what
 * is there afterwards is right, byte by byte. A machine that goes down loses the cache. */
#include "cache/blocks.h"

#include "cache/meta.h"

#include <dirent.h>
#include <sys/mman.h>

#include "blocks_probe.h"

enum { N_BLOBS = 3, N_BLOCKS = 40, ROUNDS = PROBE_SLOW ? 8 : 24, SLOWER = PROBE_SLOW ? 6 : 1 };

static char top[PATH_MAX], dir[2 * PATH_MAX];
static int n_dirs;
static const uint64_t limit_bytes = 32 * MIB;

static void fresh_dir(void)
{
    snprintf(dir, sizeof(dir), "%s/%d", top, n_dirs++);
}

/* What the writing process says, in memory that outlives it. */
struct said {
    _Atomic uint64_t flushed; /* the block that was flushed last, counted from 1 */
};

struct job {
    uint64_t seed;
    struct said *said;
};

/* Puts until it is killed: pieces, whole blocks, small records, now and then a drop. */
static int put_until_killed(void *ctx)
{
    struct job *job = ctx;
    struct blocks *blocks = probe_open(dir, limit_bytes);
    if (!blocks)
        return 1;
    for (uint64_t i = 0;; i++) {
        uint64_t n = probe_random(&job->seed) % N_BLOBS;
        uint32_t block = (uint32_t)(probe_random(&job->seed) % N_BLOCKS);
        probe_offer(blocks, n, block, BLOCK_BYTES, (uint16_t)probe_random(&job->seed));
        struct blob_id id = probe_blob(n);
        if (i % 37 == 36)
            blocks_drop(blocks, &id);
        if (i % 5 == 4)
            meta_put(blocks_meta(blocks), "k", &i, sizeof(i));
        if (i % 11 == 10)
            blocks_pin(blocks, &id, i % 2);
    }
}

static void check_all_bytes(struct blocks *blocks)
{
    int64_t n_there = 0;
    for (uint64_t n = 0; n < N_BLOBS; n++)
        for (uint32_t block = 0; block < N_BLOCKS; block++)
            for (unsigned piece = 0; piece < BLOCK_PIECES; piece++) {
                uint64_t off = block * BLOCK_BYTES + piece * PIECE_BYTES;
                int64_t seen = probe_view(blocks, n, off, PIECE_BYTES);
                CHECK(seen == 0 || seen == (int64_t)PIECE_BYTES);
                n_there += seen;
            }
    struct blocks_stats stats = probe_stats(blocks);
    CHECK(n_there > 0);
    CHECK_EQ(stats.damaged, 0);
    CHECK(!stats.failed);
}

static void what_is_there_after_a_kill_is_right(void)
{
    fresh_dir();
    uint64_t seed = 11;
    for (int round = 0; round < ROUNDS; round++) {
        struct job job = {.seed = (uint64_t)round};
        pid_t pid = probe_start(put_until_killed, &job, 60);
        probe_sleep_us(SLOWER * (long)(20000 + probe_random(&seed) % 60000));
        kill(pid, SIGKILL);
        CHECK_EQ(probe_wait(pid), -SIGKILL);
        struct blocks *blocks = probe_open(dir, limit_bytes);
        CHECK(blocks);
        if (round > 2) /* enough was written for the checks to mean something */
            check_all_bytes(blocks);
        CHECK(probe_offer_whole(blocks, 0, 0));
        blocks_flush(blocks);
        CHECK_EQ(probe_view_block(blocks, 0, 0), BLOCK_BYTES);
        CHECK(probe_data_bytes(dir) <= (int64_t)limit_bytes);
        blocks_close(blocks);
    }
}

/* Both are killed while they write, one while it holds the write lock, most likely. */
static void two_that_are_killed_leave_it_right(void)
{
    fresh_dir();
    uint64_t seed = 12;
    for (int round = 0; round < ROUNDS / 2; round++) {
        struct job one = {.seed = (uint64_t)round}, two = {.seed = 1000 + (uint64_t)round};
        pid_t a = probe_start(put_until_killed, &one, 60);
        pid_t b = probe_start(put_until_killed, &two, 60);
        probe_sleep_us(SLOWER * (long)(30000 + probe_random(&seed) % 60000));
        kill(a, SIGKILL);
        probe_sleep_us((long)(probe_random(&seed) % 20000)); /* the other one goes on alone */
        kill(b, SIGKILL);
        CHECK_EQ(probe_wait(a), -SIGKILL);
        CHECK_EQ(probe_wait(b), -SIGKILL);
        struct blocks *blocks = probe_open(dir, limit_bytes);
        CHECK(blocks);
        if (round > 1)
            check_all_bytes(blocks);
        blocks_close(blocks);
    }
}

static int put_in_order(void *ctx)
{
    struct job *job = ctx;
    struct blocks *blocks = probe_open(dir, 64 * MIB);
    for (uint32_t i = 0; blocks && i < 48; i++) {
        probe_offer_whole(blocks, 1, i);
        blocks_flush(blocks);
        job->said->flushed = i + 1;
    }
    pause();
    return 1;
}

static void what_was_flushed_is_not_lost(void)
{
    struct said *said =
        mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t seed = 13;
    for (int round = 0; round < ROUNDS / 4; round++) {
        fresh_dir();
        struct job job = {.said = said};
        said->flushed = 0;
        pid_t pid = probe_start(put_in_order, &job, 60);
        while (said->flushed == 0)
            probe_sleep_us(500);
        probe_sleep_us((long)(probe_random(&seed) % 40000));
        kill(pid, SIGKILL);
        CHECK_EQ(probe_wait(pid), -SIGKILL);
        struct blocks *blocks = probe_open(dir, 64 * MIB);
        for (uint32_t i = 0; i < said->flushed; i++)
            CHECK_EQ(probe_view_block(blocks, 1, i), BLOCK_BYTES);
        blocks_close(blocks);
    }
    munmap(said, sizeof(*said));
}

/* Gives the marks in the cache's folder to another boot. Returns how many there were. */
static int age_marks(void)
{
    char v1[3 * PATH_MAX], from[4 * PATH_MAX], to[4 * PATH_MAX];
    snprintf(v1, sizeof(v1), "%s/v1", dir);
    DIR *entries = opendir(v1);
    int n = 0;
    for (struct dirent *e; (e = readdir(entries)) != NULL;) {
        if (strncmp(e->d_name, "unsynced-", 9) != 0)
            continue;
        snprintf(from, sizeof(from), "%s/%s", v1, e->d_name);
        snprintf(to, sizeof(to), "%s/unsynced-00000000-1111-2222-3333-444444444444-1-%d", v1, n++);
        CHECK_EQ(rename(from, to), 0);
    }
    closedir(entries);
    return n;
}

static void a_cache_that_was_not_synced_before_another_boot_is_dropped(void)
{
    struct said *said =
        mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct job job = {.said = said};
    fresh_dir();
    pid_t pid = probe_start(put_in_order, &job, 60);
    while (said->flushed < 5)
        probe_sleep_us(500);
    kill(pid, SIGKILL);
    CHECK_EQ(probe_wait(pid), -SIGKILL);
    CHECK_EQ(age_marks(), 1);
    struct blocks *blocks = probe_open(dir, 64 * MIB);
    CHECK_EQ(probe_view_block(blocks, 1, 0), 0);
    CHECK_EQ(probe_stats(blocks).n_blocks, 0);
    CHECK(probe_offer_whole(blocks, 1, 0));
    blocks_close(blocks);
    CHECK_EQ(age_marks(), 0);
    blocks = probe_open(dir, 64 * MIB); /* dropped once, not for ever */
    CHECK_EQ(probe_view_block(blocks, 1, 0), BLOCK_BYTES);
    blocks_close(blocks);
    munmap(said, sizeof(*said));
}

static void a_cache_that_was_closed_outlives_a_boot(void)
{
    fresh_dir();
    struct blocks *blocks = probe_open(dir, 64 * MIB);
    CHECK(probe_offer_whole(blocks, 1, 0));
    blocks_flush(blocks);
    blocks_close(blocks);
    CHECK_EQ(age_marks(), 0);
    blocks = probe_open(dir, 64 * MIB);
    CHECK_EQ(probe_view_block(blocks, 1, 0), BLOCK_BYTES);
    blocks_close(blocks);
}

int main(void)
{
    probe_dir_make(top);
    TEST("what is there after a kill is right", what_is_there_after_a_kill_is_right);
    TEST("two that are killed leave it right", two_that_are_killed_leave_it_right);
    TEST("what was flushed is not lost", what_was_flushed_is_not_lost);
    TEST("a cache that was not synced before another boot is dropped",
         a_cache_that_was_not_synced_before_another_boot_is_dropped);
    TEST("a cache that was closed outlives a boot", a_cache_that_was_closed_outlives_a_boot);
    probe_dir_remove(top);
    return check_done();
}
