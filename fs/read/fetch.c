/* SPDX-License-Identifier: Apache-2.0 */
/* A request for bytes becomes, under the blob's lock: for each block a flight, found or made; for
 * the pieces that nobody brings yet spans, as few as possible; for a reader that waits a link to
 * each flight that lacks something. The lock is let go, then the spans are sent.
 *
 * A reader that finds no memory goes to the backlog, which runs again when buffers come back;
 * read-ahead just ends there. */
#include "read/fetch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "read/engine.h"
#include "read/landing.h"
#include "read/plan.h"
#include "util/cleanup.h"
#include "util/pool.h"

enum { DEFAULT_DEADLINE_MS = 60000 };

/* A buffer for @block, if need be in place of a block that was only kept in case. */
static struct block_buf *take_buf(struct blob *blob, uint32_t block, enum budget_lane lane)
{
    struct block_buf *buf;
    uint32_t len = blob_block_bytes(blob, block);
    while (!(buf = budget_take(blob->fetch->budget, len, lane)))
        if (!landing_drop_kept(blob->fetch))
            return NULL;
    return buf;
}

DEFINE_CLEANUP(struct block_buf *, cleanup_buf, block_buf_unref)

static bool has_all(struct blob *blob, uint32_t block, uint16_t need)
{
    pthread_mutex_lock(&blob->lock);
    struct flight *flight = flight_find(blob, block, need);
    bool has = flight && (!flight->sealed || (need & ~flight->requested) == 0);
    pthread_mutex_unlock(&blob->lock);
    return has;
}

/* The flight to ask for @need of @block: one that is there, or a new one around *buf (taken then).
 * Under the blob's lock. */
static struct flight *find_or_make(struct blob *blob, uint32_t block, uint16_t need,
                                   struct block_buf **buf)
{
    struct flight *flight = flight_find(blob, block, need);
    if (flight || !*buf)
        return flight;
    flight = flight_new(blob, block, *buf);
    if (flight)
        *buf = NULL;
    return flight;
}

static uint32_t last_block(uint64_t off, uint64_t len)
{
    return (uint32_t)((off + len - 1) / BLOCK_BYTES);
}

/* Asks for block @block's part of [off, off + len); false when memory ends. */
static bool ahead_block(struct plan *plan, uint32_t block, uint64_t off, uint64_t len)
{
    struct blob *blob = plan->blob;
    uint16_t need = flight_pieces(block, off, len);
    CLEANUP(cleanup_buf) struct block_buf *buf = NULL;
    if (!has_all(blob, block, need) && !(buf = take_buf(blob, block, BUDGET_AHEAD)))
        return false;
    pthread_mutex_lock(&blob->lock);
    struct flight *flight = find_or_make(blob, block, need, &buf);
    if (flight)
        plan_request(plan, flight, need);
    pthread_mutex_unlock(&blob->lock);
    return flight != NULL;
}

/* Plans [off, off + len), block by block, passing over what the cache has. Returns where memory
 * ended. */
static uint64_t plan_ahead(struct plan *plan, uint64_t off, uint64_t len)
{
    struct blocks *blocks = plan->blob->fetch->options.blocks;
    uint64_t end = off + len;
    while (off < end) {
        uint64_t block_end = (off / BLOCK_BYTES + 1) * BLOCK_BYTES,
                 to = block_end < end ? block_end : end;
        uint64_t cached = blocks ? blocks_run(blocks, &plan->blob->id, off, to - off) : 0;
        if (cached < to - off &&
            !ahead_block(plan, (uint32_t)(off / BLOCK_BYTES), off + cached, to - off - cached))
            return off;
        off = to;
    }
    return end;
}

uint64_t fetch_ahead(struct blob *blob, uint64_t off, uint64_t len)
{
    struct plan plan = {.blob = blob};
    if (!len || atomic_load(&blob->fetch->stopping))
        return off + len;
    uint64_t end = plan_ahead(&plan, off, len);
    pthread_mutex_lock(&blob->lock);
    plan_close(&plan);
    pthread_mutex_unlock(&blob->lock);
    plan_run(&plan);
    return end;
}

