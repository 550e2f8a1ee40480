/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's lock and a blob's are never held together, so the blobs are collected first, with a
 * reference each. */
#include "read/survey.h"

#include <errno.h>
#include <stdlib.h>

#include "read/engine.h"
#include "util/cleanup.h"
#include "util/minmax.h"

struct collected {
    struct blob **blobs;
    size_t n, max;
};

static void collect(struct map_node *node, void *ctx)
{
    struct collected *all = ctx;
    struct blob *blob = map_entry(node, struct blob, node);
    if (all->n == all->max)
        return;
    blob->refs++;
    all->blobs[all->n++] = blob;
}

static size_t count_blobs(struct fetch *fetch)
{
    pthread_mutex_lock(&fetch->lock);
    size_t n = fetch->blobs.n;
    pthread_mutex_unlock(&fetch->lock);
    return n;
}

/* A stream that came to the file's end is through. Under the blob's lock. */
static void add_stream(const struct stream *stream, uint64_t size, struct survey *out)
{
    const struct window *window = &stream->window;
    if (!stream->used_at || !window->bytes || stream->next >= size)
        return;
    out->n_streams++;
    out->window_bytes += min_u64(window->bytes, size - stream->next);
    if (window->ahead_end > stream->next)
        out->ahead_bytes += window->ahead_end - stream->next;
}

static void add_blob(struct blob *blob, struct survey *out)
{
    uint64_t before = out->n_streams;
    pthread_mutex_lock(&blob->lock);
    for (int i = 0; i < STREAMS_MAX; i++)
        add_stream(&blob->streams.items[i], blob->size_bytes, out);
    pthread_mutex_unlock(&blob->lock);
    out->n_files++;
    out->n_files_streaming += out->n_streams > before;
}

int survey_take(struct fetch *fetch, struct survey *out)
{
    struct collected all = {.max = count_blobs(fetch)};
    CLEANUP(cleanup_free) struct blob **blobs = calloc(all.max + 1, sizeof(struct blob *));
    *out = (struct survey){0};
    if (!blobs)
        return -ENOMEM;
    all.blobs = blobs;
    pthread_mutex_lock(&fetch->lock);
    map_each(&fetch->blobs, collect, &all);
    pthread_mutex_unlock(&fetch->lock);
    for (size_t i = 0; i < all.n; i++) {
        add_blob(all.blobs[i], out);
        blob_unref(all.blobs[i]);
    }
    return 0;
}
