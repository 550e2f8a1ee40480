/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's table of blobs: those that somebody holds, one for each content. */
#include <string.h>

#include "read/engine.h"
#include "read/fetch.h"
#include "read/span.h"
#include "read/verify.h"
#include "util/cleanup.h"

struct blob *blob_ref(struct blob *blob)
{
    pthread_mutex_lock(&blob->fetch->lock);
    blob->refs++;
    pthread_mutex_unlock(&blob->fetch->lock);
    return blob;
}

void blob_unref(struct blob *blob)
{
    if (!blob)
        return;
    struct fetch *fetch = blob->fetch;
    pthread_mutex_lock(&fetch->lock);
    bool last = --blob->refs == 0;
    if (last)
        map_remove(&fetch->blobs, &blob->node);
    pthread_mutex_unlock(&fetch->lock);
    if (last)
        blob_free(blob);
}

/* The sound blob in the table with this id and place, with a fresh reference; NULL when there is
 * none. Under fetch->lock. */
static struct blob *find_blob(struct fetch *fetch, const struct blob *like)
{
    for (struct map_node *n = map_find(&fetch->blobs, like->node.key); n; n = map_next(n)) {
        struct blob *blob = map_entry(n, struct blob, node);
        if (memcmp(&blob->id, &like->id, sizeof(blob->id)) == 0 &&
            blob->size_bytes == like->size_bytes && !atomic_load(&blob->broken)) {
            blob->refs++;
            return blob;
        }
    }
    return NULL;
}

struct blob *fetch_blob(struct fetch *fetch, const struct blob_source *source)
{
    struct blob *fresh = blob_new(source);
    if (!fresh)
        return NULL;
    fresh->fetch = fetch;
    pthread_mutex_lock(&fetch->lock);
    struct blob *blob = find_blob(fetch, fresh);
    if (!blob && map_insert(&fetch->blobs, &fresh->node) == 0)
        blob = steal_ptr(fresh);
    pthread_mutex_unlock(&fetch->lock);
    if (blob && !fresh) {
        span_note_pace(blob);
        verify_note_open(blob);
    }
    blob_free(fresh);
    return blob;
}
