/* SPDX-License-Identifier: Apache-2.0 */
#include "read/reader.h"

#include <errno.h>
#include <stdlib.h>

#include "cache/blocks.h"
#include "read/engine.h"

/* A file up to this size is fetched whole at the first touch: it costs one round trip either way.
 */
#define SMALL_FILE_BYTES (UINT64_C(256) << 10)
struct reader {
    struct blob *blob;   /* a reference */
    uint64_t begin, end; /* what is read of it */
    atomic_flag saw_end;
};

/* What to read ahead after a read, and for which stream. */
struct advice {
    struct window_range range;
    struct stream *stream;
    bool sees_end; /* a stream from the first byte on has its window at the blob's end */
};

int reader_open_part(struct fetch *fetch, const struct blob_source *source, uint64_t offset,
                     uint64_t len, struct reader **out)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return -ENOMEM;
    reader->blob = fetch_blob(fetch, source);
    if (!reader->blob) {
        free(reader);
        return -ENOMEM;
    }
    uint64_t size = reader->blob->size_bytes;
    reader->begin = offset < size ? offset : size;
    reader->end = len < size - reader->begin ? reader->begin + len : size;
    *out = reader;
    return 0;
}

int reader_open(struct fetch *fetch, const struct blob_source *source, struct reader **out)
{
    return reader_open_part(fetch, source, 0, UINT64_MAX, out);
}

void reader_close(struct reader *reader)
{
    if (!reader)
        return;
    blob_unref(reader->blob);
    free(reader);
}

uint64_t reader_size_bytes(const struct reader *reader)
{
    return reader->end - reader->begin;
}

static void note_read(const struct reader *reader, uint64_t off, size_t len, struct advice *out)
{
    struct blob *blob = reader->blob;
    struct window_limits limits = {.max_bytes = budget_limit_bytes(blob->fetch->budget) / 4};
    pthread_mutex_lock(&blob->lock);
    limits.range_bytes = blob->reach.ahead_bytes;
    if (limits.max_bytes > blob->reach.window_bytes)
        limits.max_bytes = blob->reach.window_bytes;
    out->range = streams_note(&blob->streams, off, len, reader->end, &limits, &out->stream);
    out->sees_end = out->stream->begin == 0 && out->stream->window.ahead_end >= blob->size_bytes;
    pthread_mutex_unlock(&blob->lock);
}

/* Asks for what was advised; where memory ends, the stream's window shrinks. */
static void read_ahead(struct blob *blob, const struct advice *advice)
{
    uint64_t end = advice->range.off + advice->range.len;
    uint64_t granted = fetch_ahead(blob, advice->range.off, advice->range.len);
    if (granted >= end)
        return;
    pthread_mutex_lock(&blob->lock);
    window_shrink(&advice->stream->window, granted);
    pthread_mutex_unlock(&blob->lock);
}

/* Answers from the cache when all is there. */
static bool read_cached(struct blob *blob, uint64_t off, size_t len, read_done_fn *done, void *ctx)
{
    struct blocks *blocks = blob->fetch->options.blocks;
    struct blocks_view view;
    if (!blocks || blocks_view(blocks, &blob->id, off, len, &view) == 0)
        return false;
    bool whole = view.len == len;
    if (whole) {
        atomic_fetch_add(&blob->fetch->n_hits, 1);
        atomic_fetch_add(&blob->fetch->bytes_hit, len);
        done(ctx, &(struct read_answer){
                      .source = READ_CACHED, .iov = view.piece, .n_iov = view.n_pieces});
    }
    blocks_view_end(&view);
    return whole;
}

/* Reads [off, off + len) of a sound blob. */
static bool read_on(struct reader *reader, uint64_t off, size_t len, read_done_fn *done, void *ctx)
{
    struct advice advice;
    struct blob *blob = blob_ref(reader->blob);
    note_read(reader, off, len, &advice);
    /* Before the answer: once it is out, the reader may be closed. */
    bool sees_end = advice.sees_end && !atomic_flag_test_and_set(&reader->saw_end);
    if (!read_cached(blob, off, len, done, ctx)) {
        uint64_t rest = reader->end - off - len;
        bool small = blob->size_bytes <= SMALL_FILE_BYTES;
        fetch_read(blob, off, len, small ? rest : 0, done, ctx);
    }
    read_ahead(blob, &advice);
    blob_unref(blob);
    return sees_end;
}

bool reader_read(struct reader *reader, uint64_t off, size_t len, read_done_fn *done, void *ctx)
{
    struct blob *blob = reader->blob;
    int broken = atomic_load(&blob->broken);
    if (broken || off >= reader_size_bytes(reader) || !len) {
        done(ctx, &(struct read_answer){.err = broken});
        return false;
    }
    if (len > WAIT_MAX_BYTES)
        len = WAIT_MAX_BYTES;
    off += reader->begin;
    if (len > reader->end - off)
        len = (size_t)(reader->end - off);
    atomic_fetch_add(&blob->fetch->n_reads, 1);
    atomic_fetch_add(&blob->fetch->bytes_asked, len);
    return read_on(reader, off, len, done, ctx);
}
