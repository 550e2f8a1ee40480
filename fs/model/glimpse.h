/* SPDX-License-Identifier: Apache-2.0 */
/* A glimpse of one file: the parts that were read so far, and the part that its parser wants next.
 * A parser takes bytes where it needs them; when some are not here yet it ends with -EAGAIN, and is
 * called again from its start once they are. So a parser is a plain function of bytes, and somebody
 * else reads them, of many files at once. Pure; not thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* What is asked for at least, as long as the file goes: a round trip costs as much as that. */
    GLIMPSE_MIN_BYTES = 64 << 10,
    /* What one file may hold at a time: headers of models are megabytes, and a size in a file is
     * never believed further than this. */
    GLIMPSE_MAX_BYTES = 128 << 20,
};

struct glimpse_part {
    uint64_t offset; /* in the file */
    size_t len;
    uint8_t *data; /* owned */
};

struct glimpse {
    uint64_t size_bytes;        /* the file's, as its registry says */
    struct glimpse_part *parts; /* owned; by offset, none touches another */
    size_t n_parts;
    uint64_t held_bytes;  /* in all parts */
    uint64_t want_offset; /* what is wanted next; within the file */
    size_t want_len;      /* 0: nothing is */
    int error;            /* glimpse_error() */
    uint64_t
        taken_bytes; /* a parser that goes through a file once keeps its place here; 0 at first */
    uint64_t taken_state[3]; /* and what it must know of what it took; 0 at first */
};

void glimpse_init(struct glimpse *glimpse, uint64_t size_bytes);
void glimpse_deinit(struct glimpse *glimpse);

/* The bytes [offset, offset + n), borrowed until bytes are added or dropped; n may be 0. NULL when
 * they are not all here: the parser returns glimpse_error(). */
const uint8_t *glimpse_at(struct glimpse *glimpse, uint64_t offset, uint64_t n);
/* The same, asking for @guess bytes from @offset on (as far as the file goes) where the @n are not
 * here, for who knows that more will be needed. What of the guess there is no room for is left
 * out. */
const uint8_t *glimpse_ask(struct glimpse *glimpse, uint64_t offset, uint64_t n, uint64_t guess);

/* How many bytes are here from @offset on, up to the next hole: what glimpse_at() gave goes on for
 * so many. */
uint64_t glimpse_held(const struct glimpse *glimpse, uint64_t offset);

/* Why glimpse_at() gave NULL: -EAGAIN, they are wanted; -EBADMSG, the file ends before; -EFBIG,
 * they are too many. */
int glimpse_error(const struct glimpse *glimpse);

/* Takes over @data (from malloc()), @len bytes at @offset; what overlaps older bytes is cut. What
 * was wanted is no longer. 0 or -ENOMEM; @data is gone either way. */
int glimpse_add(struct glimpse *glimpse, uint64_t offset, uint8_t *data, size_t len);

/* Lets go of what lies before @offset. */
void glimpse_drop(struct glimpse *glimpse, uint64_t offset);
