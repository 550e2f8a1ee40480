/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/buffer.h"

#include <stddef.h>

struct block_buf *block_buf_ref(struct block_buf *buf)
{
    __atomic_fetch_add(&buf->refs, 1, __ATOMIC_RELAXED);
    return buf;
}

void block_buf_unref(struct block_buf *buf)
{
    if (buf && __atomic_sub_fetch(&buf->refs, 1, __ATOMIC_ACQ_REL) == 0)
        buf->release(buf);
}
