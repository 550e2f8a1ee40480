/* SPDX-License-Identifier: Apache-2.0 */
#include "model/long_message.h"

#include <errno.h>

#include "util/minmax.h"

enum { TYPE_BITS = 3 };

int long_field_read(const uint8_t *at, size_t n, struct long_message *rest, struct long_field *out)
{
    struct protobuf head = protobuf_of(at, n);
    uint64_t tag, len = 0;
    if (protobuf_next_varint(&head, &tag) != 1 || tag >> TYPE_BITS == 0 ||
        tag >> TYPE_BITS > UINT32_MAX)
        return -EBADMSG;
    out->number = (uint32_t)(tag >> TYPE_BITS);
    out->type = (enum protobuf_type)(tag & ((1 << TYPE_BITS) - 1));
    if (out->type == PROTOBUF_BYTES && protobuf_next_varint(&head, &len) != 1)
        return -EBADMSG;
    if (out->type != PROTOBUF_BYTES) {
        struct protobuf whole = protobuf_of(at, n);
        struct protobuf_field field;
        if (protobuf_next(&whole, &field) != 1)
            return -EBADMSG;
        out->value = field.value;
        head = whole;
    }
    rest->at += (size_t)(head.at - at);
    if (len > rest->end - rest->at)
        return -EBADMSG;
    out->bytes = (struct long_message){rest->at, rest->at + len};
    rest->at += len;
    return 0;
}

int long_message_next(struct glimpse *glimpse, struct long_message *rest, struct long_field *out)
{
    size_t n = (size_t)min_u64(rest->end - rest->at, LONG_FIELD_MAX_HEAD_BYTES);
    *out = (struct long_field){0};
    if (!n)
        return 0;
    const uint8_t *at = glimpse_ask(glimpse, rest->at, n, LONG_MESSAGE_ASK_BYTES);
    if (!at)
        return glimpse_error(glimpse);
    int r = long_field_read(at, n, rest, out);
    return r < 0 ? r : 1;
}
