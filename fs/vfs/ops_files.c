/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "read/reader.h"
#include "util/cleanup.h"
#include "vfs/ops_handle.h"
#include "vfs/ops_handlers.h"
#include "vfs/ops_trace.h"
#include "vfs/ops_walk.h"
#include "vfs/read_ahead.h"
#include "vfs/views.h"

/* What an open file is: one of the five. */
struct open_file {
    struct open_handle handle;
    struct reader *reader; /* of a blob, or, behind the text, of a window */
    struct tree_node node; /* of a text made once */
    struct buf text;       /* of a text made at this open */
    struct ops_trace *trace;
};

static void free_file(struct open_handle *handle)
{
    struct open_file *file = (struct open_file *)handle;
    reader_close(file->reader);
    if (file->trace)
        ops_trace_close(file->trace);
    tree_node_deinit(&file->node);
    buf_deinit(&file->text);
    free(file);
}

static struct open_file *file_of(const struct fuse_file_info *fi)
{
    return (struct open_file *)(uintptr_t)fi->fh;
}

static int open_blob(struct ops *ops, const struct tree_node *node, struct open_file *file)
{
    CLEANUP(ops_source_deinit) struct ops_source source = {0};
    int r = ops_source_init(&source, node, node->layout->nodes[node->index].ref);
    return r < 0 ? r : reader_open(ops->options.fetch, &source.blob, &file->reader);
}

static int open_window(struct ops *ops, const struct tree_node *node, struct open_file *file)
{
    CLEANUP(ops_source_deinit) struct ops_source source = {0};
    struct layout_window window = {0};
    int r = layout_window(node->layout, node->index, &window);
    file->text = window.head;
    if (r == 0)
        r = ops_source_init(&source, node, window.entry);
    return r < 0 ? r
                 : reader_open_part(ops->options.fetch, &source.blob, window.offset,
                                    window.size_bytes, &file->reader);
}

/* What the checkpoint's files hold is told where it is known. */
static int open_own_live(struct ops *ops, const struct tree_node *node, struct open_file *file)
{
    uint64_t ino = node->layout->nodes[node->index].ino;
    struct layout *contents = NULL;
    if (views_tells_contents(node->layout, node->index))
        tree_get_contents(ops->options.tree, ino, &contents);
    int r = views_live_text(node->layout, node->index, contents, &file->text);
    layout_unref(contents);
    return r;
}

/* What is made by us and not always the same. */
static int open_live(fuse_req_t req, const struct tree_node *node, struct open_file *file)
{
    struct ops *ops = ops_of(req);
    uint32_t number = node->layout->nodes[node->index].ref;
    if (views_is_own_live(node->layout, node->index))
        return open_own_live(ops, node, file);
    if (number != VIEW_TRACE)
        return ops->options.live_text(ops->options.live_ctx, number, &file->text);
    int r = ops_trace_open(ops->trace, req);
    file->trace = r == 0 ? ops->trace : NULL;
    return r;
}

static int open_node(fuse_req_t req, fuse_ino_t ino, struct open_file *file,
                     struct fuse_file_info *fi)
{
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    struct ops *ops = ops_of(req);
    int r = tree_get(ops->options.tree, ino, &node);
    if (r < 0)
        return r;
    const struct layout_node *n = &node.layout->nodes[node.index];
    fi->keep_cache = n->kind != NODE_LIVE;
    fi->direct_io = n->kind == NODE_LIVE;
    fi->nonseekable = n->kind == NODE_LIVE && n->ref == VIEW_TRACE;
    switch ((enum node_kind)n->kind) {
    case NODE_FILE:
        return open_blob(ops, &node, file);
    case NODE_WINDOW:
        return open_window(ops, &node, file);
    case NODE_LIVE:
        return open_live(req, &node, file);
    case NODE_TEXT:
        file->node = node;
        node.layout = NULL;
        return 0;
    default:
        return -EISDIR;
    }
}

/* Not before the first file is opened: the answer to INIT, which comes first of all, lowers the
 * kernel's read-ahead to what it was. */
static void raise_read_ahead(struct ops *ops)
{
    if (!atomic_flag_test_and_set(&ops->read_ahead_raised))
        read_ahead_set(ops->mountpoint, ops->options.read_ahead_kib);
}

static void reply_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    if ((fi->flags & O_ACCMODE) != O_RDONLY) {
        fuse_reply_err(req, EROFS);
        return;
    }
    struct open_file *file = calloc(1, sizeof(*file));
    if (!file) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    raise_read_ahead(ops_of(req));
    file->handle.free = free_file;
    int r = open_node(req, ino, file, fi);
    if (r == 0) {
        ops_reply_open(req, fi, &file->handle);
    } else {
        free_file(&file->handle);
        ops_reply_error(req, r);
    }
}

/* Whether @ino tells what files hold, which may have to be read first. */
static bool tells_contents(struct ops *ops, fuse_ino_t ino)
{
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    if (tree_get(ops->options.tree, ino, &node) < 0)
        return false;
    return node.layout->nodes[node.index].kind == NODE_LIVE &&
           views_tells_contents(node.layout, node.index);
}

