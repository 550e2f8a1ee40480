/* SPDX-License-Identifier: Apache-2.0 */
/* Field numbers and rules are those of onnx.proto (ONNX 1.17) and of "External data" in ONNX's
 * specification of its IR. */
#include "model/onnx_tensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* TensorProto.DataType */
static const struct {
    const char *name;  /* ONNX's */
    const char *dtype; /* ours; NULL: none */
} types[] = {
    [1] = {"FLOAT", "F32"},
    [2] = {"UINT8", "U8"},
    [3] = {"INT8", "I8"},
    [4] = {"UINT16", "U16"},
    [5] = {"INT16", "I16"},
    [6] = {"INT32", "I32"},
    [7] = {"INT64", "I64"},
    [8] = {"STRING", NULL},
    [9] = {"BOOL", "BOOL"},
    [10] = {"FLOAT16", "F16"},
    [11] = {"DOUBLE", "F64"},
    [12] = {"UINT32", "U32"},
    [13] = {"UINT64", "U64"},
    [14] = {"COMPLEX64", "C64"},
    [15] = {"COMPLEX128", "C128"},
    [16] = {"BFLOAT16", "BF16"},
    [17] = {"FLOAT8E4M3FN", "F8_E4M3"},
    [18] = {"FLOAT8E4M3FNUZ", "F8_E4M3FNUZ"},
    [19] = {"FLOAT8E5M2", "F8_E5M2"},
    [20] = {"FLOAT8E5M2FNUZ", "F8_E5M2FNUZ"},
    [21] = {"UINT4", "U4"},
    [22] = {"INT4", "I4"},
    [23] = {"FLOAT4E2M1", "F4"},
    [24] = {"FLOAT8E8M0", "F8_E8M0"},
    [25] = {"UINT2", NULL},
    [26] = {"INT2", NULL},
};

struct onnx_dtype onnx_dtype_of(uint64_t number)
{
    if (number >= sizeof(types) / sizeof(types[0]) || !types[number].name)
        return (struct onnx_dtype){0};
    const char *ours = types[number].dtype;
    return (struct onnx_dtype){types[number].name, ours ? dtype_find(ours) : NULL};
}

enum tensor_field {
    FIELD_DIMS = 1,
    FIELD_TYPE = 2,
    FIELD_SEGMENT = 3,
    FIELD_FLOATS = 4,
    FIELD_INT32S = 5,
    FIELD_STRINGS = 6,
    FIELD_INT64S = 7,
    FIELD_NAME = 8,
    FIELD_RAW = 9,
    FIELD_DOUBLES = 10,
    FIELD_UINT64S = 11,
    FIELD_EXTERNAL = 13,
    FIELD_LOCATION = 14,
};
enum { LOCATION_EXTERNAL = 1 }; /* TensorProto.DataLocation */

static int add_dim(struct onnx_tensor *tensor, uint64_t dim)
{
    if (tensor->n_dims == TENSOR_MAX_DIMS || dim > INT64_MAX)
        return -EBADMSG;
    tensor->shape[tensor->n_dims++] = dim;
    return 0;
}

/* Dimensions come one a field, or packed. */
static int read_dims(struct wire *wire, const struct long_field *field, struct onnx_tensor *tensor)
{
    struct long_message rest = field->bytes;
    uint64_t dim;
    int r;
    if (field->type == PROTOBUF_VARINT)
        return add_dim(tensor, field->value);
    while ((r = wire_next_varint(wire, &rest, &dim)) == 1)
        if ((r = add_dim(tensor, dim)) < 0)
            return r;
    return r;
}

/* Values in a field of their own type. Packed floats are as they would be in raw_data; varints are
 * not, nor is anything in more than one piece. */
static void note_typed(const struct long_field *field, struct onnx_tensor *tensor)
{
    bool is_run = field->type == PROTOBUF_BYTES &&
                  (field->number == FIELD_FLOATS || field->number == FIELD_DOUBLES);
    if (!wire_len(field) && field->type == PROTOBUF_BYTES)
        return;
    tensor->n_typed_bytes += wire_len(field);
    if (is_run && !tensor->has_data && !tensor->is_typed) {
        tensor->data = field->bytes;
        tensor->has_data = true;
    } else {
        tensor->is_typed = true;
    }
}

