/* SPDX-License-Identifier: Apache-2.0 */
/* A round: the parsers run; what they want becomes orders, one a file, each of reads of a block at
 * most. Whoever ends the last read has the next round run. */
#include "read/study.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "read/engine.h"
#include "util/cleanup.h"
#include "util/pool.h"

/* What a round holds in memory beside the engine's budget: a model of a thousand shards takes as
 * many rounds as it needs. */
#define ROUND_BYTES (UINT64_C(32) << 20)

struct study {
    struct study_target target;
    struct inquiry *inquiry;
    study_done_fn *done;
    void *ctx;
    struct order *orders;    /* of this round */
    atomic_size_t n_pending; /* reads, and one for who sends them */
};

/* Bytes that a file wants. */
struct order {
    struct order *next;
    struct inquiry_file *file;
    struct blob *blob;
    uint8_t *data;  /* owned; file->glimpse.want_len bytes */
    atomic_int err; /* the first that a read ended with */
};

/* One of its reads. */
struct part {
    struct study *study;
    struct order *order;
    size_t at, len;
};

static void run_round(void *ctx);

static void end_part(struct study *study)
{
    if (atomic_fetch_sub(&study->n_pending, 1) > 1)
        return;
    if (pool_add(study->target.pool, run_round, study) < 0)
        run_round(study);
}

static void note_error(struct order *order, int err)
{
    int none = 0;
    atomic_compare_exchange_strong(&order->err, &none, err);
}

static void on_part(void *ctx, const struct read_answer *answer)
{
    struct part *part = ctx;
    size_t n = 0;
    for (int i = 0; answer->err == 0 && i < answer->n_iov; i++) {
        size_t len =
            answer->iov[i].iov_len < part->len - n ? answer->iov[i].iov_len : part->len - n;
        memcpy(part->order->data + part->at + n, answer->iov[i].iov_base, len);
        n += len;
    }
    if (answer->err < 0 || n < part->len)
        note_error(part->order, answer->err < 0 ? answer->err : -ESTALE);
    struct study *study = part->study;
    free(part);
    end_part(study);
}

static void send_part(struct study *study, struct order *order, size_t at, size_t len)
{
    struct part *part = malloc(sizeof(*part));
    if (!part) {
        note_error(order, -ENOMEM);
        return;
    }
    *part = (struct part){study, order, at, len};
    atomic_fetch_add(&study->n_pending, 1);
    fetch_read(order->blob, order->file->glimpse.want_offset + at, len, 0, on_part, part);
}

/* Reads end at blocks' ends, where the engine would split them anyway. */
static void send_order(struct study *study, struct order *order)
{
    uint64_t offset = order->file->glimpse.want_offset;
    size_t want = order->file->glimpse.want_len;
    int broken = atomic_load(&order->blob->broken);
    if (broken) {
        note_error(order, broken);
        return;
    }
    for (size_t at = 0, len; at < want; at += len) {
        len = WAIT_MAX_BYTES - (size_t)((offset + at) % WAIT_MAX_BYTES);
        len = len < want - at ? len : want - at;
        send_part(study, order, at, len);
    }
}

/* The blob of one of the inquiry's files; NULL when memory is short. */
static struct blob *blob_of(const struct study *study, const struct inquiry_file *file)
{
    const struct study_target *target = &study->target;
    BUF_CLEANUP struct buf texts = {0};
    struct listing_entry entry;
    if (listing_get_whole(target->listing, target->entries[file->file], &texts, &entry) < 0)
        return NULL;
    return fetch_blob(target->fetch, &(struct blob_source){target->origin, target->place, &entry});
}

/* 0 or -ENOMEM. */
static int add_order(struct study *study, struct inquiry_file *file)
{
    struct order *order = calloc(1, sizeof(*order));
    uint8_t *data = malloc(file->glimpse.want_len);
    struct blob *blob = order && data ? blob_of(study, file) : NULL;
    if (!blob) {
        free(order);
        free(data);
        return -ENOMEM;
    }
    order->next = study->orders;
    order->file = file;
    order->blob = blob;
    order->data = data;
    study->orders = order;
    return 0;
}

/* Orders what the files want, as much as a round holds. */
static void order_all(struct study *study)
{
    struct inquiry *inquiry = study->inquiry;
    uint64_t bytes = 0;
    for (size_t i = 0; i < inquiry->n_files; i++) {
        struct inquiry_file *file = inquiry->files[i];
        if (!inquiry_wants(file))
            continue;
        bytes += file->glimpse.want_len;
        if (bytes > ROUND_BYTES && study->orders)
            return;
        if (add_order(study, file) < 0)
            inquiry_fail(file, -ENOMEM);
    }
}

/* Gives the files what came. */
static void deliver(struct study *study)
{
    struct order *order;
    while ((order = study->orders)) {
        struct inquiry_file *file = order->file;
        int err = atomic_load(&order->err);
        study->orders = order->next;
        if (err == 0)
            err = inquiry_give(file, steal_ptr(order->data), file->glimpse.want_len);
        if (err < 0) /* bytes that are not those of their SHA-256 say nothing of the format */
            inquiry_fail(file, err == -EBADMSG ? -EIO : err);
        free(order->data);
        blob_unref(order->blob);
        free(order);
    }
}

static void run_round(void *ctx)
{
    struct study *study = ctx;
    deliver(study);
    int r = inquiry_step(study->inquiry);
    if (r != -EAGAIN) {
        study_done_fn *done = study->done;
        void *done_ctx = study->ctx;
        free(study);
        done(done_ctx, r);
        return;
    }
    atomic_store(&study->n_pending, 1);
    order_all(study);
    for (struct order *order = study->orders; order; order = order->next)
        send_order(study, order);
    end_part(study);
}

void study_begin(const struct study_target *target, struct inquiry *inquiry, study_done_fn *done,
                 void *ctx)
{
    struct study *study = calloc(1, sizeof(*study));
    if (!study) {
        done(ctx, -ENOMEM);
        return;
    }
    study->target = *target;
    study->inquiry = inquiry;
    study->done = done;
    study->ctx = ctx;
    run_round(study);
}
