/* SPDX-License-Identifier: Apache-2.0 */
/* A file's bytes. The record is looked up and the object opened; from then on the descriptor keeps
 * the content alive, so that a deletion or a new upload never mixes into a reply on its way. */
#include "serve/api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "serve/files.h"
#include "serve/range.h"

enum { HTTP_DATE_BYTES = 40, LOOKUPS_MAX = 8 };

static void format_http_date(int64_t ns, char out[HTTP_DATE_BYTES])
{
    /* Not strftime(): the names are English whatever the locale. */
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    snprintf(out, HTTP_DATE_BYTES, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + tm.tm_wday * 3,
             tm.tm_mday, months + tm.tm_mon * 3, (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
}

/* What the reply needs to know of a file. */
struct content {
    uint64_t size_bytes;
    char etag[DIGEST_HEX_BYTES + 2];
    char last_modified[HTTP_DATE_BYTES];
};

/* -ENOENT when there is no such file, -ESTALE when its object went while we looked. */
static int try_open(struct store *store, const struct request *request, struct content *out,
                    int *out_fd)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    json_t *record JSON_CLEANUP = NULL;
    struct stored_file file;
    char hex[DIGEST_HEX_BYTES];
    int r = store_begin(store, false, &txn);
    if (r == 0)
        r = files_find(txn, request->id, request->rest, &file, &record);
    if (r < 0)
        return r;
    *out_fd = objects_open_read(store_objects(store), &file.digest, file.size_bytes);
    if (*out_fd < 0)
        return *out_fd == -ENOENT ? -ESTALE : *out_fd;
    digest_format_hex(&file.digest, hex);
    snprintf(out->etag, sizeof(out->etag), "\"%s\"", hex);
    format_http_date(file.modified_ns, out->last_modified);
    out->size_bytes = file.size_bytes;
    return 0;
}

/* An upload may replace the file between the record's reading and the object's opening: then there
 * is a new record. An object that stays away for longer is lost. */
static int open_file(struct store *store, const struct request *request, struct content *out,
                     int *out_fd)
{
    int r = -ESTALE;
    for (int i = 0; r == -ESTALE && i < LOOKUPS_MAX; i++)
        r = try_open(store, request, out, out_fd);
    return r == -ESTALE ? -EIO : r;
}

static int reply_bytes(struct reply *reply, unsigned status, int fd, uint64_t off, uint64_t len)
{
    reply->status = status;
    reply->fd = fd;
    reply->off = off;
    reply->len = len;
    reply_add_header(reply, "Content-Type", "application/octet-stream");
    return 0;
}

static int reply_outside(struct reply *reply, uint64_t size)
{
    reply_add_header(reply, "Content-Range", "bytes */%" PRIu64, size);
    return reply_error(reply, 416, "The range begins behind the file's end");
}

static enum range_verdict decide(const struct request *request, const struct content *content,
                                 uint64_t *off, uint64_t *len)
{
    struct range_request asked = {
        .range = request_header(request, "Range"),
        .if_range = request_header(request, "If-Range"),
        .if_match = request_header(request, "If-Match"),
        .if_none_match = request_header(request, "If-None-Match"),
    };
    struct range_file file = {content->size_bytes, content->etag, content->last_modified};
    return range_decide(&asked, &file, off, len);
}

int api_files_download(struct store *store, const struct request *request, struct reply *reply)
{
    struct content content;
    int fd CLEANUP(cleanup_close) = -1;
    uint64_t off, len;
    int r = open_file(store, request, &content, &fd);
    if (r == -ENOENT)
        return reply_error(reply, 404, "Unable to find file");
    if (r < 0)
        return r;
    reply_add_header(reply, "ETag", "%s", content.etag);
    reply_add_header(reply, "Last-Modified", "%s", content.last_modified);
    reply_add_header(reply, "Accept-Ranges", "bytes");
    switch (decide(request, &content, &off, &len)) {
    case RANGE_CHANGED:
        return reply_error(reply, 412, "The file's content is another one now");
    case RANGE_NOT_MODIFIED: /* its Content-Length is the file's, its body stays here */
        reply->fd = steal_fd(&fd);
        reply->len = content.size_bytes;
        return reply_empty(reply, 304);
    case RANGE_OUTSIDE:
        return reply_outside(reply, content.size_bytes);
    case RANGE_PART:
        reply_add_header(reply, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, off,
                         off + len - 1, content.size_bytes);
        return reply_bytes(reply, 206, steal_fd(&fd), off, len);
    case RANGE_WHOLE:
        break;
    }
    return reply_bytes(reply, 200, steal_fd(&fd), 0, content.size_bytes);
}