/* A number of external_data, which are decimal texts. */
static int parse_number(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value > INT64_MAX)
        return -EBADMSG;
    *out = value;
    return 0;
}

static int note_external(struct onnx_tensor *tensor, const char *key, const char *value)
{
    if (strcmp(key, "offset") == 0)
        return parse_number(value, &tensor->offset);
    if (strcmp(key, "length") == 0)
        return parse_number(value, &tensor->len);
    if (strcmp(key, "location") == 0)
        strcpy(tensor->location, value);
    return 0;
}

/* A StringStringEntryProto. */
static int read_external(struct wire *wire, struct long_message entry, struct onnx_tensor *tensor)
{
    char key[16] = "", value[ONNX_MAX_LOCATION_BYTES + 1] = "";
    struct long_field field;
    int r;
    while ((r = wire_next(wire, &entry, &field)) == 1) {
        if (field.number == 1 && field.type == PROTOBUF_BYTES && wire_len(&field) >= sizeof(key))
            return 0; /* a key that is none of ours */
        if (field.number == 1)
            r = wire_text(wire, &field, key, sizeof(key) - 1);
        else if (field.number == 2)
            r = wire_text(wire, &field, value, sizeof(value) - 1);
        if (r < 0)
            return r;
    }
    return r < 0 ? r : note_external(tensor, key, value);
}

static int expect(const struct long_field *field, enum protobuf_type type)
{
    return field->type == type ? 0 : -EBADMSG;
}

static int read_field(struct wire *wire, const struct long_field *field, struct onnx_tensor *tensor)
{
    switch (field->number) {
    case FIELD_DIMS:
        return read_dims(wire, field, tensor);
    case FIELD_TYPE:
        tensor->type = field->value;
        return expect(field, PROTOBUF_VARINT);
    case FIELD_NAME:
        return wire_text(wire, field, tensor->name, TENSOR_MAX_NAME_BYTES);
    case FIELD_RAW:
        tensor->is_typed |= tensor->has_data;
        tensor->data = field->bytes;
        tensor->has_data = true;
        return expect(field, PROTOBUF_BYTES);
    case FIELD_SEGMENT:
    case FIELD_FLOATS:
    case FIELD_INT32S:
    case FIELD_STRINGS:
    case FIELD_INT64S:
    case FIELD_DOUBLES:
    case FIELD_UINT64S:
        note_typed(field, tensor);
        return 0;
    case FIELD_EXTERNAL:
        return field->type == PROTOBUF_BYTES ? read_external(wire, field->bytes, tensor) : -EBADMSG;
    case FIELD_LOCATION:
        tensor->is_external = field->value == LOCATION_EXTERNAL;
        return expect(field, PROTOBUF_VARINT);
    default:
        return 0;
    }
}

static void clear(struct onnx_tensor *tensor)
{
    tensor->name[0] = tensor->location[0] = '\0';
    tensor->n_dims = 0;
    tensor->type = tensor->offset = tensor->n_typed_bytes = 0;
    tensor->data = (struct long_message){0};
    tensor->has_data = tensor->is_typed = tensor->is_external = false;
    tensor->len = UINT64_MAX;
}

int onnx_tensor_read(struct wire *wire, struct long_message message, struct onnx_tensor *out)
{
    struct long_field field;
    int r;
    clear(out);
    while ((r = wire_next(wire, &message, &field)) == 1)
        if ((r = read_field(wire, &field, out)) < 0)
            return r;
    return r;
}

/* SparseTensorProto: values (with the name), their indices, and the dims of the whole. */
int onnx_tensor_read_sparse(struct wire *wire, struct long_message message, struct onnx_tensor *out)
{
    struct long_message rest = message;
    struct long_field field;
    int r;
    clear(out);
    while ((r = wire_next(wire, &rest, &field)) == 1)
        if (field.number == 1 && field.type == PROTOBUF_BYTES &&
            (r = onnx_tensor_read(wire, field.bytes, out)) < 0)
            return r;
    out->n_dims = 0;
    while (r == 0 && (r = wire_next(wire, &message, &field)) == 1)
        r = field.number == 3 ? read_dims(wire, &field, out) : 0;
    out->is_typed = true;
    out->is_external = false;
    return r;
}
