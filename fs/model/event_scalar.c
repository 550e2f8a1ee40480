/* SPDX-License-Identifier: Apache-2.0 */
#include "model/event_scalar.h"

#include <errno.h>

#include "model/protobuf.h"
#include "model/tensor_proto.h"

/* Summary.Value. Texts are borrowed. */
struct value {
    struct protobuf_field tag, node, plugin;
    bool has_plugin;
    enum { VALUE_OTHER, VALUE_SIMPLE, VALUE_TENSOR } kind;
    double number;
    struct protobuf_field tensor;
};

/* SummaryMetadata, and its PluginData: the plugin's name. */
static int read_plugin(const struct protobuf_field *message, int depth, struct value *out)
{
    struct protobuf rest = protobuf_of(message->data, message->len);
    struct protobuf_field field;
    int r;
    while ((r = protobuf_next(&rest, &field)) > 0) {
        if (field.number != 1 || field.type != PROTOBUF_BYTES)
            continue;
        if (depth == 0) {
            out->plugin = field;
            out->has_plugin = field.len > 0;
        } else if (read_plugin(&field, depth - 1, out) < 0) {
            return -EBADMSG;
        }
    }
    return r;
}

/* The numbers of Summary.Value's fields. */
enum {
    TAG = 1,
    SIMPLE_VALUE = 2,
    IMAGE = 4,
    HISTOGRAM = 5,
    AUDIO = 6,
    NODE_NAME = 7,
    TENSOR = 8,
    METADATA = 9
};

static int read_value_field(const struct protobuf_field *field, struct value *out)
{
    if (field->number == SIMPLE_VALUE && field->type == PROTOBUF_FIXED32) {
        out->kind = VALUE_SIMPLE;
        out->number = (double)protobuf_float(field);
    }
    if (field->type != PROTOBUF_BYTES)
        return 0;
    switch (field->number) {
    case TAG:
        out->tag = *field;
        break;
    case NODE_NAME:
        out->node = *field;
        break;
    case IMAGE:
    case HISTOGRAM:
    case AUDIO:
        out->kind = VALUE_OTHER;
        break;
    case TENSOR:
        out->kind = VALUE_TENSOR;
        out->tensor = *field;
        break;
    case METADATA:
        return read_plugin(field, 1, out);
    }
    return 0;
}

static int read_value(const uint8_t *data, size_t len, struct value *out)
{
    struct protobuf rest = protobuf_of(data, len);
    struct protobuf_field field;
    int r;
    *out = (struct value){0};
    while ((r = protobuf_next(&rest, &field)) > 0)
        if (read_value_field(&field, out) < 0)
            return -EBADMSG;
    return r;
}

/* Whether it is a scalar: sets number. Old writers of tensors named only the node. */
static bool is_scalar(struct value *value)
{
    if (value->kind != VALUE_TENSOR)
        return value->kind == VALUE_SIMPLE;
    bool is_said = value->has_plugin && protobuf_is(&value->plugin, "scalars");
    if (value->has_plugin && !is_said)
        return false;
    if (!value->tag.len)
        value->tag = value->node;
    return tensor_proto_number(value->tensor.data, value->tensor.len, is_said, &value->number);
}

bool event_scalar_read(const uint8_t *data, size_t len, struct event_scalar *out)
{
    struct value value;
    if (read_value(data, len, &value) < 0 || !is_scalar(&value))
        return false;
    *out = (struct event_scalar){value.tag.data, value.tag.len, value.number};
    return true;
}
