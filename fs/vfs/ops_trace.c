/* SPDX-License-Identifier: Apache-2.0 */
/* A recorder's read goes through three states. It arrives (`waiting` set, not parked) while its
 * interrupt is being registered, which libfuse does under a lock of its own and with our callback
 * called from within; then it is parked, or answered at once. Whoever takes `waiting` away, under
 * the lock, answers: who notes a read, an interrupt, the end of the mount, or the arriving read
 * itself. */
#include "vfs/ops_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "read/trace_ring.h"
#include "util/cleanup.h"
#include "util/clock.h"

enum { RING_READS = 64 << 10 };

struct ops_trace {
    struct tree *tree;
    atomic_bool is_recording; /* whether ring is there; a hint without the lock */

    pthread_mutex_t lock; /* guards what follows */
    struct trace_ring *ring;
    uint64_t started_ns;
    fuse_req_t waiting; /* the recorder's read; NULL: none */
    size_t waiting_size;
    bool is_parked, has_ended;
};

/* An answer that was made under the lock, and is sent without it. */
struct trace_answer {
    fuse_req_t req; /* NULL: none */
    int err;        /* an errno */
    struct buf bytes;
};

struct ops_trace *ops_trace_new(struct tree *tree)
{
    struct ops_trace *trace = calloc(1, sizeof(*trace));
    if (!trace)
        return NULL;
    trace->tree = tree;
    pthread_mutex_init(&trace->lock, NULL);
    return trace;
}

void ops_trace_free(struct ops_trace *trace)
{
    if (!trace)
        return;
    trace_ring_free(trace->ring);
    pthread_mutex_destroy(&trace->lock);
    free(trace);
}

static void send_answer(struct trace_answer *answer)
{
    if (answer->req && answer->err)
        fuse_reply_err(answer->req, answer->err);
    else if (answer->req)
        fuse_reply_buf(answer->req, answer->bytes.data, answer->bytes.len);
    buf_deinit(&answer->bytes);
}

/* Under the lock: takes the waiting read away, to be answered with @err. */
static void give_up(struct ops_trace *trace, int err, struct trace_answer *out)
{
    out->req = trace->waiting;
    out->err = err;
    trace->waiting = NULL;
}

/* Under the lock: the answer for the waiting read, if there is something to tell it. */
static void answer_waiting(struct ops_trace *trace, struct trace_answer *out)
{
    int r = trace_ring_take(trace->ring, trace->waiting_size, &out->bytes);
    if (r < 0 || out->bytes.len || trace->has_ended)
        give_up(trace, -r, out);
}

/* --- noting --- */

/* What a file is called, and how large it is; -EISDIR of what is no file of the registry. */
static int describe_file(struct ops_trace *trace, fuse_ino_t ino, uint64_t *out_size_bytes,
                         struct buf *out_path)
{
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    int r = tree_get(trace->tree, ino, &node);
    if (r < 0)
        return r;
    const struct layout_node *n = &node.layout->nodes[node.index];
    if (n->kind != NODE_FILE)
        return -EISDIR;
    struct listing_entry entry;
    listing_get(node.layout->listing, n->ref, &entry);
    *out_size_bytes = entry.size_bytes;
    return layout_path(node.layout, node.index, out_path);
}

static bool knows_file(struct ops_trace *trace, fuse_ino_t ino)
{
    pthread_mutex_lock(&trace->lock);
    bool known = !trace->ring || trace_ring_find_file(trace->ring, ino) >= 0;
    pthread_mutex_unlock(&trace->lock);
    return known;
}

/* Adds a file that the ring does not know, unless another thread did meanwhile. False: reads of it
 * are not noted. */
static bool add_file(struct ops_trace *trace, fuse_ino_t ino)
{
    BUF_CLEANUP struct buf path = {0};
    uint64_t size_bytes;
    int r = describe_file(trace, ino, &size_bytes, &path);
    if (r < 0)
        return r != -EISDIR;
    pthread_mutex_lock(&trace->lock);
    if (trace->ring && trace_ring_find_file(trace->ring, ino) < 0)
        trace_ring_add_file(trace->ring, ino, size_bytes, path.data);
    pthread_mutex_unlock(&trace->lock);
    return true;
}

static struct trace_read make_read(const struct read_ticket *ticket,
                                   const struct read_answer *answer)
{
    struct trace_read read = {
        .source = answer->err < 0 ? READ_NOWHERE : answer->source,
        .err = -answer->err,
        .off = ticket->off,
        .size = ticket->size < TRACE_SIZE_MAX ? (uint32_t)ticket->size : TRACE_SIZE_MAX,
        .took_us = (clock_now_ns() - ticket->began_ns) / 1000,
    };
    for (int i = 0; answer->err == 0 && i < answer->n_iov; i++)
        read.got += (uint32_t)answer->iov[i].iov_len;
    return read;
}

