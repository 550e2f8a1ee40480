/* SPDX-License-Identifier: Apache-2.0 */
#include "model/protobuf.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

enum { MAX_VARINT_BYTES = 10, TYPE_BITS = 3 };

size_t protobuf_varint(const uint8_t *at, const uint8_t *end, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < MAX_VARINT_BYTES && at + i < end; i++) {
        value |= (uint64_t)(at[i] & 0x7f) << (7 * i);
        if (at[i] < 0x80) {
            *out = value;
            return i + 1;
        }
    }
    return 0;
}

/* A little-endian number of @n bytes. */
static bool read_fixed(struct protobuf *message, size_t n, uint64_t *out)
{
    uint64_t bits = 0;
    if ((size_t)(message->end - message->at) < n)
        return false;
    memcpy(&bits, message->at, n);
    *out = le64toh(bits);
    message->at += n;
    return true;
}

static bool read_varint(struct protobuf *message, uint64_t *out)
{
    size_t n = protobuf_varint(message->at, message->end, out);
    message->at += n;
    return n > 0;
}

static bool read_bytes(struct protobuf *message, struct protobuf_field *out)
{
    uint64_t len;
    if (!read_varint(message, &len) || len > (uint64_t)(message->end - message->at))
        return false;
    out->data = message->at;
    out->len = (size_t)len;
    message->at += len;
    return true;
}

static bool read_value(struct protobuf *message, struct protobuf_field *out)
{
    switch (out->type) {
    case PROTOBUF_VARINT:
        return read_varint(message, &out->value);
    case PROTOBUF_FIXED64:
        return read_fixed(message, 8, &out->value);
    case PROTOBUF_FIXED32:
        return read_fixed(message, 4, &out->value);
    case PROTOBUF_BYTES:
        return read_bytes(message, out);
    }
    return false;
}

int protobuf_next(struct protobuf *message, struct protobuf_field *out)
{
    uint64_t tag;
    *out = (struct protobuf_field){0};
    if (message->at == message->end)
        return 0;
    if (!read_varint(message, &tag) || tag >> TYPE_BITS == 0 || tag >> TYPE_BITS > UINT32_MAX)
        return -EBADMSG;
    out->number = (uint32_t)(tag >> TYPE_BITS);
    out->type = (enum protobuf_type)(tag & ((1 << TYPE_BITS) - 1));
    return read_value(message, out) ? 1 : -EBADMSG;
}

bool protobuf_is(const struct protobuf_field *field, const char *text)
{
    return field->type == PROTOBUF_BYTES && field->len == strlen(text) &&
           memcmp(field->data, text, field->len) == 0;
}

float protobuf_float(const struct protobuf_field *field)
{
    uint32_t bits = (uint32_t)field->value;
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

double protobuf_double(const struct protobuf_field *field)
{
    double value;
    memcpy(&value, &field->value, sizeof(value));
    return value;
}

int protobuf_next_varint(struct protobuf *rest, uint64_t *out)
{
    if (rest->at == rest->end)
        return 0;
    return read_varint(rest, out) ? 1 : -EBADMSG;
}
