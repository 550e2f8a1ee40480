/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache's calls cost on this machine, to measure a change by:
 *
 *     cachespeed open  DIR LIMIT             a large cache, as bigcache makes one: opens it, looks,
 *                                            writes, counts; how long each took, and what was read
 *     cachespeed write DIR LIMIT MIB [MIXED] offers so many MiB of blocks, as fast as they are
 *                                            taken; MIXED: a part of them in pieces first
 *     cachespeed drop  DIR LIMIT MIB BLOBS   drops blobs of a cache that bigcache made, then writes
 *     cachespeed view  DIR LIMIT MIB THREADS looks at 128 KiB here and there of what `write` left
 *     cachespeed run   DIR LIMIT MIB         asks for what is there, block by block
 *
 * LIMIT is in bytes. Sizes are in MiB, times of the processor are in seconds for a GiB. */
#include "../unit/sparse_cache.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <time.h>

#include "cache/blocks.h"

enum { N_BUFS = 64, VIEW_BYTES = 128 << 10, N_VIEWS = 200000 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static uint64_t read_bytes(void)
{
    char line[64];
    unsigned long long n = 0;
    FILE *io = fopen("/proc/self/io", "r");
    while (io && fgets(line, sizeof(line), io))
        sscanf(line, "read_bytes: %llu", &n);
    if (io)
        fclose(io);
    return n;
}

static uint64_t random_next(uint64_t *state)
{
    return *state = XXH3_64bits(state, sizeof(*state));
}

/* --- buffers, used again and again as the mount does --- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t returned = PTHREAD_COND_INITIALIZER;
static struct block_buf *idle[N_BUFS];
static int n_idle;

static void give_back(struct block_buf *buf)
{
    pthread_mutex_lock(&mutex);
    idle[n_idle++] = buf;
    pthread_cond_signal(&returned);
    pthread_mutex_unlock(&mutex);
}

static struct block_buf *take_buf(void)
{
    pthread_mutex_lock(&mutex);
    while (n_idle == 0)
        pthread_cond_wait(&returned, &mutex);
    struct block_buf *buf = idle[--n_idle];
    pthread_mutex_unlock(&mutex);
    buf->refs = 1;
    return buf;
}

static void make_bufs(void)
{
    uint64_t seed = 1;
    for (int i = 0; i < N_BUFS; i++) {
        struct block_buf *buf = calloc(1, sizeof(*buf));
        buf->data = malloc(BLOCK_BYTES);
        buf->release = give_back;
        for (uint64_t at = 0; at < BLOCK_BYTES; at += 8) {
            uint64_t word = random_next(&seed);
            memcpy(buf->data + at, &word, 8);
        }
        give_back(buf);
    }
}

/* --- the measurements --- */

static void step(const char *what, double *since, uint64_t *read_before)
{
    double now = now_s();
    uint64_t bytes = read_bytes();
    printf("%-16s %9.3f ms %9" PRIu64 " KiB read\n", what, (now - *since) * 1e3,
           (bytes - *read_before) >> 10);
    *read_before = bytes;
    *since = now_s();
}

static int look(struct blocks *blocks, uint64_t n)
{
    struct blocks_view view;
    struct blob_id blob = sparse_blob(n / SPARSE_BLOB_BLOCKS);
    if (!blocks_view(blocks, &blob, n % SPARSE_BLOB_BLOCKS * BLOCK_BYTES, VIEW_BYTES, &view))
        return 0;
    blocks_view_end(&view);
    return 1;
}

static void offer(struct blocks *blocks, uint64_t n, uint16_t present)
{
    struct block_buf *buf = take_buf();
    buf->blob = sparse_blob(n / SPARSE_BLOB_BLOCKS);
    buf->block = (uint32_t)(n % SPARSE_BLOB_BLOCKS);
    buf->len = BLOCK_BYTES;
    buf->present = present;
    memcpy(buf->data, &n, sizeof(n));
    blocks_offer(blocks, buf);
    block_buf_unref(buf);
}

static void measure_open(const struct blocks_options *options)
{
    double since = now_s();
    uint64_t before = read_bytes();
    struct blocks *blocks;
    struct blocks_stats stats;
    if (blocks_open(options, &blocks) < 0)
        exit(1);
    step("open", &since, &before);
    printf("found: %d\n", look(blocks, SPARSE_BLOB_BLOCKS / 2));
    step("first view", &since, &before);
    blocks_get_stats(blocks, &stats);
    step("stats", &since, &before);
    struct blob_id blob = sparse_blob(1);
    blocks_present_bytes(blocks, &blob, UINT64_MAX);
    step("present bytes", &since, &before);
    offer(blocks, UINT32_MAX, 0xffff);
    blocks_flush(blocks);
    step("first write", &since, &before);
    offer(blocks, UINT32_MAX - 1, 0xffff);
    blocks_flush(blocks);
    step("second write", &since, &before);
    blocks_close(blocks);
    step("close", &since, &before);
    printf("blocks %" PRIu64 ", file %" PRIu64 " MiB\n", stats.n_blocks, stats.file_bytes >> 20);
}

/* One line for each limit's worth. */
static void measure_write(const struct blocks_options *options, uint64_t n_blocks, bool mixed)
{
    struct blocks *blocks;
    struct blocks_stats stats;
    if (blocks_open(options, &blocks) < 0)
        exit(1);
    uint64_t part = options->limit_bytes / BLOCK_BYTES, seed = 1;
    double since = now_s(), cpu = cpu_s();
    for (uint64_t n = 0; n < n_blocks; n++) {
        if (mixed && random_next(&seed) % 4 == 0)
            offer(blocks, n, (uint16_t)(seed >> 32 | 1));
        offer(blocks, n, 0xffff);
        if ((n + 1) % part && n + 1 < n_blocks)
            continue;
        blocks_flush(blocks);
        blocks_get_stats(blocks, &stats);
        double gib = (double)(n % part + 1) / 1024;
        printf("%7" PRIu64 " MiB: %7.0f MiB/s, %.3f s/GiB, file %" PRIu64 " MiB, used %" PRIu64
               ", given up %" PRIu64 "\n",
               n + 1, gib * 1024 / (now_s() - since), (cpu_s() - cpu) / gib, stats.file_bytes >> 20,
               stats.used_bytes >> 20, stats.dropped_offers);
        fflush(stdout);
        since = now_s();
        cpu = cpu_s();
    }
    blocks_close(blocks);
    printf("closed: %.3f s, cpu %.3f s\n", now_s() - since, cpu_s() - cpu);
}

/* What is free then is in very many runs. */
static void measure_drop(const struct blocks_options *options, uint64_t n_blocks, int n_blobs)
{
    struct blocks *blocks;
    if (blocks_open(options, &blocks) < 0)
        exit(1);
    double since = now_s(), cpu = cpu_s();
    for (int i = 0; i < n_blobs; i++) {
        struct blob_id blob = sparse_blob((uint64_t)i);
        blocks_drop(blocks, &blob);
    }
    printf("%d dropped: %.3f s, cpu %.3f s\n", n_blobs, now_s() - since, cpu_s() - cpu);
    blocks_close(blocks);
    measure_write(options, n_blocks, false);
}

struct viewer {
    struct blocks *blocks;
    uint64_t n_blocks, seed, n_hits;
};

static void *view_many(void *ctx)
{
    struct viewer *viewer = ctx;
    for (int i = 0; i < N_VIEWS; i++)
        viewer->n_hits += look(viewer->blocks, random_next(&viewer->seed) % viewer->n_blocks);
    return NULL;
}

static void measure_view(const struct blocks_options *options, uint64_t n_blocks, int n_threads)
{
    struct blocks *blocks;
    pthread_t threads[64];
    struct viewer viewers[64];
    if (n_threads > 64 || blocks_open(options, &blocks) < 0)
        exit(1);
    for (uint64_t n = 0; n < n_blocks; n++) /* checksums */
        look(blocks, n);
    double since = now_s(), cpu = cpu_s();
    for (int i = 0; i < n_threads; i++) {
        viewers[i] = (struct viewer){blocks, n_blocks, (uint64_t)i, 0};
        pthread_create(&threads[i], NULL, view_many, &viewers[i]);
    }
    uint64_t n_hits = 0;
    for (int i = 0; i < n_threads; i++) {
        pthread_join(threads[i], NULL);
        n_hits += viewers[i].n_hits;
    }
    double n = (double)N_VIEWS * n_threads;
    printf("%d threads: %.3f us a view, %.3f us of cpu, %.0f%% hits\n", n_threads,
           (now_s() - since) / n * 1e6, (cpu_s() - cpu) / n * 1e6, 100 * (double)n_hits / n);
    blocks_close(blocks);
}

static void measure_run(const struct blocks_options *options, uint64_t n_blocks)
{
    struct blocks *blocks;
    if (blocks_open(options, &blocks) < 0)
        exit(1);
    uint64_t bytes = 0, n = 0;
    double cpu = cpu_s();
    for (int round = 0; round < 100; round++)
        for (uint64_t i = 0; i < n_blocks; i++, n++) {
            struct blob_id blob = sparse_blob(i / SPARSE_BLOB_BLOCKS);
            bytes += blocks_run(blocks, &blob, i % SPARSE_BLOB_BLOCKS * BLOCK_BYTES, BLOCK_BYTES);
        }
    printf("%.3f us a block, %" PRIu64 " MiB\n", (cpu_s() - cpu) / (double)n * 1e6, bytes >> 20);
    blocks_close(blocks);
}

int main(int argc, char **argv)
{
    const char *what = argc > 3 ? argv[1] : "";
    uint64_t n_blocks = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    struct blocks_options options = {.min_free_bytes = UINT64_C(1) << 30};
    if (argc > 3) {
        options.dir = argv[2];
        options.limit_bytes = strtoull(argv[3], NULL, 10);
    }
    make_bufs();
    if (strcmp(what, "open") == 0)
        measure_open(&options);
    else if (strcmp(what, "write") == 0 && n_blocks)
        measure_write(&options, n_blocks, argc > 5);
    else if (strcmp(what, "drop") == 0 && n_blocks && argc > 5)
        measure_drop(&options, n_blocks, atoi(argv[5]));
    else if (strcmp(what, "view") == 0 && n_blocks && argc > 5)
        measure_view(&options, n_blocks, atoi(argv[5]));
    else if (strcmp(what, "run") == 0 && n_blocks)
        measure_run(&options, n_blocks);
    else
        return fprintf(stderr, "usage: see the top of cachespeed.c\n"), 2;
    return 0;
}
