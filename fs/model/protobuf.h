/* SPDX-License-Identifier: Apache-2.0 */
/* The wire form of protocol buffers (protobuf.dev, "Encoding"): fields one after another. Knows no
 * message. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum protobuf_type {
    PROTOBUF_VARINT = 0,
    PROTOBUF_FIXED64 = 1,
    PROTOBUF_BYTES = 2, /* also texts, messages and packed numbers */
    PROTOBUF_FIXED32 = 5,
};

/* What is left of a message. Borrowed. */
struct protobuf {
    const uint8_t *at, *end;
};

struct protobuf_field {
    uint32_t number;
    enum protobuf_type type;
    uint64_t value;      /* of a number, its bits */
    const uint8_t *data; /* of PROTOBUF_BYTES; borrowed */
    size_t len;
};

static inline struct protobuf protobuf_of(const void *data, size_t len)
{
    return (struct protobuf){(const uint8_t *)data, (const uint8_t *)data + len};
}

/* The next field: 1; 0 at the end; -EBADMSG for what is no field (groups are none). */
int protobuf_next(struct protobuf *message, struct protobuf_field *out);

/* A varint at @at: its length in bytes, or 0 when it does not end before @end or has more than ten.
 */
size_t protobuf_varint(const uint8_t *at, const uint8_t *end, uint64_t *out);

/* Whether @field is a text that equals @text. */
bool protobuf_is(const struct protobuf_field *field, const char *text);
/* The number that a fixed field's bits are. */
float protobuf_float(const struct protobuf_field *field);
double protobuf_double(const struct protobuf_field *field);

/* The next number of a packed field: 1, 0 at the end, -EBADMSG. Starts from
 * *rest = protobuf_of(field->data, field->len). */
int protobuf_next_varint(struct protobuf *rest, uint64_t *out);