void fetch_expect(struct fetch *fetch, const struct blob_source *source, uint64_t bytes)
{
    struct blob *blob = bytes ? fetch_blob(fetch, source) : NULL;
    if (blob && !atomic_load(&blob->broken))
        fetch_ahead(blob, 0, bytes < blob->size_bytes ? bytes : blob->size_bytes);
    blob_unref(blob);
}

/* Fills @buf with what the cache has of the read's part in @block, when that is all of it. */
static bool load_cached(struct blob *blob, uint32_t block, uint16_t need, struct block_buf *buf)
{
    struct blocks *blocks = blob->fetch->options.blocks;
    struct blocks_view view;
    unsigned first = (unsigned)__builtin_ctz(need), last = 31u - (unsigned)__builtin_clz(need);
    uint64_t off = block * BLOCK_BYTES + first * PIECE_BYTES;
    uint64_t end = block * BLOCK_BYTES + (last + 1) * PIECE_BYTES;
    if (end > blob->size_bytes)
        end = blob->size_bytes;
    if (!blocks || blocks_view(blocks, &blob->id, off, (size_t)(end - off), &view) == 0)
        return false;
    bool whole = view.len == end - off;
    uint8_t *at = buf->data + first * PIECE_BYTES;
    for (int i = 0; whole && i < view.n_pieces; at += view.piece[i++].iov_len)
        memcpy(at, view.piece[i].iov_base, view.piece[i].iov_len);
    blocks_view_end(&view);
    return whole;
}

/* The read's part in one block: what is brought for it before the lock is taken. */
struct part {
    uint32_t block;
    uint16_t need;
    bool cached; /* buf holds it already */
    struct block_buf *buf;
};

struct parts {
    int n;
    struct part part[WAIT_MAX_BLOCKS];
};

static void parts_deinit(struct parts *parts)
{
    for (int i = 0; i < parts->n; i++)
        block_buf_unref(parts->part[i].buf);
}

/* Buffers for the blocks of [off, off + len) that are not on their way. -EAGAIN when memory is
 * short. */
static int parts_init(struct parts *parts, struct blob *blob, uint64_t off, size_t len)
{
    uint32_t last = last_block(off, len);
    for (uint32_t block = (uint32_t)(off / BLOCK_BYTES); block <= last; block++) {
        struct part *part = &parts->part[parts->n++];
        *part = (struct part){.block = block, .need = flight_pieces(block, off, len)};
        if (has_all(blob, block, part->need))
            continue;
        part->buf = take_buf(blob, block, BUDGET_DEMAND);
        if (!part->buf)
            return -EAGAIN;
        part->cached = load_cached(blob, block, part->need, part->buf);
    }
    return 0;
}

/* The farthest place that one of its blocks came from. */
static void note_source(struct wait *wait, enum read_source source)
{
    if (wait->source < source)
        wait->source = source;
}

/* Joins one block's flight; under the blob's lock. -EAGAIN when it went since and there is no
 * buffer for a new one. */
static int join_part(struct plan *plan, struct wait *wait, struct part *part)
{
    struct flight *flight = find_or_make(plan->blob, part->block, part->need, &part->buf);
    if (!flight)
        return part->buf ? -ENOMEM : -EAGAIN;
    if (part->cached && !part->buf) {
        flight->requested = flight->filled = part->need;
        flight->sealed = true;
        flight_join(flight, wait, part->need);
        flight_unref(flight_remove(plan->blob, flight));
        return 0;
    }
    note_source(wait, part->need & ~flight->requested ? READ_FETCHED : READ_JOINED);
    plan_request(plan, flight, part->need);
    flight_join(flight, wait, part->need);
    return 0;
}

