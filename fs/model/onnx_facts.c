/* SPDX-License-Identifier: Apache-2.0 */
#include "model/onnx_facts.h"

#include <errno.h>
#include <string.h>

#include "model/onnx_tensor.h"
#include "util/buf.h"
#include "util/json.h"

enum {
    MAX_NAME_BYTES = 1024,
    MAX_VALUE_BYTES = 16 << 10, /* of a metadata entry; a longer one is passed over */
    MAX_ENTRIES = 4096,         /* of each list; what comes behind is passed over */
};

int onnx_facts_init(struct onnx_facts *facts)
{
    *facts = (struct onnx_facts){
        .model = json_object(),
        .opset = json_object(),
        .metadata = json_object(),
        .inputs = json_array(),
        .outputs = json_array(),
    };
    return facts->model && facts->opset && facts->metadata && facts->inputs && facts->outputs
               ? 0
               : -ENOMEM;
}

void onnx_facts_deinit(struct onnx_facts *facts)
{
    json_decref(facts->model);
    json_decref(facts->opset);
    json_decref(facts->metadata);
    json_decref(facts->inputs);
    json_decref(facts->outputs);
    free(facts->producer);
    free(facts->maker);
    *facts = (struct onnx_facts){0};
}

/* Sets @key to @value, which is taken over; NULL is memory that was short. */
static int set(json_t *object, const char *key, json_t *value)
{
    JSON_CLEANUP json_t *clean = json_new_text(key);
    if (clean && value)
        return json_object_set_new_nocheck(object, json_string_value(clean), value) < 0 ? -ENOMEM
                                                                                        : 0;
    json_decref(value);
    return -ENOMEM;
}

/* A text of at most @max bytes in *out, owned; *out stays NULL when it is longer or none. */
static int read_text(struct wire *wire, const struct long_field *field, size_t max, char **out)
{
    if (field->type != PROTOBUF_BYTES || wire_len(field) > max)
        return 0;
    size_t len = (size_t)wire_len(field);
    CLEANUP(cleanup_free) char *text = malloc(len + 1);
    int r = text ? wire_text(wire, field, text, len) : -ENOMEM;
    if (r < 0)
        return r;
    free(*out);
    *out = steal_ptr(text);
    return 0;
}

/* A StringStringEntryProto. */
static int take_entry(struct onnx_facts *facts, struct wire *wire, struct long_message entry)
{
    CLEANUP(cleanup_free) char *key = NULL, *value = NULL;
    struct long_field field;
    int r;
    while ((r = wire_next(wire, &entry, &field)) == 1) {
        if (field.number == 1)
            r = read_text(wire, &field, MAX_NAME_BYTES, &key);
        else if (field.number == 2)
            r = read_text(wire, &field, MAX_VALUE_BYTES, &value);
        if (r < 0)
            return r;
    }
    if (r < 0 || !key || !value || json_object_size(facts->metadata) >= MAX_ENTRIES)
        return r;
    return set(facts->metadata, key, json_new_text(value));
}

/* An OperatorSetIdProto; the default domain is empty or not there. */
static int take_opset(struct onnx_facts *facts, struct wire *wire, struct long_message opset)
{
    CLEANUP(cleanup_free) char *domain = NULL;
    struct long_field field;
    uint64_t version = 0;
    int r;
    while ((r = wire_next(wire, &opset, &field)) == 1) {
        if (field.number == 1)
            r = read_text(wire, &field, MAX_NAME_BYTES, &domain);
        else if (field.number == 2 && field.type == PROTOBUF_VARINT)
            version = field.value;
        if (r < 0)
            return r;
    }
    if (r < 0 || json_object_size(facts->opset) >= MAX_ENTRIES)
        return r;
    return set(facts->opset, domain && *domain ? domain : "ai.onnx",
               json_integer((json_int_t)version));
}

int onnx_facts_take_model(struct onnx_facts *facts, struct wire *wire,
                          const struct long_field *field)
{
    bool is_bytes = field->type == PROTOBUF_BYTES;
    switch (field->number) {
    case 1:
        return is_bytes ? -EBADMSG
                        : set(facts->model, "ir_version", json_integer((json_int_t)field->value));
    case 2:
        return read_text(wire, field, MAX_NAME_BYTES, &facts->producer);
    case 3:
        return read_text(wire, field, MAX_NAME_BYTES, &facts->maker);
    case 8:
        return is_bytes ? take_opset(facts, wire, field->bytes) : -EBADMSG;
    case 14:
        return is_bytes ? take_entry(facts, wire, field->bytes) : -EBADMSG;
    default:
        return 0;
    }
}

/* TensorShapeProto.Dimension: dim_value, dim_param, or neither. */
static int read_dim(struct wire *wire, struct long_message message, json_t *shape)
{
    JSON_CLEANUP json_t *dim = json_null();
    CLEANUP(cleanup_free) char *name = NULL;
    struct long_field field;
    int r;
    while ((r = wire_next(wire, &message, &field)) == 1) {
        if (field.number == 1 && field.type == PROTOBUF_VARINT) {
            json_decref(dim); /* of several the last counts */
            dim = json_integer((json_int_t)field.value);
        } else if (field.number == 2) {
            r = read_text(wire, &field, MAX_NAME_BYTES, &name);
        }
        if (r < 0)
            return r;
    }
    if (r == 0 && name && *name) {
        json_decref(dim);
        dim = json_new_text(name);
    }
    if (r < 0)
        return r;
    return json_array_append_new(shape, steal_ptr(dim)) < 0 ? -ENOMEM : 0;
}

