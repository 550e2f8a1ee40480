/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a body is framed is known only at its end, and a body may be of any size. So the head is
 * taken off as soon as it is whole, and kept; the last 40 bytes seen are always held back. At the
 * end they either are the closing line, and are dropped, or they are content, and then so was the
 * head: the caller, who has a file, puts it in front. That second case takes somebody who stores
 * half a frame on purpose.
 *
 *     HEAD --does not match, or is too long--> RAW
 *       \--blank line--> BODY --end, tail matches--> closed
 *                          \--end, it does not--> open
 *
 * Only one frame is taken off: a file may itself begin with one. */
#include "serve/frame.h"

#include <string.h>

enum { STATE_HEAD, STATE_BODY, STATE_RAW };

enum {
    BOUNDARY_BYTES = 34, /* two dashes and 32 digits */
    HEAD_LIMIT =
        32768, /* the head holds a path of the client's machine: 4 KiB, each byte escaped or not */
};

static const char disposition[] = "\r\nContent-Disposition: form-data; name=\"file\"";

void frame_deinit(struct frame *f)
{
    buf_deinit(&f->head);
    *f = (struct frame){0};
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Could the byte at @at of a body belong to a frame's head? */
static bool fits_head(size_t at, char c)
{
    if (at < 2)
        return c == '-';
    if (at < BOUNDARY_BYTES)
        return is_hex(c);
    if (at < BOUNDARY_BYTES + sizeof(disposition) - 1)
        return c == disposition[at - BOUNDARY_BYTES];
    return at < HEAD_LIMIT;
}

static bool head_is_whole(const struct buf *head)
{
    return head->len >= BOUNDARY_BYTES + sizeof(disposition) - 1 + 4 &&
           memcmp(head->data + head->len - 4, "\r\n\r\n", 4) == 0;
}

/* Takes bytes into the head until it is whole or turns out to be none. *used says how many. */
static int feed_head(struct frame *f, const char *data, size_t len, size_t *used)
{
    for (*used = 0; *used < len && f->state == STATE_HEAD; (*used)++) {
        if (!fits_head(f->head.len, data[*used])) {
            f->state = STATE_RAW;
            break;
        }
        int r = buf_putc(&f->head, data[*used]);
        if (r < 0)
            return r;
        if (head_is_whole(&f->head))
            f->state = STATE_BODY;
    }
    return 0;
}

static int feed_body(struct frame *f, const char *data, size_t len, frame_sink sink, void *arg)
{
    if (len >= FRAME_TAIL_BYTES) {
        int r = f->tail_len ? sink(f->tail, f->tail_len, arg) : 0;
        if (r == 0 && len > FRAME_TAIL_BYTES)
            r = sink(data, len - FRAME_TAIL_BYTES, arg);
        memcpy(f->tail, data + len - FRAME_TAIL_BYTES, FRAME_TAIL_BYTES);
        f->tail_len = FRAME_TAIL_BYTES;
        return r;
    }
    size_t together = f->tail_len + len;
    size_t out = together > FRAME_TAIL_BYTES ? together - FRAME_TAIL_BYTES : 0;
    int r = out ? sink(f->tail, out, arg) : 0;
    memmove(f->tail, f->tail + out, f->tail_len - out);
    f->tail_len -= out;
    if (len)
        memcpy(f->tail + f->tail_len, data, len);
    f->tail_len += len;
    return r;
}

static int feed_raw(struct frame *f, const char *data, size_t len, frame_sink sink, void *arg)
{
    int r = f->head.len ? sink(f->head.data, f->head.len, arg) : 0;
    buf_deinit(&f->head);
    if (r == 0 && len)
        r = sink(data, len, arg);
    return r;
}

int frame_feed(struct frame *f, const void *data, size_t len, frame_sink sink, void *arg)
{
    const char *at = data;
    size_t used = 0;
    if (f->state == STATE_HEAD) {
        int r = feed_head(f, at, len, &used);
        if (r < 0)
            return r;
    }
    if (f->state == STATE_BODY)
        return feed_body(f, at + used, len - used, sink, arg);
    if (f->state == STATE_RAW)
        return feed_raw(f, at + used, len - used, sink, arg);
    return 0;
}

static bool tail_closes(const struct frame *f)
{
    return f->tail_len == FRAME_TAIL_BYTES && memcmp(f->tail, "\r\n", 2) == 0 &&
           memcmp(f->tail + 2, f->head.data, BOUNDARY_BYTES) == 0 &&
           memcmp(f->tail + 2 + BOUNDARY_BYTES, "--\r\n", 4) == 0;
}

int frame_finish(struct frame *f, frame_sink sink, void *arg, enum frame_end *out_end)
{
    if (f->state != STATE_BODY) {
        *out_end = FRAME_RAW;
        return feed_raw(f, NULL, 0, sink, arg);
    }
    *out_end = tail_closes(f) ? FRAME_CLOSED : FRAME_OPEN;
    if (*out_end == FRAME_CLOSED || f->tail_len == 0)
        return 0;
    return sink(f->tail, f->tail_len, arg);
}