/* Without the contents, when they cannot be had, the rest is told. */
static void on_contents(void *ctx, int err)
{
    struct parked *p = ctx;
    struct ops *ops = ops_of(p->req);
    (void)err;
    reply_open(p->req, p->ino, &p->fi);
    ops_meter_end(&ops->meter, p->kind, p->began_ns);
    free(p);
}

static void open_contents(fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi)
{
    struct parked *p = ops_new_parked(req, OPS_OPEN, ino, "", NULL);
    if (!p)
        return;
    p->fi = *fi;
    tree_need_contents(ops_of(req)->options.tree, ino, on_contents, p);
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct ops *ops = ops_of(req);
    if (tells_contents(ops, ino)) {
        open_contents(req, ino, fi);
        return;
    }
    uint64_t began_ns = ops_meter_begin(&ops->meter, OPS_OPEN);
    reply_open(req, ino, fi);
    ops_meter_end(&ops->meter, OPS_OPEN, began_ns);
}

static uint64_t answer_bytes(const struct read_answer *answer)
{
    uint64_t bytes = 0;
    for (int i = 0; i < answer->n_iov; i++)
        bytes += answer->iov[i].iov_len;
    return bytes;
}

/* Answers a read; every one ends here. */
static void end_read(struct read_ticket *ticket, const struct read_answer *answer)
{
    struct ops_meter *meter = &ticket->ops->meter;
    enum read_source source = answer->err < 0 ? READ_NOWHERE : answer->source;
    ops_trace_note(ticket, answer);
    ops_meter_answer(meter, source, answer->err < 0 ? 0 : answer_bytes(answer));
    if (answer->err < 0)
        ops_reply_error(ticket->req, answer->err);
    else
        fuse_reply_iov(ticket->req, answer->iov, answer->n_iov);
    ops_meter_end_read(meter, source, ticket->began_ns);
    buf_deinit(&ticket->head);
    free(ticket);
}

/* The same with the header's bytes before those that were read. */
static void end_headed_read(struct read_ticket *ticket, const struct read_answer *answer)
{
    CLEANUP(cleanup_free) struct iovec *iov = calloc((size_t)answer->n_iov + 1, sizeof(*iov));
    struct read_answer whole = {.err = -ENOMEM};
    if (iov) {
        iov[0] = (struct iovec){ticket->head.data, ticket->head.len};
        for (int i = 0; i < answer->n_iov; i++)
            iov[i + 1] = answer->iov[i];
        whole =
            (struct read_answer){.source = answer->source, .iov = iov, .n_iov = answer->n_iov + 1};
    }
    end_read(ticket, &whole);
}

static void on_read(void *ctx, const struct read_answer *answer)
{
    struct read_ticket *ticket = ctx;
    if (ticket->head.len && answer->err == 0)
        end_headed_read(ticket, answer);
    else
        end_read(ticket, answer);
}

/* Answers with a copy: once the kernel has it, another thread may release the file and its text
 * while this one is still in writev(). */
static void answer_text(struct read_ticket *ticket, const char *data, size_t len)
{
    size_t from = ticket->off < len ? (size_t)ticket->off : len;
    size_t n = ticket->size < len - from ? ticket->size : len - from;
    CLEANUP(cleanup_free) char *copy = malloc(n + 1);
    if (copy && n)
        memcpy(copy, data + from, n);
    const struct iovec piece = {copy, n};
    end_read(ticket,
             &(struct read_answer){.err = copy ? 0 : -ENOMEM, .iov = &piece, .n_iov = n ? 1 : 0});
}

/* Reads a window: what the read covers of its header goes before the file's bytes. */
static void read_window(const struct open_file *file, struct read_ticket *ticket)
{
    size_t head = file->text.len, from = ticket->off < head ? (size_t)ticket->off : head;
    size_t n = ticket->size < head - from ? ticket->size : head - from;
    if (n == ticket->size) {
        answer_text(ticket, file->text.data, head);
        return;
    }
    if (n && buf_append(&ticket->head, file->text.data + from, n) < 0) {
        end_read(ticket, &(struct read_answer){.err = -ENOMEM});
        return;
    }
    reader_read(file->reader, ticket->off + n - head, ticket->size - n, on_read, ticket);
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    const struct open_file *file = file_of(fi);
    struct ops *ops = ops_of(req);
    if (file->trace) { /* is neither counted nor timed: it may wait for long */
        ops_trace_read(file->trace, req, size, fi);
        return;
    }
    uint64_t began_ns = ops_meter_begin(&ops->meter, OPS_READ);
    struct read_ticket *ticket = malloc(sizeof(*ticket));
    if (!ticket) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    *ticket = (struct read_ticket){req, ops, ino, (uint64_t)off, size, began_ns, {0}};
    if (file->reader && file->text.len) {
        read_window(file, ticket);
    } else if (file->reader) {
        /* Once it is answered, neither the request nor the file is there for sure. */
        if (reader_read(file->reader, (uint64_t)off, size, on_read, ticket))
            ops_walk_on(ops, ino);
    } else if (file->node.layout) {
        const struct layout_text *text =
            &file->node.layout->texts[file->node.layout->nodes[file->node.index].ref];
        answer_text(ticket, text->data, text->len);
    } else {
        answer_text(ticket, file->text.data, file->text.len);
    }
}
