/* SPDX-License-Identifier: Apache-2.0 */
/* Builds messages of protocol buffers for tests: fields one after another, in a buf. */
#pragma once

#include <stdint.h>
#include <string.h>

#include "check.h"
#include "util/buf.h"

static inline void proto_raw_varint(struct buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        CHECK_EQ(buf_putc(out, (char)(value | 0x80)), 0);
    CHECK_EQ(buf_putc(out, (char)value), 0);
}

static inline void proto_varint(struct buf *out, uint32_t number, uint64_t value)
{
    proto_raw_varint(out, (uint64_t)number << 3);
    proto_raw_varint(out, value);
}

/* The head of a field of @len bytes, which the caller appends. */
static inline void proto_head(struct buf *out, uint32_t number, uint64_t len)
{
    proto_raw_varint(out, (uint64_t)number << 3 | 2);
    proto_raw_varint(out, len);
}

static inline void proto_bytes(struct buf *out, uint32_t number, const void *data, size_t len)
{
    proto_head(out, number, len);
    CHECK_EQ(buf_append(out, data, len), 0);
}

static inline void proto_text(struct buf *out, uint32_t number, const char *text)
{
    proto_bytes(out, number, text, strlen(text));
}

/* Appends @message as a field, and empties it. */
static inline void proto_message(struct buf *out, uint32_t number, struct buf *message)
{
    proto_bytes(out, number, message->data ? message->data : "", message->len);
    buf_deinit(message);
}
