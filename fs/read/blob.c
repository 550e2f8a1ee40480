/* SPDX-License-Identifier: Apache-2.0 */
#include "read/blob.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/digest.h"

/* Feeds a text and its closing NUL, so that no two lists of texts look the same. */
static void update_text(struct digest_stream *s, const char *text)
{
    digest_stream_update(s, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void hash_source(const struct blob_source *source, struct digest_stream *s,
                        struct digest *out)
{
    const struct listing_entry *entry = source->entry;
    int64_t mtime_ns = entry->etag ? 0 : entry->mtime_ns;
    update_text(s, "modelfs blob 1");
    update_text(s, source->origin);
    update_text(s, source->place.project_id);
    update_text(s, source->place.model_id);
    update_text(s, entry->id);
    update_text(s, entry->etag);
    digest_stream_update(s, &mtime_ns, sizeof(mtime_ns));
    digest_stream_update(s, &entry->size_bytes, sizeof(entry->size_bytes));
    digest_stream_final(s, out);
}

void blob_source_id(const struct blob_source *source, struct blob_id *out)
{
    struct digest digest = source->entry->digest;
    if (!source->entry->has_digest) {
        struct digest_stream *s = digest_stream_new();
        assert(s); /* a few hundred bytes: without them nothing can go on */
        hash_source(source, s, &digest);
        digest_stream_free(s);
    }
    memcpy(out->bytes, digest.bytes, sizeof(out->bytes));
}

static char *copy_text(const char *text, bool *ok)
{
    char *copy = text ? strdup(text) : NULL;
    *ok &= !text || copy;
    return copy;
}

struct blob *blob_new(const struct blob_source *source)
{
    struct blob *blob = calloc(1, sizeof(*blob));
    bool ok = true;
    if (!blob)
        return NULL;
    blob_source_id(source, &blob->id);
    memcpy(&blob->node.key, blob->id.bytes, sizeof(blob->node.key));
    pthread_mutex_init(&blob->lock, NULL);
    blob->refs = 1;
    blob->size_bytes = source->entry->size_bytes;
    blob->has_digest = source->entry->has_digest;
    blob->project_id = copy_text(source->place.project_id, &ok);
    blob->model_id = copy_text(source->place.model_id, &ok);
    blob->file_id = copy_text(source->entry->id, &ok);
    blob->locator.url = copy_text(source->entry->url, &ok);
    blob->locator.etag = copy_text(source->entry->etag, &ok);
    if (ok)
        return blob;
    blob_free(blob);
    return NULL;
}

void blob_free(struct blob *blob)
{
    if (!blob)
        return;
    for (int i = 0; i < BLOB_CHAINS; i++)
        assert(!blob->flights[i]);
    assert(!blob->unlocated);
    pthread_mutex_destroy(&blob->lock);
    locator_deinit(&blob->locator);
    free(blob->project_id);
    free(blob->model_id);
    free(blob->file_id);
    free(blob);
}
