/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/verify_bytes.h"

#include <errno.h>
#include <string.h>

#include "cmd/progress.h"
#include "util/cleanup.h"
#include "util/digest.h"

DEFINE_CLEANUP(struct digest_stream *, cleanup_digest, digest_stream_free)

void verify_bytes_deinit(struct verify_bytes *result)
{
    json_decref(result->damaged);
    *result = (struct verify_bytes){0};
}

/* Feeds @digest (NULL: nothing) with the whole of a file. */
static int read_all(const struct supply *supply, const struct supply_item *item,
                    struct digest_stream *digest, struct progress *progress, uint64_t before_bytes)
{
    struct supply_stream *stream = NULL;
    uint64_t done = 0;
    const void *data;
    int r = supply->ops->open(supply->self, item, 0, &stream);
    while (r == 0 && done < item->size_bytes) {
        ssize_t n = supply->ops->next(stream, &data);
        if (n <= 0) {
            r = n < 0 ? (int)n : -ESTALE;
            break;
        }
        if (digest)
            digest_stream_update(digest, data, (size_t)n);
        done += (uint64_t)n;
        progress_set(progress, before_bytes + done);
    }
    if (stream)
        supply->ops->close(stream);
    return r;
}

/* 0, -EBADMSG for other bytes, or -errno of reading. */
static int check_file(const struct supply *supply, const struct supply_item *item,
                      struct progress *progress, uint64_t before_bytes)
{
    CLEANUP(cleanup_digest) struct digest_stream *stream = NULL;
    struct digest got;
    if (item->has_digest && !(stream = digest_stream_new()))
        return -ENOMEM;
    int r = read_all(supply, item, stream, progress, before_bytes);
    if (r < 0 || !stream)
        return r;
    digest_stream_final(stream, &got);
    return digest_equal(&got, &item->digest) ? 0 : -EBADMSG;
}

static int note_damage(struct verify_bytes *out, const char *path, int err)
{
    const char *why = err == -EBADMSG ? "its bytes are not those of its SHA-256" : strerror(-err);
    if (!out->damaged)
        out->damaged = json_array();
    json_t *item = json_object();
    int r = json_object_set_new(item, "path", json_new_text(path));
    r |= json_object_set_new(item, "why", json_string(why));
    r |= json_array_append_new(out->damaged, item);
    return r == 0 ? 0 : -ENOMEM;
}

int verify_bytes(const struct supply *supply, struct verify_bytes *out)
{
    struct progress progress;
    uint64_t before_bytes = 0;
    int r = 0;
    progress_start(&progress, supply->size_bytes);
    for (size_t i = 0; r == 0 && i < supply->n; i++) {
        const struct supply_item *item = &supply->items[i];
        progress_name(&progress, item->path);
        int found = check_file(supply, item, &progress, before_bytes);
        before_bytes += item->size_bytes;
        if (found == -EINTR || found == -ENOMEM)
            r = found;
        else if (found < 0)
            r = note_damage(out, item->path, found);
        else if (item->has_digest)
            out->n_right++;
        else
            out->n_unknown++;
    }
    progress_clear(&progress);
    return r;
}
