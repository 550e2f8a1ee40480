/* SPDX-License-Identifier: Apache-2.0 */
/* A table of short chains. At most a few hundred blocks are pending at a time, most of the time
 * none. */
#include "cache/pending.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cache/buffer.h"

enum { N_CHAINS = 1024 };

struct pending_block {
    struct block_buf *buf;
    struct pending_block *next;
};

struct pending {
    pthread_mutex_t mutex;
    struct pending_block *chains[N_CHAINS];
    _Atomic uint64_t bytes;
};

struct pending *pending_new(void)
{
    struct pending *pending = calloc(1, sizeof(*pending));
    if (pending)
        pthread_mutex_init(&pending->mutex, NULL);
    return pending;
}

void pending_free(struct pending *pending)
{
    if (!pending)
        return;
    pthread_mutex_destroy(&pending->mutex);
    free(pending);
}

/* A blob id is a hash already. */
static unsigned chain_of(const struct blob_id *blob, uint32_t block)
{
    uint32_t head;
    memcpy(&head, blob->bytes, sizeof(head));
    return (head + block) % N_CHAINS;
}

bool pending_add(struct pending *pending, struct block_buf *buf)
{
    struct pending_block *entry = malloc(sizeof(*entry));
    if (!entry)
        return false;
    entry->buf = block_buf_ref(buf);
    struct pending_block **chain = &pending->chains[chain_of(&buf->blob, buf->block)];
    pthread_mutex_lock(&pending->mutex);
    entry->next = *chain;
    *chain = entry;
    atomic_fetch_add(&pending->bytes, buf->len);
    pthread_mutex_unlock(&pending->mutex);
    return true;
}

static struct pending_block *unlink_entry(struct pending *pending, const struct block_buf *buf)
{
    struct pending_block **at = &pending->chains[chain_of(&buf->blob, buf->block)];
    while (*at && (*at)->buf != buf)
        at = &(*at)->next;
    struct pending_block *found = *at;
    if (found)
        *at = found->next;
    return found;
}

void pending_remove(struct pending *pending, struct block_buf *buf)
{
    pthread_mutex_lock(&pending->mutex);
    struct pending_block *entry = unlink_entry(pending, buf);
    if (entry)
        atomic_fetch_sub(&pending->bytes, buf->len);
    pthread_mutex_unlock(&pending->mutex);
    if (entry)
        block_buf_unref(buf);
    free(entry);
}

static bool is_block(const struct block_buf *buf, const struct blob_id *blob, uint32_t block)
{
    return buf->block == block && memcmp(&buf->blob, blob, sizeof(*blob)) == 0;
}

int pending_collect(struct pending *pending, const struct blob_id *blob, uint32_t first, uint32_t n,
                    struct block_buf **out, int max)
{
    int found = 0;
    if (atomic_load(&pending->bytes) == 0)
        return 0;
    pthread_mutex_lock(&pending->mutex);
    for (uint32_t block = first; block - first < n; block++)
        for (struct pending_block *e = pending->chains[chain_of(blob, block)]; e; e = e->next)
            if (found < max && is_block(e->buf, blob, block))
                out[found++] = block_buf_ref(e->buf);
    pthread_mutex_unlock(&pending->mutex);
    return found;
}

uint64_t pending_bytes(struct pending *pending)
{
    return atomic_load(&pending->bytes);
}
