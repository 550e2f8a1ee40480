/* SPDX-License-Identifier: Apache-2.0 */
/* A message of protocol buffers that lies in a file and is walked through there, field by field, so
 * that what is large in it is stepped over and never read. Pure; not thread-safe. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"
#include "model/protobuf.h"

/* What is asked for at a time. */
enum { LONG_MESSAGE_ASK_BYTES = 1 << 20 };

/* What is left of it: offsets in the file. */
struct long_message {
    uint64_t at, end;
};

struct long_field {
    uint32_t number;
    enum protobuf_type type;
    uint64_t value;            /* of a number, its bits */
    struct long_message bytes; /* of PROTOBUF_BYTES: where they lie */
};

/* What a field's tag, and its number or length, may take. */
enum { LONG_FIELD_MAX_HEAD_BYTES = 20 };
/* Reads the field that begins @rest out of its first @n bytes, at @at; @n is
 * LONG_FIELD_MAX_HEAD_BYTES, or all that is left. Moves @rest behind the field. 0 or -EBADMSG. */
int long_field_read(const uint8_t *at, size_t n, struct long_message *rest, struct long_field *out);

/* The next field: 1; 0 at the end; -EBADMSG for what is no field; or as glimpse_error(). */
int long_message_next(struct glimpse *glimpse, struct long_message *rest, struct long_field *out);
