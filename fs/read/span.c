/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a span:
 *
 *     send -> [locate ->] transfer -> all bytes here: done
 *       ^                    |
 *       +--- wait, jitter ---+ failed in passing, or the signed URL ran out (then the blob is
 *                            | located anew, a few times a span)
 *                            |
 *                            + failed for good, or the deadline is over: the pieces still
 *                              missing get the error
 *
 * A retry goes on behind the last byte that came. That mixes no versions: the reply must carry the
 * ETag the blob is pinned to; where the source gives none, the total size is all there is to
 * compare.
 *
 * A server may answer a range with the whole content (200). That is taken when the bytes before the
 * span are few. */
#include "read/span.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/http.h"
#include "net/retry.h"
#include "net/url.h"
#include "read/landing.h"
#include "read/verify.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/pool.h"

enum {
    MAX_NONSENSE = 4, /* tries after answers that make no sense */
    MAX_REFUSED = 8,  /* of a URL that is good for few requests, others may have used them up */
};

/* Bytes before the span that are read and thrown away when a server ignores Range. */
#define MAX_SKIP_BYTES (UINT64_C(64) << 20)

struct span {
    struct blob *blob; /* a reference */
    uint64_t off, end; /* constant */
    uint64_t got;      /* the next byte to come; of the transfer's thread while one runs */
    uint64_t skip;     /* bytes of the body to pass over first */
    int attempt;
    uint64_t deadline_ms;
    bool urgent;
    int n_refused;   /* URLs that did not do, each then found anew */
    uint64_t url_at; /* blob->n_located when it was sent */
    int status;      /* of the last reply; 0: none came */
    int64_t retry_after_ms;
    struct span *next; /* in a chain, then in blob->unlocated */
    int n_flights;
    struct flight *flights[SPAN_MAX_BLOCKS]; /* a reference each */
};

struct span *span_new(struct blob *blob, uint64_t off, uint64_t end, struct flight *const *flights,
                      int n_flights, bool urgent)
{
    struct span *span = calloc(1, sizeof(*span));
    if (!span)
        return NULL;
    assert(n_flights <= SPAN_MAX_BLOCKS);
    *span =
        (struct span){.blob = blob_ref(blob), .off = off, .end = end, .got = off, .urgent = urgent};
    span->deadline_ms = clock_now_ms() + (uint64_t)blob->fetch->options.deadline_ms;
    for (int i = 0; i < n_flights; i++)
        span->flights[span->n_flights++] = flight_ref(flights[i]);
    atomic_fetch_add(&blob->fetch->n_spans, 1);
    atomic_fetch_add(&blob->fetch->n_spans_now, 1);
    return span;
}

static void span_free(struct span *span)
{
    atomic_fetch_sub(&span->blob->fetch->n_spans_now, 1);
    for (int i = 0; i < span->n_flights; i++)
        flight_unref(span->flights[i]);
    blob_unref(span->blob);
    free(span);
}

/* Settles the pieces of [from, to), which lie on borders of pieces. */
static void settle(struct span *span, uint64_t from, uint64_t to, int err)
{
    for (int i = 0; i < span->n_flights; i++) {
        uint16_t pieces = flight_pieces(span->flights[i]->block, from, to - from);
        if (pieces)
            landing_settle(span->blob, span->flights[i], pieces, err);
    }
}

static uint64_t piece_floor(uint64_t off)
{
    return off - off % PIECE_BYTES;
}

/* Up to where the span's pieces are settled. */
static uint64_t settled_end(const struct span *span)
{
    if (span->got == span->end)
        return span->end;
    return verify_is_at_once(span->blob) ? span->off : piece_floor(span->got);
}

static void log_give_up(const struct span *span, int err)
{
    struct blob *blob = span->blob;
    char url[512] = "no URL";
    if (atomic_load(&blob->fetch->stopping))
        return;
    pthread_mutex_lock(&blob->lock);
    if (blob->locator.url)
        url_redact(blob->locator.url, url, sizeof(url));
    pthread_mutex_unlock(&blob->lock);
    log_warn("cannot read %s at %llu from %s: %s (last status %d, %d attempts)", blob->file_id,
             (unsigned long long)span->got, url, strerror(-err), span->status, span->attempt + 1);
}

/* The end for what did not come. */
static void give_up(struct span *span, int err)
{
    struct blob *blob = span->blob;
    log_give_up(span, err);
    atomic_fetch_add(&blob->fetch->n_failures, 1);
    if (err == -ESTALE) {
        atomic_store(&blob->broken, -ESTALE);
        if (blob->fetch->options.on_stale)
            blob->fetch->options.on_stale(blob->fetch->options.ctx, blob->project_id,
                                          blob->model_id);
    }
    settle(span, settled_end(span), span->end, err);
    span_free(span);
}

static void span_start(struct span *span);

static void restart(void *ctx)
{
    span_start(ctx);
}

