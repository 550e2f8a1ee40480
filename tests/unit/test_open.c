/* SPDX-License-Identifier: Apache-2.0 */
/* Opening costs the same however large the cache is, also after a kill: counted in pages of the
 * data file that were touched, and in bytes that were read beside them. */
#include "cache/blocks.h"

#include <sys/mman.h>

#include "blocks_probe.h"
#include "sparse_cache.h"

enum { LARGE_BLOCKS = 3 * 1024, SMALL_BLOCKS = 64, MOST_TOUCHED_KIB = 256, PAGE_BYTES = 4096 };

static char top[PATH_MAX], dir[2 * PATH_MAX];

/* KiB of data files that this process has mapped and touched (with their neighbours in memory, up
 * to 64 KiB each). */
static long touched_kib(void)
{
    char line[2 * PATH_MAX];
    long sum = 0, kib;
    bool ours = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    while (maps && fgets(line, sizeof(line), maps)) {
        if (strchr(line, '-') && strchr(line, ' ') && strchr(line, '-') < strchr(line, ' '))
            ours = strstr(line, "/v1/data.mdb") != NULL;
        if (ours && sscanf(line, "Rss: %ld kB", &kib) == 1)
            sum += kib;
    }
    if (maps)
        fclose(maps);
    return maps ? sum : -1;
}

/* Bytes that this process got from read() and its like. */
static long long read_bytes(void)
{
    long long n = -1;
    FILE *io = fopen("/proc/self/io", "r");
    if (!io || fscanf(io, "rchar: %lld", &n) != 1)
        n = -1;
    if (io)
        fclose(io);
    return n;
}

/* Opens the cache. *out_kib, *out_bytes: what that touched and read. */
static struct blocks *open_counted(uint64_t n_blocks, long *out_kib, long long *out_bytes)
{
    long long before = read_bytes();
    struct blocks *blocks = probe_open(dir, sparse_limit_bytes(n_blocks));
    *out_bytes = read_bytes() - before;
    *out_kib = touched_kib();
    return blocks;
}

static bool make(const char *name, uint64_t n_blocks)
{
    snprintf(dir, sizeof(dir), "%s/%s", top, name);
    return sparse_make(dir, n_blocks) == 0;
}

static bool has_block(struct blocks *blocks, uint64_t n)
{
    struct blocks_view view;
    struct blob_id blob = sparse_blob(n / SPARSE_BLOB_BLOCKS);
    uint64_t off = n % SPARSE_BLOB_BLOCKS * BLOCK_BYTES;
    bool hit = blocks_view(blocks, &blob, off, BLOCK_BYTES, &view) == 1;
    if (!hit)
        return false;
    static const uint8_t zeros[BLOCK_BYTES];
    hit = view.len == BLOCK_BYTES && memcmp(view.piece[0].iov_base, zeros, BLOCK_BYTES) == 0;
    blocks_view_end(&view);
    return hit;
}

static void opening_touches_as_much_of_a_large_cache_as_of_a_small_one(void)
{
    long kib, large_kib;
    long long bytes, large_bytes;
    CHECK(make("small", SMALL_BLOCKS));
    struct blocks *blocks = open_counted(SMALL_BLOCKS, &kib, &bytes);
    CHECK(has_block(blocks, SMALL_BLOCKS - 1));
    blocks_close(blocks);
    CHECK_EQ(touched_kib(), 0);
    CHECK(make("large", LARGE_BLOCKS));
    blocks = open_counted(LARGE_BLOCKS, &large_kib, &large_bytes);
    CHECK_EQ(probe_stats(blocks).n_blocks, LARGE_BLOCKS);
    CHECK(large_kib > 0 && large_kib <= MOST_TOUCHED_KIB);
    CHECK(bytes > 0 && large_bytes <= bytes + 4096);
    CHECK(has_block(blocks, LARGE_BLOCKS - 1));
    CHECK(has_block(blocks, LARGE_BLOCKS / 3));
    blocks_close(blocks);
}

/* So that the count above would show a walk over all tables; and nothing of it is lost. */
static void the_first_write_looks_at_all_tables(void)
{
    long kib;
    long long bytes;
    struct blocks *blocks = open_counted(LARGE_BLOCKS, &kib, &bytes);
    CHECK(probe_offer_whole(blocks, 1, 0));
    blocks_flush(blocks);
    CHECK(touched_kib() > 4 * MOST_TOUCHED_KIB);
    CHECK_EQ(probe_view_block(blocks, 1, 0), BLOCK_BYTES);
    struct blocks_stats stats = probe_stats(blocks);
    CHECK(!stats.failed);
    CHECK_EQ(stats.n_blocks, LARGE_BLOCKS + 1);
    CHECK_EQ(stats.evicted, 0);
    blocks_close(blocks);
}

static int write_and_die(void *ctx)
{
    (void)ctx;
    struct blocks *blocks = probe_open(dir, sparse_limit_bytes(LARGE_BLOCKS));
    CHECK(probe_offer_whole(blocks, 2, 0));
    blocks_flush(blocks);
    raise(SIGKILL);
    return 0;
}

