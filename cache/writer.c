/* SPDX-License-Identifier: Apache-2.0 */
/* One large block a transaction was measured to be the cheapest, and it keeps the write lock free
 * between blocks for other processes; small ones, of small files, share one.
 *
 * The limit is held by evicting before a block is put. LMDB cannot use the pages that the last
 * transactions freed, nor those that a reader still looks at, so some room is left over; when that
 * is not enough the transaction fails with -ENOSPC, more is evicted, and after a few tries the
 * block is given up: a cache may forget. */
#include "cache/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "cache/evict.h"
#include "cache/guard.h"
#include "cache/record.h"
#include "cache/resident.h"

enum {
    IDLE_SECONDS = 10,
    TOUCHES_A_TXN = 512,
    EVICTIONS_A_TXN = 32, /* LMDB lists each freed page, 257 a block, and writes what is left of
                             the oldest list again in each transaction */
    TRIES = 4,
    CHAIN_BYTES = 256 << 10, /* of small blocks in one transaction, which costs more than they do */
    MANY_FAILED = 16,
    JOB_BYTES = 1024, /* what a job that nobody waits for counts in the queue, at least */
};
static const uint64_t max_queue_bytes = UINT64_C(256) << 20;
static const uint64_t most_set_aside_bytes = UINT64_C(64) << 20;

enum job_kind { JOB_STORE, JOB_CALL, JOB_POST };

struct job {
    struct job *next;
    enum job_kind kind;
    struct block_buf *buf; /* of JOB_STORE: a reference */
    writer_fn *fn;
    void *ctx;
    uint64_t need_bytes;
    uint64_t queued_bytes; /* what it counts in the queue */
    int result;            /* of JOB_CALL, whose caller owns the job and waits until it is done */
    bool done;
};

struct writer {
    struct writer_options options;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the queue */
    pthread_cond_t changed;
    pthread_cond_t finished; /* a JOB_CALL is done */
    struct job *first, **last;
    uint64_t queued_bytes;
    bool stopping;
    bool dead;                  /* the environment is broken: jobs are refused */
    unsigned n_failed_in_a_row; /* blocks; of the thread */
    int64_t settled_at_s;       /* of the thread: when uses were last written down */
    uint64_t set_aside_bytes;   /* of the thread: the disk has room for a file of so many */
    _Atomic uint64_t written, evicted, given_up;
};