/* Under the lock. A file that is not there was one too many: its read is lost. */
static void add_read(struct ops_trace *trace, const struct read_ticket *ticket,
                     struct trace_read *read)
{
    int file = trace_ring_find_file(trace->ring, ticket->ino);
    if (file < 0) {
        trace_ring_lose(trace->ring);
        return;
    }
    read->file = (uint32_t)file;
    read->began_us = ((int64_t)ticket->began_ns - (int64_t)trace->started_ns) / 1000;
    trace_ring_add(trace->ring, read);
}

void ops_trace_note(const struct read_ticket *ticket, const struct read_answer *answer)
{
    struct ops_trace *trace = ticket->ops->trace;
    struct trace_answer wake = {0};
    if (!atomic_load_explicit(&trace->is_recording, memory_order_relaxed))
        return;
    struct trace_read read = make_read(ticket, answer);
    if (!knows_file(trace, ticket->ino) && !add_file(trace, ticket->ino))
        return;
    pthread_mutex_lock(&trace->lock);
    if (trace->ring) {
        add_read(trace, ticket, &read);
        if (trace->waiting && trace->is_parked)
            answer_waiting(trace, &wake);
    }
    pthread_mutex_unlock(&trace->lock);
    send_answer(&wake);
}

/* --- the recorder --- */

int ops_trace_open(struct ops_trace *trace, fuse_req_t req)
{
    uid_t uid = fuse_req_ctx(req)->uid;
    if (uid != 0 && uid != geteuid()) /* it tells what others read */
        return -EACCES;
    struct trace_ring *ring = NULL;
    int r = trace_ring_new(RING_READS, clock_wall_ns() / 1000, &ring);
    if (r < 0)
        return r;
    pthread_mutex_lock(&trace->lock);
    r = trace->ring ? -EBUSY : 0;
    if (r == 0) {
        trace->ring = steal_ptr(ring);
        trace->started_ns = clock_now_ns();
        atomic_store_explicit(&trace->is_recording, true, memory_order_relaxed);
    }
    pthread_mutex_unlock(&trace->lock);
    trace_ring_free(ring);
    return r;
}

void ops_trace_close(struct ops_trace *trace)
{
    pthread_mutex_lock(&trace->lock);
    struct trace_ring *ring = steal_ptr(trace->ring);
    atomic_store_explicit(&trace->is_recording, false, memory_order_relaxed);
    pthread_mutex_unlock(&trace->lock);
    trace_ring_free(ring);
}

/* Of a read that still arrives only the place is taken: it answers itself. */
static void on_interrupt(fuse_req_t req, void *data)
{
    struct ops_trace *trace = data;
    struct trace_answer answer = {0};
    pthread_mutex_lock(&trace->lock);
    if (trace->waiting == req) {
        give_up(trace, EINTR, &answer);
        if (!trace->is_parked)
            answer.req = NULL;
    }
    pthread_mutex_unlock(&trace->lock);
    send_answer(&answer);
}

/* Whether the recorder has no other read under way. */
static bool arrive(struct ops_trace *trace, fuse_req_t req, size_t size)
{
    pthread_mutex_lock(&trace->lock);
    bool is_free = !trace->waiting;
    if (is_free) {
        trace->waiting = req;
        trace->waiting_size = size;
        trace->is_parked = false;
    }
    pthread_mutex_unlock(&trace->lock);
    return is_free;
}

/* Under the lock: answers a read that has arrived, or parks it. */
static void settle(struct ops_trace *trace, fuse_req_t req, bool may_wait, struct trace_answer *out)
{
    if (trace->waiting != req) {
        *out = (struct trace_answer){.req = req, .err = EINTR};
        return;
    }
    answer_waiting(trace, out);
    if (!out->req && !may_wait)
        give_up(trace, EAGAIN, out);
    trace->is_parked = !out->req;
}

void ops_trace_read(struct ops_trace *trace, fuse_req_t req, size_t size,
                    const struct fuse_file_info *fi)
{
    struct trace_answer answer = {0};
    if (!arrive(trace, req, size)) {
        fuse_reply_err(req, EBUSY);
        return;
    }
    fuse_req_interrupt_func(req, on_interrupt, trace);
    pthread_mutex_lock(&trace->lock);
    settle(trace, req, !(fi->flags & O_NONBLOCK), &answer);
    pthread_mutex_unlock(&trace->lock);
    send_answer(&answer);
}

void ops_trace_end(struct ops_trace *trace)
{
    struct trace_answer answer = {0};
    pthread_mutex_lock(&trace->lock);
    trace->has_ended = true;
    if (trace->waiting)
        answer_waiting(trace, &answer);
    pthread_mutex_unlock(&trace->lock);
    send_answer(&answer);
}