static void opening_after_a_kill_touches_no_more(void)
{
    long kib;
    long long bytes;
    CHECK_EQ(probe_run(write_and_die, NULL, 60), -SIGKILL);
    struct blocks *blocks = open_counted(LARGE_BLOCKS, &kib, &bytes);
    CHECK(kib > 0 && kib <= MOST_TOUCHED_KIB);
    CHECK_EQ(probe_view_block(blocks, 2, 0), BLOCK_BYTES);
    CHECK(has_block(blocks, 0));
    blocks_close(blocks);
}

/* Pages of the data file that are in memory, whoever brought them. */
static long cached_pages(void)
{
    int fd = open(probe_path(dir, "v1/data.mdb"), O_RDONLY | O_CLOEXEC);
    size_t size = (size_t)probe_size(probe_path(dir, "v1/data.mdb")), n = size / PAGE_BYTES;
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    uint8_t *state = calloc(n, 1);
    long sum = 0;
    CHECK_EQ(mincore(map, size, state), 0);
    for (size_t i = 0; i < n; i++)
        sum += state[i] & 1;
    free(state);
    munmap(map, size);
    close(fd);
    return sum;
}

/* Writes the data file to the disk and forgets its pages. False on file systems in memory. */
static bool forget_pages(void)
{
    int fd = open(probe_path(dir, "v1/data.mdb"), O_RDWR | O_CLOEXEC);
    CHECK_EQ(fsync(fd), 0);
    CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    close(fd);
    return cached_pages() < 8;
}

/* However much the disk likes to read around a fault. */
static void a_view_brings_what_it_shows_and_the_tables_pages(void)
{
    CHECK(make("cold", SMALL_BLOCKS));
    if (!forget_pages()) {
        printf("# skipped: %s is in memory\n", top);
        return;
    }
    struct blocks *blocks = probe_open(dir, sparse_limit_bytes(SMALL_BLOCKS));
    struct blob_id blob = sparse_blob(0);
    struct blocks_view view;
    long opened = cached_pages();
    CHECK_EQ(blocks_view(blocks, &blob, 7 * BLOCK_BYTES + BLOCK_BYTES / 2, PIECE_BYTES, &view), 1);
    CHECK_EQ(view.len, PIECE_BYTES);
    blocks_view_end(&view);
    long brought = cached_pages() - opened;
    CHECK(brought >= (long)(PIECE_BYTES / PAGE_BYTES));
    CHECK(brought <= (long)(PIECE_BYTES / PAGE_BYTES) + 8); /* its header, leaves */
    blocks_close(blocks);
}

static void who_asks_what_is_there_has_it_read(void)
{
    CHECK(make("asked", SMALL_BLOCKS));
    if (!forget_pages()) {
        printf("# skipped: %s is in memory\n", top);
        return;
    }
    struct blocks *blocks = probe_open(dir, sparse_limit_bytes(SMALL_BLOCKS));
    struct blob_id blob = sparse_blob(0);
    long wanted = cached_pages() + (long)(BLOCK_BYTES / PAGE_BYTES);
    CHECK_EQ(blocks_run(blocks, &blob, 9 * BLOCK_BYTES, BLOCK_BYTES), BLOCK_BYTES);
    for (int i = 0; i < 5000 && cached_pages() < wanted; i++) /* nobody waits for it */
        probe_sleep_us(1000);
    CHECK(cached_pages() >= wanted);
    blocks_close(blocks);
}

enum { N_OPENERS = 6, N_ROUNDS = 20 };

static int open_and_put(void *ctx)
{
    uint64_t blob = *(const uint64_t *)ctx;
    struct blocks *blocks = probe_open(dir, 32 * MIB);
    CHECK(blocks != NULL);
    if (!blocks)
        return 1;
    CHECK(probe_offer_whole(blocks, blob, 0));
    blocks_flush(blocks);
    CHECK(!probe_stats(blocks).failed);
    blocks_close(blocks);
    return 0;
}

static void who_open_a_fresh_cache_at_once_share_it(void)
{
    for (int round = 0; round < N_ROUNDS; round++) {
        uint64_t blobs[N_OPENERS];
        pid_t openers[N_OPENERS];
        snprintf(dir, sizeof(dir), "%s/fresh%d", top, round);
        for (uint64_t i = 0; i < N_OPENERS; i++) {
            blobs[i] = i;
            openers[i] = probe_start(open_and_put, &blobs[i], 60);
        }
        for (int i = 0; i < N_OPENERS; i++)
            CHECK_EQ(probe_wait(openers[i]), 0);
        struct blocks *blocks = probe_open(dir, 32 * MIB);
        for (uint64_t i = 0; i < N_OPENERS; i++)
            CHECK_EQ(probe_view_block(blocks, i, 0), BLOCK_BYTES);
        blocks_close(blocks);
    }
}

int main(void)
{
    probe_dir_make(top);
    TEST("opening touches as much of a large cache as of a small one",
         opening_touches_as_much_of_a_large_cache_as_of_a_small_one);
    TEST("the first write looks at all tables", the_first_write_looks_at_all_tables);
    TEST("opening after a kill touches no more", opening_after_a_kill_touches_no_more);
    TEST("a view brings what it shows and the tables' pages",
         a_view_brings_what_it_shows_and_the_tables_pages);
    TEST("who open a fresh cache at once share it", who_open_a_fresh_cache_at_once_share_it);
    TEST("who asks what is there has it read", who_asks_what_is_there_has_it_read);
    probe_dir_remove(top);
    return check_done();
}