static void report(struct writer *writer, const char *text)
{
    if (writer->options.report)
        writer->options.report(writer->options.report_ctx, text);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static int64_t monotonic_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

/* --- room --- */

/* Whether the disk has no room for @more bytes beside what is to stay free. */
static bool is_disk_low(const struct writer *writer, uint64_t more)
{
    struct statvfs fs;
    uint64_t keep = writer->options.min_free_bytes;
    if (keep == 0 || statvfs(writer->options.dir, &fs) != 0)
        return false;
    uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    return free_bytes < keep || free_bytes - keep < more;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What the file may grow to, for a transaction that adds @need bytes: its limit, or on a full disk
 * what it has. The disk is asked for room, and about it, a part at a time. */
static uint64_t growth_limit(struct writer *writer, uint64_t file_bytes, uint64_t need)
{
    uint64_t limit = writer->options.limit_bytes;
    if (file_bytes >= limit || file_bytes + need <= writer->set_aside_bytes ||
        writer->set_aside_bytes >= limit)
        return limit;
    uint64_t to = least(limit, file_bytes + need + least(limit / 32, most_set_aside_bytes));
    if (is_disk_low(writer, to - file_bytes))
        return file_bytes;
    env_set_aside(writer->options.tables->env, to);
    writer->set_aside_bytes = to;
    return limit;
}

/* What may be in use after a transaction that adds @need bytes: the limit, or on a full disk what
 * the file has already, less a part that is kept for pages LMDB cannot use again yet. */
static int room_below(struct writer *writer, struct env_txn *txn, uint64_t need, uint64_t *out)
{
    struct env_usage usage;
    int r = env_usage(txn, writer->options.tables->blocks, &usage);
    if (r < 0)
        return r;
    uint64_t limit = growth_limit(writer, usage.file_bytes, need);
    uint64_t spare = limit / 32 > (UINT64_C(4) << 20) ? limit / 32 : UINT64_C(4) << 20;
    *out = limit > need + spare ? limit - need - spare : 0;
    return 0;
}

/* 0, EVICT_MORE when this transaction is to be committed and another one to go on, -errno. */
static int make_room(struct writer *writer, struct env_txn *txn, uint64_t need)
{
    uint64_t most = 0, n_evicted = 0;
    int r = room_below(writer, txn, need, &most);
    if (r == 0)
        r = evict_down_to(txn, writer->options.tables, most, EVICTIONS_A_TXN, &n_evicted);
    atomic_fetch_add(&writer->evicted, n_evicted);
    return r;
}

/* --- transactions --- */

static int run_guarded(struct writer *writer, struct env_txn *txn, writer_fn *fn, void *ctx)
{
    int r = GUARDED(fn(txn, writer->options.tables, ctx));
    return r == GUARD_FAULT ? env_set_broken(writer->options.tables->env) : r;
}

/* One transaction. 0, EVICT_MORE when fn did not run yet, -errno. */
static int run_step(struct writer *writer, writer_fn *fn, void *ctx, uint64_t need)
{
    struct env_txn *txn;
    int r = env_begin(writer->options.tables->env, true, &txn);
    if (r < 0)
        return r;
    int room = need ? make_room(writer, txn, need) : 0;
    r = room == 0 ? run_guarded(writer, txn, fn, ctx) : room;
    if (r < 0) {
        env_abort(txn);
        return r;
    }
    r = env_commit(txn);
    return r == 0 ? room : r;
}

static int run_once(struct writer *writer, writer_fn *fn, void *ctx, uint64_t need)
{
    int r;
    do
        r = run_step(writer, fn, ctx, need);
    while (r == EVICT_MORE);
    return r;
}

static int do_nothing(struct env_txn *txn, const struct tables *tables, void *ctx)
{
    (void)txn;
    (void)tables;
    (void)ctx;
    return 0;
}

/* Readers hold what they look at for the length of one reply. */
static void wait_for_readers(int attempt)
{
    struct timespec pause = {.tv_nsec = 1000000L << attempt};
    nanosleep(&pause, NULL);
}

/* Evicts until @room bytes more fit in. In two transactions: what one freed LMDB uses in the next
 * but one. */
static int free_room(struct writer *writer, uint64_t room)
{
    int r = run_once(writer, do_nothing, NULL, room);
    return r == 0 ? run_once(writer, do_nothing, NULL, room + BLOCK_BYTES) : r;
}

/* Runs fn in a transaction that may put @need bytes; makes more and more room while there is not
 * enough. */
static int run_with_room(struct writer *writer, writer_fn *fn, void *ctx, uint64_t need)
{
    int r = run_once(writer, fn, ctx, need);
    uint64_t room = need > BLOCK_BYTES ? need : BLOCK_BYTES; /* what only removes needs some, too */
    for (int i = 1; i < TRIES && r == -ENOSPC; i++) {
        env_forget_dead_readers(writer->options.tables->env);
        wait_for_readers(i);
        r = free_room(writer, room << (2 * i));
        if (r == 0)
            r = run_once(writer, fn, ctx, need);
    }
    return r;
}

/* --- storing a block --- */

/* Whether pieces are lacking that may be stored already. */
static bool is_partial(const struct block_buf *buf)
{
    for (unsigned i = 0; i < BLOCK_PIECES; i++)
        if (piece_len(buf->len, i) > 0 && !(buf->present >> i & 1))
            return true;
    return false;
}

/* What is stored of the block already: a copy, since the transaction is about to change it. NULL:
 * nothing sound. */
static void *copy_old(struct env_txn *txn, const struct tables *tables, const struct block_buf *buf,
                      struct env_bytes key, struct record *out)
{
    struct env_bytes value;
    if (env_get(txn, tables->blocks, key, &value) < 0)
        return NULL;
    resident_bring(value.data, value.len);
    if (record_open(value.data, value.len, &buf->blob, buf->block, out) < 0)
        return NULL;
    void *copy = out->header.len == buf->len ? malloc(value.len) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, value.data, value.len);
    record_open(copy, value.len, &buf->blob, buf->block, out);
    return copy;
}

static int put_record(struct env_txn *txn, const struct tables *tables, struct env_bytes key,
                      const struct record_draft *draft)
{
    void *room;
    int r = env_reserve(txn, tables->blocks, key, record_bytes(draft), &room);
    if (r < 0)
        return r;
    record_write(draft, room);
    return evict_note_use(txn, tables, key.data, now_ns());
}

static int store(struct env_txn *txn, const struct tables *tables, void *ctx)
{
    const struct block_buf *buf = ctx;
    uint8_t key[BLOCK_KEY_BYTES];
    block_key_format(&buf->blob, buf->block, key);
    struct env_bytes key_bytes = {.data = key, .len = sizeof(key)};
    struct record old = {0};
    int r = tables_check_entry(txn, tables, key);
    if (r < 0)
        return r;
    void *copy = is_partial(buf) ? copy_old(txn, tables, buf, key_bytes, &old) : NULL;
    struct record_draft draft = {
        .blob = buf->blob,
        .block = buf->block,
        .len = buf->len,
        .present = buf->present | old.header.present,
        .data = buf->data,
        .from_old = copy ? old.header.present & (uint16_t)~buf->present : 0,
        .old = &old,
    };
    if (!copy)
        draft.present = buf->present;
    r = put_record(txn, tables, key_bytes, &draft);
    free(copy);
    return r;
}

/* A block that finds no room while readers hold on to what could go is nothing to speak of; many in
 * a row are. */
static void note_outcome(struct writer *writer, int r)
{
    if (r == 0) {
        atomic_fetch_add(&writer->written, 1);
        writer->n_failed_in_a_row = 0;
        return;
    }
    atomic_fetch_add(&writer->given_up, 1);
    if (++writer->n_failed_in_a_row == MANY_FAILED && r != -EIO)
        report(writer, r == -ENOSPC
                           ? "no room for blocks: the disk is full, or the cache's size too small"
                           : "blocks cannot be written");
}

static int store_chain(struct env_txn *txn, const struct tables *tables, void *ctx)
{
    int r = 0;
    for (const struct job *job = ctx; r == 0 && job; job = job->next)
        r = store(txn, tables, job->buf);
    return r;
}

/* Stores a chain of blocks in one transaction. */
static void run_stores(struct writer *writer, struct job *chain)
{
    uint64_t need = 0;
    for (const struct job *job = chain; job; job = job->next)
        need += job->buf->len;
    int r = run_with_room(writer, store_chain, chain, need);
    while (chain) {
        struct job *job = chain;
        chain = job->next;
        note_outcome(writer, r);
        pending_remove(writer->options.pending, job->buf);
        block_buf_unref(job->buf);
        free(job);
    }
}

/* --- uses --- */

static int note_uses(struct env_txn *txn, const struct tables *tables, void *ctx)
{
    uint8_t key[BLOCK_KEY_BYTES];
    uint64_t now = now_ns();
    int r = 0;
    for (int i = 0; i < TOUCHES_A_TXN && r == 0 && tokens_take_touched(ctx, key); i++) {
        r = evict_note_use(txn, tables, key, now);
        if (r == -ENOENT)
            r = 0;
    }
    return r;
}

/* Writes down what was used. Uses that find no room are forgotten. */
static void settle_uses(struct writer *writer)
{
    writer->settled_at_s = monotonic_s();
    while (tokens_has_touched(writer->options.tokens))
        if (run_once(writer, note_uses, writer->options.tokens, 0) < 0)
            return;
}

/* --- the thread --- */

static void finish_call(struct writer *writer, struct job *job, int result)
{
    pthread_mutex_lock(&writer->mutex);
    job->result = result;
    job->done = true;
    pthread_cond_broadcast(&writer->finished);
    pthread_mutex_unlock(&writer->mutex);
}

/* Runs a job, or a chain of JOB_STORE. */
static void run_job(struct writer *writer, struct job *job)
{
    if (job->kind == JOB_STORE) {
        run_stores(writer, job);
        return;
    }
    int r = run_with_room(writer, job->fn, job->ctx, job->need_bytes);
    if (job->kind == JOB_CALL) {
        finish_call(writer, job, r);
    } else {
        free(job->ctx);
        free(job);
    }
}

/* Takes the first job out of the queue, and the blocks behind it that go into the same transaction.
 * Under the mutex. */
static struct job *unlink_jobs(struct writer *writer)
{
    struct job *first = writer->first, *last = first;
    uint64_t bytes = first->kind == JOB_STORE ? first->buf->len : CHAIN_BYTES;
    writer->queued_bytes -= first->queued_bytes;
    while (last->next && last->next->kind == JOB_STORE &&
           (bytes += last->next->buf->len) <= CHAIN_BYTES) {
        last = last->next;
        writer->queued_bytes -= last->queued_bytes;
    }
    writer->first = last->next;
    if (!writer->first)
        writer->last = &writer->first;
    last->next = NULL;
    return first;
}

/* Waits for a job, or a chain of JOB_STORE. NULL: nothing came for a while, or the end. */
static struct job *take_jobs(struct writer *writer)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    pthread_mutex_lock(&writer->mutex);
    int late = 0;
    while (!writer->first && !writer->stopping && late != ETIMEDOUT)
        late = pthread_cond_timedwait(&writer->changed, &writer->mutex, &until);
    struct job *job = writer->first ? unlink_jobs(writer) : NULL;
    pthread_mutex_unlock(&writer->mutex);
    return job;
}