static double chance(const struct span *span)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)((now.tv_nsec + (long)span->off) % 100003) / 100003;
}

/* An answer that makes no sense may come from somebody on the way, and go by. */
static bool is_passing(const struct span *span, int err)
{
    return retry_is_transient(err) || (err == -EPROTO && span->attempt < MAX_NONSENSE);
}

/* Tries again later, or gives up where that makes no sense. */
static void fail(struct span *span, int err)
{
    struct fetch *fetch = span->blob->fetch;
    if (atomic_load(&fetch->stopping) || !is_passing(span, err)) {
        give_up(span, atomic_load(&fetch->stopping) ? -EIO : err);
        return;
    }
    span->attempt++;
    atomic_fetch_add(&fetch->n_retries, 1);
    int64_t delay = retry_delay_ms(span->attempt, span->retry_after_ms, chance(span),
                                   clock_now_ms(), span->deadline_ms);
    if (delay < 0 || pool_add_after(fetch->options.pool, delay, restart, span) < 0)
        give_up(span, -EIO);
}

/* The URL does not do any more: have it found anew, unless another span did since. */
static void drop_locator(struct span *span)
{
    pthread_mutex_lock(&span->blob->lock);
    if (span->url_at == span->blob->n_located)
        free(steal_ptr(span->blob->locator.url));
    pthread_mutex_unlock(&span->blob->lock);
    span->n_refused++;
}

static bool may_relocate(const struct span *span, int err)
{
    bool expired = err == -EACCES || err == -ENOENT || (span->status == 400 && err == -EPROTO);
    return expired && span->n_refused < MAX_REFUSED && !atomic_load(&span->blob->fetch->stopping);
}

void span_note_pace(struct blob *blob)
{
    struct pace pace;
    pthread_mutex_lock(&blob->lock);
    CLEANUP(cleanup_free) char *url = blob->locator.url ? strdup(blob->locator.url) : NULL;
    pthread_mutex_unlock(&blob->lock);
    if (!url || http_get_pace(blob->fetch->options.http, url, &pace) < 0)
        return;
    struct reach reach = reach_of(&pace);
    pthread_mutex_lock(&blob->lock);
    blob->reach = reach;
    pthread_mutex_unlock(&blob->lock);
}

static void on_done(void *ctx, int err)
{
    struct span *span = ctx;
    if (err == 0 && span->got < span->end)
        err = -ECONNRESET;
    if (err == -ECANCELED && span->got == span->end)
        err = 0;
    if (err == 0) {
        span_note_pace(span->blob);
        span_free(span);
    } else if (may_relocate(span, err)) {
        drop_locator(span);
        span_start(span);
    } else if (err == -ENOENT) {
        fail(span, -ESTALE); /* listed, located anew, and gone */
    } else {
        fail(span, err);
    }
}

/* Pins the blob to the first ETag seen, or says that this is another one. */
static int check_etag(struct blob *blob, const char *etag)
{
    int r = 0;
    if (!etag || strncmp(etag, "W/", 2) == 0)
        return 0;
    pthread_mutex_lock(&blob->lock);
    if (!blob->locator.etag)
        blob->locator.etag = strdup(etag);
    else if (strcmp(blob->locator.etag, etag) != 0)
        r = -ESTALE;
    pthread_mutex_unlock(&blob->lock);
    return r;
}

/* Another size is another version, but not in a 200 without an ETag: that may be a page of somebody
 * on the way. */
static int on_head(void *ctx, const struct http_head *head)
{
    struct span *span = ctx;
    span->status = head->status;
    span->retry_after_ms = head->retry_after_ms;
    int r = retry_status_errno(head->status);
    if (r < 0)
        return r;
    bool is_range = head->status == 206;
    if (head->total_bytes >= 0 && (uint64_t)head->total_bytes != span->blob->size_bytes)
        return is_range || head->etag ? -ESTALE : -EPROTO;
    if (is_range && (head->range_off != span->got || head->range_len != span->end - span->got))
        return -EPROTO;
    span->skip = is_range ? 0 : span->got;
    return span->skip > MAX_SKIP_BYTES ? -EPROTO : check_etag(span->blob, head->etag);
}

/* Copies bytes to where they belong in the flights' buffers. */
static void store(struct span *span, const uint8_t *data, size_t len)
{
    uint64_t at = span->got;
    while (len) {
        struct flight *flight = span->flights[at / BLOCK_BYTES - span->off / BLOCK_BYTES];
        uint64_t within = at % BLOCK_BYTES, room = BLOCK_BYTES - within;
        size_t n = len < room ? len : (size_t)room;
        memcpy(flight->buf->data + within, data, n);
        at += n;
        data += n;
        len -= n;
    }
}

/* Settles what came since @from. What is checked at once was not settled before all of it is here.
 */
static void settle_got(struct span *span, uint64_t from)
{
    uint64_t to = settled_end(span);
    bool check = verify_is_at_once(span->blob) && to == span->end;
    if (to > from)
        settle(span, from, to, check ? verify_flight(span->blob, span->flights[0]) : 0);
}

