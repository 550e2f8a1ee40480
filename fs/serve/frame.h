/* SPDX-License-Identifier: Apache-2.0 */
/* The framing that some clients put around an uploaded file though they announce plain bytes
 * (pure):
 *
 *     --<32 hex>\r\n
 *     Content-Disposition: form-data; name="file"; filename="..."\r\n
 *     \r\n
 *     <the file>\r\n
 *     --<the same 32 hex>--\r\n
 *
 * A frame is fed a body piece by piece and gives back the file's bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

/* Called with the next bytes of the file. Not 0 ends the feeding with that value. */
typedef int (*frame_sink)(const void *data, size_t len, void *arg);

/* CRLF, two dashes, 32 digits, two dashes, CRLF. */
enum { FRAME_TAIL_BYTES = 40 };

/* Embedded by value; starts as {0}, ends with frame_deinit(). Not thread-safe. */
struct frame {
    int state;
    struct buf head;             /* what looks like a head, as far as it came */
    char tail[FRAME_TAIL_BYTES]; /* held back: the closing line, if the body ends here */
    size_t tail_len;
};

#define FRAME_CLEANUP CLEANUP(frame_deinit)

void frame_deinit(struct frame *f);

/* Takes the next bytes of the body and hands the file's bytes among them to @sink. 0, -ENOMEM or
 * what the sink said. */
int frame_feed(struct frame *f, const void *data, size_t len, frame_sink sink, void *arg);

enum frame_end {
    FRAME_RAW,    /* there was no frame: all bytes were handed on */
    FRAME_CLOSED, /* one frame was taken off */
    FRAME_OPEN,   /* a head without its closing line: no frame, f->head belongs before the rest */
};

/* Ends the body: hands on what was held back. *out_end says what it was. 0 or what the sink
 * said. */
int frame_finish(struct frame *f, frame_sink sink, void *arg, enum frame_end *out_end);
