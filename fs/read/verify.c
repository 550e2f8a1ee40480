/* SPDX-License-Identifier: Apache-2.0 */
/* A small blob is hashed as it comes. A large one is read back from the cache in order, block by
 * block, on a thread of its own. A mismatch drops every block of it and breaks the blob: reads
 * give -EIO while anybody has it open, and the next open fetches it again. */
#include "read/verify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cache/meta.h"
#include "read/flight.h"
#include "util/cleanup.h"
#include "util/digest.h"
#include "util/log.h"
#include "util/pool.h"

DEFINE_CLEANUP(struct digest_stream *, cleanup_digest, digest_stream_free)

enum {
    KEY_BYTES = 96,
    AT_ONCE_BYTES = 256 << 10, /* hashed in a fraction of a millisecond */
};

static void format_key(const struct blob *blob, char out[KEY_BYTES])
{
    struct digest id;
    memcpy(id.bytes, blob->id.bytes, sizeof(id.bytes));
    int n = snprintf(out, KEY_BYTES, "verified\n");
    digest_format_hex(&id, out + n);
}

/* Hashes what the cache has: 0, or -ENODATA when a part is gone again. */
static int hash_cached(struct blob *blob, struct digest *out)
{
    CLEANUP(cleanup_digest) struct digest_stream *s = digest_stream_new();
    if (!s)
        return -ENOMEM;
    for (uint64_t off = 0; off < blob->size_bytes;) {
        struct blocks_view view;
        uint64_t left = blob->size_bytes - off;
        size_t want = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
        if (atomic_load(&blob->fetch->stopping) ||
            blocks_view(blob->fetch->options.blocks, &blob->id, off, want, &view) == 0)
            return -ENODATA;
        for (int i = 0; i < view.n_pieces; i++)
            digest_stream_update(s, view.piece[i].iov_base, view.piece[i].iov_len);
        off += view.len;
        blocks_view_end(&view);
    }
    digest_stream_final(s, out);
    return 0;
}

static void settle_blob(struct blob *blob, bool verified, int broken)
{
    pthread_mutex_lock(&blob->lock);
    blob->verifying = false;
    blob->verified = verified;
    pthread_mutex_unlock(&blob->lock);
    if (broken)
        atomic_store(&blob->broken, broken);
}

static void log_mismatch(const struct blob *blob, const struct digest *got)
{
    char want_hex[DIGEST_HEX_BYTES], got_hex[DIGEST_HEX_BYTES];
    struct digest want;
    memcpy(want.bytes, blob->id.bytes, sizeof(want.bytes));
    digest_format_hex(&want, want_hex);
    digest_format_hex(got, got_hex);
    log_error("%s of model %s has SHA-256 %s, but the registry says %s: dropped", blob->file_id,
              blob->model_id, got_hex, want_hex);
}

bool verify_is_at_once(const struct blob *blob)
{
    return blob->has_digest && blob->size_bytes <= AT_ONCE_BYTES;
}

int verify_flight(struct blob *blob, const struct flight *flight)
{
    CLEANUP(cleanup_digest) struct digest_stream *s = digest_stream_new();
    struct digest got;
    if (!s)
        return -ENOMEM;
    digest_stream_update(s, flight->buf->data, blob->size_bytes);
    digest_stream_final(s, &got);
    if (memcmp(got.bytes, blob->id.bytes, sizeof(got.bytes)) == 0)
        return 0;
    log_mismatch(blob, &got);
    atomic_store(&blob->broken, -EIO);
    return -EIO;
}

static void drop_mismatch(struct blob *blob, const struct digest *got)
{
    log_mismatch(blob, got);
    blocks_drop(blob->fetch->options.blocks, &blob->id);
}

static uint64_t offered(struct blob *blob)
{
    pthread_mutex_lock(&blob->lock);
    uint64_t bytes = blob->offered_bytes;
    pthread_mutex_unlock(&blob->lock);
    return bytes;
}

/* Checks a blob that may be whole, again when it was not and more has come meanwhile; ends the
 * reference it was queued with. */
static void check(void *ctx)
{
    struct blob *blob = ctx;
    struct blocks *blocks = blob->fetch->options.blocks;
    struct digest got;
    char key[KEY_BYTES];
    uint64_t before = offered(blob);
    blocks_flush(blocks); /* what is not written is not counted */
    bool whole = blocks_present_bytes(blocks, &blob->id, blob->size_bytes) >= blob->size_bytes;
    int r = whole ? hash_cached(blob, &got) : -ENODATA;
    bool matches = r == 0 && memcmp(got.bytes, blob->id.bytes, sizeof(got.bytes)) == 0;
    format_key(blob, key);
    if (matches)
        meta_put(blocks_meta(blocks), key, "yes", 3);
    else if (r == 0)
        drop_mismatch(blob, &got);
    settle_blob(blob, matches, r == 0 && !matches ? -EIO : 0);
    if (r == -ENODATA && offered(blob) != before && !atomic_load(&blob->fetch->stopping))
        verify_note_offer(blob, 0);
    blob_unref(blob);
}

/* Runs @job with a reference on the verifier's thread. */
static bool queue(struct blob *blob, pool_job_fn *job)
{
    if (pool_add(blob->fetch->options.verifier, job, blob_ref(blob)) == 0)
        return true;
    blob_unref(blob);
    return false;
}

void verify_note_offer(struct blob *blob, uint64_t bytes)
{
    if (!blob->has_digest || verify_is_at_once(blob))
        return;
    pthread_mutex_lock(&blob->lock);
    blob->offered_bytes += bytes;
    bool due = !blob->verifying && !blob->verified && blob->offered_bytes >= blob->size_bytes;
    blob->verifying |= due;
    pthread_mutex_unlock(&blob->lock);
    if (due && !queue(blob, check))
        settle_blob(blob, false, 0);
}

static bool was_verified(struct blob *blob)
{
    CLEANUP(cleanup_free) void *value = NULL;
    size_t len;
    char key[KEY_BYTES];
    format_key(blob, key);
    return meta_get(blocks_meta(blob->fetch->options.blocks), key, &value, &len, NULL) == 0;
}

static void look(void *ctx)
{
    struct blob *blob = ctx;
    struct blocks *blocks = blob->fetch->options.blocks;
    if (was_verified(blob))
        settle_blob(blob, true, 0);
    else
        verify_note_offer(blob, blocks_present_bytes(blocks, &blob->id, blob->size_bytes));
    blob_unref(blob);
}

void verify_note_open(struct blob *blob)
{
    if (blob->has_digest && !verify_is_at_once(blob) && blob->fetch->options.blocks &&
        !atomic_load(&blob->fetch->stopping))
        queue(blob, look);
}
