/* SPDX-License-Identifier: Apache-2.0 */
/* Reads wait in the ring as they are, for one that makes room must leave no hole in an encoding in
 * which each leans on the one before. They are encoded when the stream is taken; a file is
 * introduced there, before the first of its reads that is left, and numbered in that order. */
#include "read/trace_ring.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/map.h"

struct ring_file {
    struct map_node node; /* by the caller's key */
    uint32_t number;      /* in files */
    uint32_t told_as;     /* its number in the stream, once path is NULL */
    uint64_t size_bytes;
    char *path; /* NULL: the stream has it */
};

struct trace_ring {
    struct trace_read *reads; /* n of them, from first on, around the end */
    size_t capacity, first, n;
    uint64_t n_lost; /* that the stream does not tell of yet */

    struct map by_key;
    struct ring_file **files;
    size_t n_files, n_allocated;

    struct trace_coder coder;
    struct buf encoded; /* from taken on not given out yet */
    size_t taken;
};

int trace_ring_new(size_t capacity, int64_t started_us, struct trace_ring **out)
{
    struct trace_ring *ring = calloc(1, sizeof(*ring));
    if (!ring)
        return -ENOMEM;
    ring->capacity = capacity;
    ring->reads = calloc(capacity, sizeof(*ring->reads));
    if (!ring->reads || trace_put_start(&ring->coder, started_us, &ring->encoded) < 0) {
        trace_ring_free(ring);
        return -ENOMEM;
    }
    *out = ring;
    return 0;
}

void trace_ring_free(struct trace_ring *ring)
{
    if (!ring)
        return;
    for (size_t i = 0; i < ring->n_files; i++) {
        free(ring->files[i]->path);
        free(ring->files[i]);
    }
    free(ring->files);
    free(ring->reads);
    map_deinit(&ring->by_key);
    trace_coder_deinit(&ring->coder);
    buf_deinit(&ring->encoded);
    free(ring);
}

int trace_ring_find_file(const struct trace_ring *ring, uint64_t key)
{
    const struct map_node *node = map_find(&ring->by_key, key);
    return node ? (int)map_entry(node, struct ring_file, node)->number : -ENOENT;
}

static int grow(struct trace_ring *ring)
{
    if (ring->n_files < ring->n_allocated)
        return 0;
    size_t n = ring->n_allocated ? ring->n_allocated * 2 : 16;
    struct ring_file **files = reallocarray(ring->files, n, sizeof(struct ring_file *));
    if (!files)
        return -ENOMEM;
    ring->files = files;
    ring->n_allocated = n;
    return 0;
}

int trace_ring_add_file(struct trace_ring *ring, uint64_t key, uint64_t size_bytes,
                        const char *path)
{
    if (ring->n_files == TRACE_FILES_MAX)
        return -ENOSPC;
    struct ring_file *file = calloc(1, sizeof(*file));
    char *copy = strdup(path);
    if (!file || !copy || grow(ring) < 0) {
        free(file);
        free(copy);
        return -ENOMEM;
    }
    *file = (struct ring_file){
        .node.key = key, .number = (uint32_t)ring->n_files, .size_bytes = size_bytes, .path = copy};
    if (map_insert(&ring->by_key, &file->node) < 0) {
        free(file);
        free(copy);
        return -ENOMEM;
    }
    ring->files[ring->n_files] = file;
    return (int)ring->n_files++;
}

void trace_ring_add(struct trace_ring *ring, const struct trace_read *read)
{
    if (ring->n == ring->capacity) {
        ring->first = (ring->first + 1) % ring->capacity;
        ring->n--;
        ring->n_lost++;
    }
    ring->reads[(ring->first + ring->n++) % ring->capacity] = *read;
}

void trace_ring_lose(struct trace_ring *ring)
{
    ring->n_lost++;
}

static int tell_file(struct trace_ring *ring, struct ring_file *file)
{
    if (!file->path)
        return 0;
    int r = trace_put_file(&ring->coder, file->size_bytes, file->path, &ring->encoded);
    if (r < 0)
        return r;
    file->told_as = ring->coder.n_files - 1;
    free(file->path);
    file->path = NULL;
    return 0;
}

/* Encodes what was lost, or the oldest read. */
static int encode_next(struct trace_ring *ring)
{
    if (ring->n_lost) {
        int r = trace_put_lost(&ring->coder, ring->n_lost, &ring->encoded);
        ring->n_lost = r == 0 ? 0 : ring->n_lost;
        return r;
    }
    struct trace_read read = ring->reads[ring->first];
    struct ring_file *file = ring->files[read.file];
    int r = tell_file(ring, file);
    read.file = file->told_as;
    if (r == 0)
        r = trace_put_read(&ring->coder, &read, &ring->encoded);
    if (r < 0)
        return r;
    ring->first = (ring->first + 1) % ring->capacity;
    ring->n--;
    return 0;
}

int trace_ring_take(struct trace_ring *ring, size_t max_bytes, struct buf *out)
{
    int r = 0;
    while (r == 0 && (ring->n || ring->n_lost) && ring->encoded.len - ring->taken < max_bytes)
        r = encode_next(ring);
    size_t n = ring->encoded.len - ring->taken;
    if (n > max_bytes)
        n = max_bytes;
    if (n == 0) /* what there was before memory ended is given out first */
        return r;
    r = buf_append(out, ring->encoded.data + ring->taken, n);
    if (r < 0)
        return r;
    ring->taken += n;
    if (ring->taken == ring->encoded.len)
        ring->encoded.len = ring->taken = 0;
    return 0;
}