static bool is_stopping(struct writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    bool stopping = writer->stopping;
    pthread_mutex_unlock(&writer->mutex);
    return stopping;
}

/* Refuses what comes from now on, so that nobody waits for a thread that is gone. */
static void die(struct writer *writer)
{
    report(writer, "the cache is damaged; going on without it. It is made anew at the next start");
    pthread_mutex_lock(&writer->mutex);
    writer->dead = true;
    struct job *job = writer->first;
    writer->first = NULL;
    pthread_mutex_unlock(&writer->mutex);
    for (struct job *next; job; job = next) {
        next = job->next;
        job->next = NULL;
        run_job(writer, job); /* fails at once: the environment is broken */
    }
}

static void *run(void *ctx)
{
    struct writer *writer = ctx;
    struct env *env = writer->options.tables->env;
    while (!env_is_broken(env)) {
        struct job *job = take_jobs(writer);
        if (job)
            run_job(writer, job);
        bool stopping = is_stopping(writer);
        if (!job || monotonic_s() - writer->settled_at_s >= IDLE_SECONDS)
            settle_uses(writer);
        if (!job && stopping)
            return NULL;
        if (!job)
            env_sync(env);
    }
    die(writer);
    return NULL;
}

/* --- the face --- */

static void init_locks(struct writer *writer)
{
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_cond_init(&writer->finished, NULL);
}

