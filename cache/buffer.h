/* SPDX-License-Identifier: Apache-2.0 */
/* A block's bytes in memory, on their way into the cache. */
#pragma once

#include <stdint.h>

#include "cache/key.h"

/* Counted: whoever holds a reference may read the pieces that are present. */
struct block_buf {
    struct blob_id blob;
    uint32_t block;
    uint32_t len;     /* bytes of this block: BLOCK_BYTES, less in a blob's last */
    uint16_t present; /* bit i: piece i is there; constant from the offer on */
    /* Called when the last reference goes; frees data and the buf itself. */
    void (*release)(struct block_buf *buf);
    void *owner;   /* for release() */
    int refs;      /* atomic; starts at 1 */
    uint8_t *data; /* len bytes at least */
};
struct block_buf *block_buf_ref(struct block_buf *buf);
void block_buf_unref(struct block_buf *buf); /* NULL is fine */
