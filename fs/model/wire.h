/* SPDX-License-Identifier: Apache-2.0 */
/* A walk through the long messages of a file whose bytes are asked for in windows, with a bound on
 * what it costs: a message of gigabytes is gone through with little of it read. Pure; not
 * thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/glimpse.h"
#include "model/long_message.h"

enum {
    /* A file of up to that is asked for whole: one round trip. */
    WIRE_WHOLE_BYTES = 8 << 20,
    /* Of a larger one what is read at a time while fields follow closely upon each other. */
    WIRE_WINDOW_BYTES = 1 << 20,
    /* A parser starts anew with each round: what one walk costs is bounded. */
    WIRE_MAX_FIELDS = 1 << 20,
};

/* One walk. */
struct wire {
    struct glimpse *glimpse; /* borrowed */
    uint32_t n_fields;       /* so far */
    uint64_t window_bytes;   /* what is asked for next */
};

struct wire wire_of(struct glimpse *glimpse);

/* The next field of @message: 1; 0 at the end; -EBADMSG for what is no field; -EFBIG when the walk
 * has too many; glimpse_error(). */
int wire_next(struct wire *wire, struct long_message *message, struct long_field *out);

/* The next number of a packed field: 1, 0 at the end, as wire_next(). */
int wire_next_varint(struct wire *wire, struct long_message *rest, uint64_t *out);

/* The content of a field, as a text in @out (at least @max + 1 bytes) that ends at a NUL inside of
 * it. 0; -EBADMSG when the field is none or is longer than @max; glimpse_error(). */
int wire_text(struct wire *wire, const struct long_field *field, char *out, size_t max);

static inline uint64_t wire_len(const struct long_field *field)
{
    return field->bytes.end - field->bytes.at;
}