/* Lets a wait out of the flights it joined. Under the blob's lock. */
static void unjoin(struct wait *wait)
{
    for (int i = 0; i < wait->n_flights; i++) {
        for (struct wait_link **at = &wait->flights[i]->waits; *at; at = &(*at)->next)
            if ((*at)->wait == wait) {
                *at = (*at)->next;
                break;
            }
        flight_unref(wait->flights[i]);
    }
    wait->n_flights = wait->n_pending = 0;
}

/* Joins all parts, or none (-errno). *out_ready: the bytes are all here already. */
static int join_all(struct plan *plan, struct wait *wait, struct parts *parts, bool *out_ready)
{
    struct blob *blob = plan->blob;
    int r = 0;
    pthread_mutex_lock(&blob->lock);
    for (int i = 0; r == 0 && i < parts->n; i++)
        r = join_part(plan, wait, &parts->part[i]);
    plan_close(plan);
    if (r < 0)
        unjoin(wait);
    *out_ready = r == 0 && wait->n_pending == 0;
    pthread_mutex_unlock(&blob->lock);
    return r;
}

/* Answers a read of bytes that were all here. */
static void answer_ready(struct blob *blob, struct wait *wait)
{
    struct flight *flights[WAIT_MAX_BLOCKS];
    int n = wait->n_flights;
    for (int i = 0; i < n; i++)
        flights[i] = flight_ref(wait->flights[i]);
    waits_finish(wait);
    for (int i = 0; i < n; i++) {
        landing_note_read(blob, flights[i]);
        flight_unref(flights[i]);
    }
}

/* One try: 0 when the read is on its way (or done), -EAGAIN when memory is short, or another
 * -errno. */
static int try_read(struct blob *blob, uint64_t off, size_t len, uint64_t ahead_bytes,
                    read_done_fn *done, void *ctx)
{
    CLEANUP(parts_deinit) struct parts parts = {0};
    struct plan plan = {.blob = blob, .urgent = true};
    bool ready;
    int r = parts_init(&parts, blob, off, len);
    struct wait *wait = r == 0 ? calloc(1, sizeof(*wait)) : NULL;
    if (!wait)
        return r < 0 ? r : -ENOMEM;
    *wait = (struct wait){.off = off, .len = len, .done = done, .ctx = ctx, .source = READ_CACHED};
    r = join_all(&plan, wait, &parts, &ready);
    if (r == 0 && ahead_bytes && !ready) {
        plan_ahead(&plan, off + len, ahead_bytes);
        pthread_mutex_lock(&blob->lock);
        plan_close(&plan);
        pthread_mutex_unlock(&blob->lock);
    }
    plan_run(&plan);
    if (r < 0)
        free(wait);
    else if (ready)
        answer_ready(blob, wait);
    return r;
}

static void run_backlog(void *ctx);

static int add_to_backlog(struct blob *blob, uint64_t off, size_t len, read_done_fn *done,
                          void *ctx)
{
    struct fetch *fetch = blob->fetch;
    struct backlog_item *item = malloc(sizeof(*item));
    if (!item)
        return -ENOMEM;
    *item = (struct backlog_item){
        .blob = blob_ref(blob), .off = off, .len = len, .done = done, .ctx = ctx};
    pthread_mutex_lock(&fetch->lock);
    *fetch->backlog_end = item;
    fetch->backlog_end = &item->next;
    pthread_mutex_unlock(&fetch->lock);
    return 0;
}

/* Runs the backlog a little later, once for many calls. */
static void wake_backlog(void *ctx)
{
    struct fetch *fetch = ctx;
    pthread_mutex_lock(&fetch->lock);
    bool start = fetch->backlog && !fetch->backlog_due;
    fetch->backlog_due |= start;
    pthread_mutex_unlock(&fetch->lock);
    if (start && pool_add(fetch->options.pool, run_backlog, fetch) < 0) {
        pthread_mutex_lock(&fetch->lock);
        fetch->backlog_due = false;
        pthread_mutex_unlock(&fetch->lock);
    }
}