static int read_shape(struct wire *wire, struct long_message message, json_t **out)
{
    struct long_field field;
    int r;
    json_decref(*out);
    *out = json_array();
    if (!*out)
        return -ENOMEM;
    while ((r = wire_next(wire, &message, &field)) == 1) {
        if (field.number != 1 || field.type != PROTOBUF_BYTES)
            continue;
        if (json_array_size(*out) >= TENSOR_MAX_DIMS)
            return -EBADMSG;
        if ((r = read_dim(wire, field.bytes, *out)) < 0)
            return r;
    }
    return r;
}

/* What a ValueInfoProto says. */
struct value {
    char *name;
    uint64_t type;
    json_t *shape;
};

static void value_deinit(struct value *value)
{
    free(value->name);
    json_decref(value->shape);
}

/* A TypeProto.Tensor. */
static int read_tensor_type(struct wire *wire, struct long_message message, struct value *value)
{
    struct long_field field;
    int r;
    while ((r = wire_next(wire, &message, &field)) == 1) {
        if (field.number == 1 && field.type == PROTOBUF_VARINT)
            value->type = field.value;
        else if (field.number == 2 && field.type == PROTOBUF_BYTES &&
                 (r = read_shape(wire, field.bytes, &value->shape)) < 0)
            return r;
    }
    return r;
}

/* A TypeProto: of a tensor; sequences, maps and their like have neither dtype nor shape. */
static int read_type(struct wire *wire, struct long_message message, struct value *value)
{
    struct long_field field;
    int r;
    while ((r = wire_next(wire, &message, &field)) == 1)
        if (field.number == 1 && field.type == PROTOBUF_BYTES &&
            (r = read_tensor_type(wire, field.bytes, value)) < 0)
            return r;
    return r;
}

static json_t *value_json(const struct value *value)
{
    struct onnx_dtype type = onnx_dtype_of(value->type);
    const char *dtype = type.dtype ? type.dtype->name : type.name;
    json_t *shape = value->shape ? json_incref(value->shape) : json_null();
    return json_pack("{s:o, s:s?, s:o}", "name", json_new_text(value->name), "dtype", dtype,
                     "shape", shape);
}

static int take_value(struct wire *wire, struct long_message message, json_t *list)
{
    CLEANUP(value_deinit) struct value value = {0};
    struct long_field field;
    int r;
    while ((r = wire_next(wire, &message, &field)) == 1) {
        if (field.number == 1)
            r = read_text(wire, &field, MAX_NAME_BYTES, &value.name);
        else if (field.number == 2 && field.type == PROTOBUF_BYTES)
            r = read_type(wire, field.bytes, &value);
        if (r < 0)
            return r;
    }
    if (r < 0 || !value.name || json_array_size(list) >= MAX_ENTRIES)
        return r;
    return json_array_append_new(list, value_json(&value)) < 0 ? -ENOMEM : 0;
}

int onnx_facts_take_graph(struct onnx_facts *facts, struct wire *wire,
                          const struct long_field *field)
{
    CLEANUP(cleanup_free) char *name = NULL;
    if (field->type != PROTOBUF_BYTES)
        return 0;
    if (field->number == 11)
        return take_value(wire, field->bytes, facts->inputs);
    if (field->number == 12)
        return take_value(wire, field->bytes, facts->outputs);
    if (field->number != 2)
        return 0;
    int r = read_text(wire, field, MAX_NAME_BYTES, &name);
    return r < 0 || !name || !*name ? r : set(facts->model, "graph", json_new_text(name));
}

/* `pytorch 2.1.0` */
static int set_producer(struct onnx_facts *facts)
{
    BUF_CLEANUP struct buf text = {0};
    const char *version = facts->maker ? facts->maker : "";
    if (!facts->producer || !*facts->producer)
        return 0;
    int r = buf_printf(&text, "%s%s%s", facts->producer, *version ? " " : "", version);
    return r < 0 ? r : set(facts->model, "producer", json_new_text(text.data));
}

/* Models of IR versions before 4 name each weight among the inputs as well. */
static int drop_weights(json_t *inputs, const json_t *weights)
{
    size_t kept = 0, n = json_array_size(inputs);
    for (size_t i = 0; i < n; i++) {
        json_t *input = json_array_get(inputs, i);
        if (json_object_get(weights, json_string_value(json_object_get(input, "name"))))
            continue;
        if (json_array_set(inputs, kept, input) < 0)
            return -ENOMEM;
        kept++;
    }
    while (json_array_size(inputs) > kept)
        json_array_remove(inputs, json_array_size(inputs) - 1);
    return 0;
}

int onnx_facts_tell(struct onnx_facts *facts, const json_t *weights, struct contents *contents)
{
    const char *key;
    json_t *value;
    int r = drop_weights(facts->inputs, weights);
    if (r == 0)
        r = set_producer(facts);
    json_object_foreach(facts->model, key, value) if (r == 0) r =
        contents_tell(contents, "onnx", key, json_incref(value));
    if (r == 0 && json_object_size(facts->opset))
        r = contents_tell(contents, "onnx", "opset", json_incref(facts->opset));
    if (r == 0 && json_object_size(facts->metadata))
        r = contents_tell(contents, "onnx", "metadata", json_incref(facts->metadata));
    if (r == 0)
        r = contents_tell(contents, "onnx", "inputs", json_incref(facts->inputs));
    if (r == 0)
        r = contents_tell(contents, "onnx", "outputs", json_incref(facts->outputs));
    return r;
}
