/* SPDX-License-Identifier: Apache-2.0 */
/* A recorded trace, read again on a simulated link, so that it can be seen what the read-ahead of
 * today makes of it: virtual time, no threads, the same figures everywhere.
 *
 * A read begins when all that had ended before it began in the recording have ended here, and as
 * long after the last of them as then, for that is how long the program was busy; but MAX_THINK_MS
 * at most, since it may have waited for its user. Reads begin in the order of the recording. One
 * that finds its bytes ends at once, so a program is never slower than its link. */
#pragma once

#include <assert.h>
#include <stdio.h>

#include "read/trace.h"
#include "reader_sim.h"

#define MAX_THINK_MS 5.0

struct replay_read {
    uint32_t file;
    uint64_t off, len;
    int64_t began_us, ended_us; /* in the recording; ended is behind begun */
    size_t n_before;            /* so many had ended before */
    double think_ms;
    bool has_begun, has_ended;
    double start_ms, end_ms;
};

struct replay {
    struct sim *sim;
    struct reader_sim *files;
    size_t n_files;
    struct replay_read *reads; /* in the order in which they began */
    struct replay_read **ends; /* in the order in which they ended */
    size_t n_reads;
    size_t n_begun, n_ended_first; /* of reads; of ends, from the first on without a gap */
    double *ended_ms;              /* by n: when the first n of ends had ended */

    uint64_t bytes_fetched, bytes_distinct, n_requests, n_waits;
};

/* --- reading the recording --- */

static inline void *replay_grow(void *items, size_t n, size_t item_bytes)
{
    void *grown = n & (n - 1) ? items : reallocarray(items, n ? n * 2 : 1, item_bytes);
    assert(grown);
    return grown;
}

static inline void replay_add(struct replay *r, const struct trace_record *record)
{
    const struct trace_read *read = &record->read;
    if (record->kind == TRACE_FILE) {
        r->files = replay_grow(r->files, r->n_files, sizeof(*r->files));
        r->files[r->n_files++] = (struct reader_sim){.size = record->file.size_bytes};
    }
    if (record->kind != TRACE_READ || read->off >= r->files[read->file].size)
        return;
    r->reads = replay_grow(r->reads, r->n_reads, sizeof(*r->reads));
    r->reads[r->n_reads++] = (struct replay_read){
        .file = read->file,
        .off = read->off,
        .len = min_u64(read->size, r->files[read->file].size - read->off),
        .began_us = read->began_us,
        .ended_us = read->began_us + (int64_t)(read->took_us ? read->took_us : 1),
    };
}

/* Whether the file is a whole trace. */
static inline bool replay_read_file(struct replay *r, const char *path)
{
    struct trace_coder coder = {0};
    struct trace_record record;
    size_t used, at = 0, len;
    static char data[1 << 20];
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    len = fread(data, 1, sizeof(data), file);
    fclose(file);
    while (trace_get(&coder, data + at, len - at, &record, &used) == 1) {
        replay_add(r, &record);
        at += used;
    }
    bool is_whole = coder.has_ended && at == len && len < sizeof(data);
    trace_coder_deinit(&coder);
    return is_whole;
}

static inline int replay_compare_begins(const void *a, const void *b)
{
    const struct replay_read *x = a, *y = b;
    return (x->began_us > y->began_us) - (x->began_us < y->began_us);
}

static inline int replay_compare_ends(const void *a, const void *b)
{
    const struct replay_read *x = *(struct replay_read *const *)a,
                             *y = *(struct replay_read *const *)b;
    if (x->ended_us != y->ended_us)
        return (x->ended_us > y->ended_us) - (x->ended_us < y->ended_us);
    return (x > y) - (x < y);
}

/* What each read waits for. */
static inline void replay_order(struct replay *r)
{
    qsort(r->reads, r->n_reads, sizeof(*r->reads), replay_compare_begins);
    r->ends = calloc(r->n_reads + 1, sizeof(*r->ends));
    r->ended_ms = calloc(r->n_reads + 1, sizeof(*r->ended_ms));
    assert(r->ends && r->ended_ms);
    for (size_t i = 0; i < r->n_reads; i++)
        r->ends[i] = &r->reads[i];
    qsort(r->ends, r->n_reads, sizeof(struct replay_read *), replay_compare_ends);
    size_t n = 0;
    for (size_t i = 0; i < r->n_reads; i++) {
        struct replay_read *read = &r->reads[i];
        while (r->ends[n]->ended_us <= read->began_us)
            n++;
        read->n_before = n;
        double think_ms = n ? (double)(read->began_us - r->ends[n - 1]->ended_us) / 1000 : 0;
        read->think_ms = think_ms < MAX_THINK_MS ? think_ms : MAX_THINK_MS;
    }
}