static int on_data(void *ctx, const void *data, size_t len)
{
    struct span *span = ctx;
    size_t skipped = span->skip < len ? (size_t)span->skip : len;
    span->skip -= skipped;
    len -= skipped;
    bool past_end = len > span->end - span->got;
    if (past_end)
        len = (size_t)(span->end - span->got);
    uint64_t from = settled_end(span);
    store(span, (const uint8_t *)data + skipped, len);
    span->got += len;
    atomic_fetch_add(&span->blob->fetch->bytes_fetched, len + skipped);
    if (len)
        settle_got(span, from);
    if (!past_end)
        return 0;
    return span->status == 206 ? -EPROTO : -ECANCELED; /* of a whole body the rest is not wanted */
}

static void send(struct span *span, const char *url, const char *etag)
{
    const struct http_header if_match = {"If-Match", etag};
    const struct http_request request = {
        .url = url,
        .headers = &if_match,
        .n_headers = etag ? 1 : 0,
        .range_off = span->got,
        .range_len = span->end - span->got,
        .urgent = span->urgent,
        .follow = true,
        .on_head = on_head,
        .on_data = on_data,
        .on_done = on_done,
        .ctx = span,
    };
    span->status = 0;
    span->retry_after_ms = -1;
    int r = http_start(span->blob->fetch->options.http, &request);
    if (r < 0)
        fail(span, r);
}

/* Takes the spans that waited for the locator. */
static struct span *take_unlocated(struct blob *blob)
{
    pthread_mutex_lock(&blob->lock);
    struct span *spans = steal_ptr(blob->unlocated);
    blob->locating = false;
    pthread_mutex_unlock(&blob->lock);
    return spans;
}

/* Sets the locator that was found, unless it is one of other content. */
static int adopt_locator(struct blob *blob, struct locator *found)
{
    int r = 0;
    pthread_mutex_lock(&blob->lock);
    if (blob->locator.etag && found->etag && strcmp(blob->locator.etag, found->etag) != 0) {
        r = -ESTALE;
    } else {
        free(blob->locator.url);
        blob->locator.url = steal_ptr(found->url);
        blob->n_located++;
        if (!blob->locator.etag)
            blob->locator.etag = steal_ptr(found->etag);
    }
    pthread_mutex_unlock(&blob->lock);
    return r;
}

/* Finds the blob's bytes; runs on the pool and ends the reference it was queued with. */
static void locate(void *ctx)
{
    struct blob *blob = ctx;
    struct locator found = {0};
    const struct registry_place place = {blob->project_id, blob->model_id};
    int r = atomic_load(&blob->fetch->stopping)
                ? -EIO
                : registry_locate(blob->fetch->options.registry, &place, blob->file_id, &found);
    if (r == 0)
        r = adopt_locator(blob, &found);
    locator_deinit(&found);
    struct span *next;
    for (struct span *span = take_unlocated(blob); span; span = next) {
        next = span->next;
        if (r == 0)
            span_start(span);
        else
            fail(span, r == -ENOENT ? -ESTALE : r);
    }
    blob_unref(blob);
}

/* Queues the span until the blob is located. */
static void wait_for_locator(struct span *span)
{
    struct blob *blob = span->blob;
    pthread_mutex_lock(&blob->lock);
    span->next = blob->unlocated;
    blob->unlocated = span;
    bool start = !blob->locating;
    blob->locating = true;
    pthread_mutex_unlock(&blob->lock);
    if (start && pool_add(blob->fetch->options.pool, locate, blob_ref(blob)) < 0) {
        struct span *next;
        for (struct span *waiting = take_unlocated(blob); waiting; waiting = next) {
            next = waiting->next;
            give_up(waiting, -ENOMEM);
        }
        blob_unref(blob);
    }
}

static void span_start(struct span *span)
{
    struct blob *blob = span->blob;
    int broken = atomic_load(&blob->fetch->stopping) ? -EIO : atomic_load(&blob->broken);
    pthread_mutex_lock(&blob->lock);
    CLEANUP(cleanup_free) char *url = blob->locator.url ? strdup(blob->locator.url) : NULL;
    CLEANUP(cleanup_free) char *etag = blob->locator.etag ? strdup(blob->locator.etag) : NULL;
    span->url_at = blob->n_located;
    pthread_mutex_unlock(&blob->lock);
    if (broken)
        give_up(span, broken);
    else if (url)
        send(span, url, etag);
    else
        wait_for_locator(span);
}

struct span *span_chain(struct span *chain, struct span *last)
{
    struct span **at = &chain;
    while (*at)
        at = &(*at)->next;
    *at = last;
    return chain;
}

void span_start_all(struct span *chain)
{
    while (chain) {
        struct span *span = chain;
        chain = span->next;
        span_start(span);
    }
}
