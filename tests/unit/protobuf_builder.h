/* SPDX-License-Identifier: Apache-2.0 */
/* Writes messages of protocol buffers, field by field, at the end of a buf. */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "model/protobuf.h"
#include "util/buf.h"

static inline void put_varint(struct buf *out, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        buf_putc(out, (char)(value | 0x80));
    buf_putc(out, (char)value);
}

static inline void put_little(struct buf *out, uint64_t value, size_t n)
{
    value = htole64(value);
    buf_append(out, &value, n);
}

static inline void put_number(struct buf *out, uint32_t field, uint64_t value)
{
    put_varint(out, (uint64_t)field << 3 | PROTOBUF_VARINT);
    put_varint(out, value);
}

static inline void put_bytes(struct buf *out, uint32_t field, const void *data, size_t len)
{
    put_varint(out, (uint64_t)field << 3 | PROTOBUF_BYTES);
    put_varint(out, len);
    buf_append(out, data, len);
}

static inline void put_text(struct buf *out, uint32_t field, const char *text)
{
    put_bytes(out, field, text, strlen(text));
}

/* A message: @message is emptied. */
static inline void put_message(struct buf *out, uint32_t field, struct buf *message)
{
    put_bytes(out, field, message->data, message->len);
    buf_deinit(message);
}

static inline void put_double(struct buf *out, uint32_t field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    put_varint(out, (uint64_t)field << 3 | PROTOBUF_FIXED64);
    put_little(out, bits, sizeof(bits));
}

static inline void put_float(struct buf *out, uint32_t field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    put_varint(out, (uint64_t)field << 3 | PROTOBUF_FIXED32);
    put_little(out, bits, sizeof(bits));
}
