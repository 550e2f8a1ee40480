/* SPDX-License-Identifier: Apache-2.0 */
/* After a jump over something large only little is asked for: where one weight is large, the next
 * one is too, and a window would be read for the few bytes that stand between them. */
#include "model/wire.h"

#include <errno.h>
#include <string.h>

#include "util/minmax.h"

enum { MAX_VARINT_BYTES = 10 };

struct wire wire_of(struct glimpse *glimpse)
{
    return (struct wire){.glimpse = glimpse, .window_bytes = WIRE_WINDOW_BYTES};
}

/* @n bytes at @at, asking for a window where they are not here. */
static const uint8_t *look(struct wire *wire, uint64_t at, uint64_t n)
{
    struct glimpse *glimpse = wire->glimpse;
    if (glimpse->size_bytes <= WIRE_WHOLE_BYTES && !glimpse_ask(glimpse, 0, 1, WIRE_WHOLE_BYTES))
        return NULL;
    return glimpse_ask(glimpse, at, n, wire->window_bytes);
}

/* The bytes that a field's tag and number, or the number alone, may take. */
static int head(struct wire *wire, const struct long_message *message, uint64_t max,
                struct protobuf *out)
{
    if (++wire->n_fields > WIRE_MAX_FIELDS)
        return -EFBIG;
    uint64_t n = min_u64(max, message->end - message->at);
    const uint8_t *data = look(wire, message->at, n);
    if (!data)
        return glimpse_error(wire->glimpse);
    *out = protobuf_of(data, (size_t)n);
    return 0;
}

int wire_next(struct wire *wire, struct long_message *message, struct long_field *out)
{
    struct protobuf bytes = {0};
    *out = (struct long_field){0};
    if (message->at >= message->end)
        return 0;
    int r = head(wire, message, LONG_FIELD_MAX_HEAD_BYTES, &bytes);
    if (r == 0)
        r = long_field_read(bytes.at, (size_t)(bytes.end - bytes.at), message, out);
    if (r < 0)
        return r;
    if (out->type == PROTOBUF_BYTES)
        wire->window_bytes =
            wire_len(out) >= WIRE_WINDOW_BYTES ? GLIMPSE_MIN_BYTES : WIRE_WINDOW_BYTES;
    return 1;
}

int wire_next_varint(struct wire *wire, struct long_message *rest, uint64_t *out)
{
    struct protobuf bytes = {0};
    if (rest->at >= rest->end)
        return 0;
    int r = head(wire, rest, MAX_VARINT_BYTES, &bytes);
    if (r < 0)
        return r;
    size_t n = protobuf_varint(bytes.at, bytes.end, out);
    rest->at += n;
    return n ? 1 : -EBADMSG;
}

int wire_text(struct wire *wire, const struct long_field *field, char *out, size_t max)
{
    uint64_t len = wire_len(field);
    if (field->type != PROTOBUF_BYTES || len > max)
        return -EBADMSG;
    const uint8_t *data = look(wire, field->bytes.at, len);
    if (!data)
        return glimpse_error(wire->glimpse);
    memcpy(out, data, (size_t)len);
    out[len] = '\0';
    return 0;
}