/* --- running it --- */

/* The files lie one behind the other, each from a piece's begin on. */
static inline void replay_lay_out(struct replay *r, const struct sim_link *link)
{
    uint64_t base = 0;
    for (size_t i = 0; i < r->n_files; i++) {
        r->files[i].base = base;
        base += (r->files[i].size + SIM_PIECE_BYTES - 1) / SIM_PIECE_BYTES * SIM_PIECE_BYTES;
    }
    r->sim = sim_new(link, base);
}

static inline bool replay_has(const struct replay *r, const struct replay_read *read)
{
    return sim_has(r->sim, r->files[read->file].base + read->off, read->len);
}

/* Whether the next read may begin before the clock's next tick. */
static inline bool replay_may_begin(const struct replay *r)
{
    if (r->n_begun == r->n_reads)
        return false;
    struct replay_read *read = &r->reads[r->n_begun];
    if (r->n_ended_first < read->n_before)
        return false;
    read->start_ms = r->ended_ms[read->n_before] + read->think_ms;
    if (r->n_begun && read->start_ms < read[-1].start_ms)
        read->start_ms = read[-1].start_ms;
    return read->start_ms < r->sim->now_ms + 1;
}

static inline void replay_end(struct replay *r, struct replay_read *read, double now_ms)
{
    read->has_ended = true;
    read->end_ms = now_ms;
    for (size_t n = r->n_ended_first; n < r->n_reads && r->ends[n]->has_ended; n++) {
        double before_ms = r->ended_ms[n];
        r->ended_ms[n + 1] = r->ends[n]->end_ms > before_ms ? r->ends[n]->end_ms : before_ms;
        r->n_ended_first = n + 1;
    }
}

static inline void replay_begin(struct replay *r)
{
    struct replay_read *read = &r->reads[r->n_begun++];
    read->has_begun = true;
    bool was_here = replay_has(r, read);
    reader_sim_begin(&r->files[read->file], r->sim, read->off, read->len);
    if (was_here)
        replay_end(r, read, read->start_ms);
    r->n_waits += !was_here;
}

static inline void replay_run(struct replay *r)
{
    while (r->n_ended_first < r->n_reads) {
        while (replay_may_begin(r))
            replay_begin(r);
        sim_step(r->sim);
        for (size_t i = 0; i < r->n_begun; i++)
            if (!r->reads[i].has_ended && replay_has(r, &r->reads[i]))
                replay_end(r, &r->reads[i], r->sim->now_ms);
    }
}

/* --- what it came to --- */

static inline int replay_compare_places(const void *a, const void *b)
{
    const struct replay_read *x = a, *y = b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    return (x->off > y->off) - (x->off < y->off);
}

/* Bytes that were asked for at all, each once. Sorts the reads. */
static inline uint64_t replay_count_distinct(struct replay *r)
{
    uint64_t bytes = 0, end = 0;
    qsort(r->reads, r->n_reads, sizeof(*r->reads), replay_compare_places);
    for (size_t i = 0; i < r->n_reads; i++) {
        const struct replay_read *read = &r->reads[i];
        uint64_t read_end = read->off + read->len;
        if (i == 0 || read->file != read[-1].file)
            end = 0;
        uint64_t from = read->off > end ? read->off : end;
        bytes += read_end > from ? read_end - from : 0;
        end = read_end > end ? read_end : end;
    }
    return bytes;
}

/* What was asked of the link, without what lies between the files. */
static inline uint64_t replay_count_fetched(const struct replay *r)
{
    uint64_t bytes = r->sim->bytes_fetched + r->sim->in_flight_bytes;
    for (size_t i = 0; i < r->n_files; i++) {
        uint64_t end = r->files[i].base + r->files[i].size, piece = end / SIM_PIECE_BYTES;
        if (end % SIM_PIECE_BYTES && r->sim->asked[piece])
            bytes -= min_u64((piece + 1) * SIM_PIECE_BYTES, r->sim->size) - end;
    }
    return bytes;
}

/* Reads a recording again over @link. Whether it could be read. replay_deinit() follows. */
static inline bool replay_init(struct replay *r, const char *path, const struct sim_link *link)
{
    *r = (struct replay){0};
    if (!replay_read_file(r, path))
        return false;
    replay_order(r);
    replay_lay_out(r, link);
    replay_run(r);
    r->bytes_fetched = replay_count_fetched(r);
    r->n_requests = r->sim->n_ranges;
    r->bytes_distinct = replay_count_distinct(r);
    return true;
}

static inline void replay_deinit(struct replay *r)
{
    if (r->sim)
        sim_free(r->sim);
    free(r->files);
    free(r->reads);
    free(r->ends);
    free(r->ended_ms);
}