static void writer_destroy(struct writer *writer)
{
    pthread_cond_destroy(&writer->finished);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->mutex);
    free(writer);
}

int writer_new(const struct writer_options *options, struct writer **out)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return -ENOMEM;
    writer->options = *options;
    writer->last = &writer->first;
    writer->settled_at_s = monotonic_s();
    init_locks(writer);
    int r = pthread_create(&writer->thread, NULL, run, writer);
    if (r != 0) {
        writer_destroy(writer);
        return -r;
    }
    *out = writer;
    return 0;
}

void writer_free(struct writer *writer)
{
    if (!writer)
        return;
    pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    writer_destroy(writer);
}

/* Puts the job behind the others. False when the writer is dead or the queue has no room for @bytes
 * more. */
static bool enqueue(struct writer *writer, struct job *job, uint64_t bytes)
{
    pthread_mutex_lock(&writer->mutex);
    bool taken = !writer->dead && writer->queued_bytes + bytes <= max_queue_bytes;
    if (taken) {
        job->queued_bytes = bytes;
        *writer->last = job;
        writer->last = &job->next;
        writer->queued_bytes += bytes;
        pthread_cond_signal(&writer->changed);
    }
    pthread_mutex_unlock(&writer->mutex);
    return taken;
}

bool writer_offer(struct writer *writer, struct block_buf *buf)
{
    struct job *job = calloc(1, sizeof(*job));
    if (!job || !pending_add(writer->options.pending, buf)) {
        free(job);
        return false;
    }
    job->kind = JOB_STORE;
    job->buf = block_buf_ref(buf);
    if (enqueue(writer, job, buf->len + JOB_BYTES))
        return true;
    pending_remove(writer->options.pending, buf);
    block_buf_unref(buf);
    free(job);
    return false;
}

int writer_call(struct writer *writer, writer_fn *fn, void *ctx, uint64_t need_bytes)
{
    struct job job = {.kind = JOB_CALL, .fn = fn, .ctx = ctx, .need_bytes = need_bytes};
    if (!enqueue(writer, &job, 0))
        return -EIO;
    pthread_mutex_lock(&writer->mutex);
    while (!job.done)
        pthread_cond_wait(&writer->finished, &writer->mutex);
    pthread_mutex_unlock(&writer->mutex);
    return job.result;
}

void writer_post(struct writer *writer, writer_fn *fn, void *ctx)
{
    struct job *job = calloc(1, sizeof(*job));
    if (job) {
        job->kind = JOB_POST;
        job->fn = fn;
        job->ctx = ctx;
    }
    if (job && enqueue(writer, job, JOB_BYTES))
        return;
    free(job);
    free(ctx);
}

void writer_get_stats(struct writer *writer, struct writer_stats *out)
{
    out->written = atomic_load(&writer->written);
    out->evicted = atomic_load(&writer->evicted);
    out->given_up = atomic_load(&writer->given_up);
}