static void run_backlog(void *ctx)
{
    struct fetch *fetch = ctx;
    pthread_mutex_lock(&fetch->lock);
    struct backlog_item *items = steal_ptr(fetch->backlog);
    fetch->backlog_end = &fetch->backlog;
    fetch->backlog_due = false;
    pthread_mutex_unlock(&fetch->lock);
    while (items) {
        struct backlog_item *item = items;
        items = item->next;
        fetch_read(item->blob, item->off, item->len, 0, item->done, item->ctx);
        blob_unref(item->blob);
        free(item);
    }
}

void fetch_read(struct blob *blob, uint64_t off, size_t len, uint64_t ahead_bytes,
                read_done_fn *done, void *ctx)
{
    assert(len && len <= WAIT_MAX_BYTES && off + len <= blob->size_bytes);
    struct fetch *fetch = blob->fetch;
    int r = atomic_load(&fetch->stopping) ? -EIO : atomic_load(&blob->broken);
    if (r == 0)
        r = try_read(blob, off, len, ahead_bytes, done, ctx);
    if (r == -EAGAIN) {
        r = add_to_backlog(blob, off, len, done, ctx);
        /* Room may have come between the refusal and now. */
        if (r == 0 && budget_used_bytes(fetch->budget) < budget_limit_bytes(fetch->budget))
            wake_backlog(fetch);
    }
    if (r < 0)
        done(ctx, &(struct read_answer){.err = r});
}

int fetch_new(const struct fetch_options *options, struct fetch **out)
{
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    if (!fetch)
        return -ENOMEM;
    fetch->options = *options;
    if (!fetch->options.deadline_ms)
        fetch->options.deadline_ms = DEFAULT_DEADLINE_MS;
    fetch->backlog_end = &fetch->backlog;
    TAILQ_INIT(&fetch->kept);
    pthread_mutex_init(&fetch->lock, NULL);
    int r = budget_new(options->memory_bytes ? options->memory_bytes : budget_default_bytes(),
                       options->pool, &fetch->budget);
    if (r < 0) {
        free(fetch);
        return r;
    }
    budget_on_room(fetch->budget, wake_backlog, fetch);
    *out = fetch;
    return 0;
}

void fetch_stop(struct fetch *fetch)
{
    atomic_store(&fetch->stopping, true);
    budget_stop(fetch->budget);
    run_backlog(fetch);
    while (landing_drop_kept(fetch))
        ;
}

void fetch_free(struct fetch *fetch)
{
    if (!fetch)
        return;
    while (landing_drop_kept(fetch))
        ;
    assert(fetch->blobs.n == 0 && !fetch->backlog);
    map_deinit(&fetch->blobs);
    budget_free(fetch->budget);
    pthread_mutex_destroy(&fetch->lock);
    free(fetch);
}

void fetch_get_stats(struct fetch *fetch, struct fetch_stats *out)
{
    *out = (struct fetch_stats){
        .n_reads = atomic_load(&fetch->n_reads),
        .n_hits = atomic_load(&fetch->n_hits),
        .bytes_asked = atomic_load(&fetch->bytes_asked),
        .bytes_hit = atomic_load(&fetch->bytes_hit),
        .bytes_fetched = atomic_load(&fetch->bytes_fetched),
        .n_spans = atomic_load(&fetch->n_spans),
        .n_retries = atomic_load(&fetch->n_retries),
        .n_failures = atomic_load(&fetch->n_failures),
        .memory_used_bytes = budget_used_bytes(fetch->budget),
        .memory_limit_bytes = budget_limit_bytes(fetch->budget),
        .memory_kept_bytes = budget_kept_bytes(fetch->budget),
        .n_spans_now = atomic_load(&fetch->n_spans_now),
    };
}
