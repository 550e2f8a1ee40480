/* SPDX-License-Identifier: Apache-2.0 */
#include "model/tensor_proto.h"

#include <endian.h>
#include <math.h>
#include <string.h>

#include "model/protobuf.h"

/* DataType of tensorflow/core/framework/types.proto. */
enum {
    FLOAT = 1,
    DOUBLE = 2,
    INT32 = 3,
    UINT8 = 4,
    INT16 = 5,
    INT8 = 6,
    INT64 = 9,
    BFLOAT16 = 14,
    UINT16 = 17,
    HALF = 19,
    UINT32 = 22,
    UINT64 = 23
};

/* How a type's numbers are kept. */
struct form {
    uint8_t dtype;
    uint8_t bytes; /* of one in tensor_content */
    uint8_t field; /* of the message, else */
    enum { REAL, HALF_BITS, BFLOAT_BITS, SIGNED, UNSIGNED } kind;
};

static const struct form forms[] = {
    {FLOAT, 4, 5, REAL},      {DOUBLE, 8, 6, REAL},           {INT32, 4, 7, SIGNED},
    {UINT8, 1, 7, UNSIGNED},  {INT16, 2, 7, SIGNED},          {INT8, 1, 7, SIGNED},
    {INT64, 8, 10, SIGNED},   {BFLOAT16, 2, 13, BFLOAT_BITS}, {UINT16, 2, 7, UNSIGNED},
    {HALF, 2, 13, HALF_BITS}, {UINT32, 4, 16, UNSIGNED},      {UINT64, 8, 17, UNSIGNED},
};

static const struct form *form_of(uint64_t dtype)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (forms[i].dtype == dtype)
            return &forms[i];
    return NULL;
}

static double float_of(uint64_t bits)
{
    return (double)protobuf_float(&(struct protobuf_field){.value = bits});
}

/* IEEE 754's binary16. */
static double half_of(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    double value;
    if (exponent == 31)
        value = fraction ? (double)NAN : (double)INFINITY;
    else
        value = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return bits >> 15 & 1 ? -value : value;
}

/* An integer of @bytes bytes with a sign, as a number. */
static double signed_of(uint64_t bits, int bytes)
{
    int shift = 64 - 8 * bytes;
    return (double)((int64_t)(bits << shift) >> shift);
}

static double number_of(const struct form *form, uint64_t bits)
{
    switch (form->kind) {
    case REAL:
        return form->bytes == 4 ? float_of(bits)
                                : protobuf_double(&(struct protobuf_field){.value = bits});
    case HALF_BITS:
        return half_of(bits);
    case BFLOAT_BITS:
        return float_of(bits << 16 & UINT32_MAX);
    case SIGNED:
        return signed_of(bits, form->bytes);
    case UNSIGNED:
        break;
    }
    return (double)bits;
}

/* A little-endian number of @n bytes at @at. */
static uint64_t read_bits(const uint8_t *at, size_t n)
{
    uint64_t bits = 0;
    memcpy(&bits, at, n);
    return le64toh(bits);
}

struct tensor_proto {
    uint64_t dtype;
    bool has_rank, is_one; /* of the shape: it has dimensions; all are 1 */
    struct protobuf_field content;
    struct protobuf_field lists[18]; /* by number; the first of each */
};

/* TensorShapeProto.Dim. */
static bool is_dim_one(const struct protobuf_field *dim)
{
    struct protobuf rest = protobuf_of(dim->data, dim->len);
    struct protobuf_field field;
    uint64_t size = 0;
    int r;
    while ((r = protobuf_next(&rest, &field)) > 0)
        if (field.number == 1 && field.type == PROTOBUF_VARINT)
            size = field.value;
    return r == 0 && size == 1;
}

/* TensorShapeProto; a shape of unknown rank is none. */
static void read_shape(const struct protobuf_field *shape, struct tensor_proto *out)
{
    struct protobuf rest = protobuf_of(shape->data, shape->len);
    struct protobuf_field field;
    int r;
    while ((r = protobuf_next(&rest, &field)) > 0) {
        if (field.number == 3 && field.value)
            out->is_one = false;
        if (field.number != 2 || field.type != PROTOBUF_BYTES)
            continue;
        out->has_rank = true;
        out->is_one = out->is_one && is_dim_one(&field);
    }
    out->is_one = out->is_one && r == 0;
}

static bool read(const uint8_t *data, size_t len, struct tensor_proto *out)
{
    enum { N_LISTS = sizeof(out->lists) / sizeof(out->lists[0]) };
    struct protobuf rest = protobuf_of(data, len);
    struct protobuf_field field;
    int r;
    *out = (struct tensor_proto){.is_one = true};
    while ((r = protobuf_next(&rest, &field)) > 0) {
        if (field.number == 1 && field.type == PROTOBUF_VARINT)
            out->dtype = field.value;
        if (field.number == 2 && field.type == PROTOBUF_BYTES)
            read_shape(&field, out);
        if (field.number == 4 && field.type == PROTOBUF_BYTES)
            out->content = field;
        if (field.number >= 5 && field.number < N_LISTS && !out->lists[field.number].number)
            out->lists[field.number] = field;
    }
    return r == 0;
}

/* The first number of a list, packed or one field each. */
static bool first_of(const struct form *form, const struct protobuf_field *list, uint64_t *out)
{
    if (list->type != PROTOBUF_BYTES) {
        *out = list->value;
        return list->type != PROTOBUF_VARINT || form->kind != REAL;
    }
    if (form->kind != REAL) {
        struct protobuf rest = protobuf_of(list->data, list->len);
        return protobuf_next_varint(&rest, out) >= 0;
    }
    if (list->len < form->bytes)
        return list->len == 0;
    *out = read_bits(list->data, form->bytes);
    return true;
}

bool tensor_proto_number(const uint8_t *data, size_t len, bool any_rank, double *out)
{
    struct tensor_proto tensor;
    uint64_t bits = 0;
    if (!read(data, len, &tensor) || !tensor.is_one || (tensor.has_rank && !any_rank))
        return false;
    const struct form *form = form_of(tensor.dtype);
    if (!form)
        return false;
    const struct protobuf_field *list = &tensor.lists[form->field];
    if (tensor.content.len) {
        if (tensor.content.len != form->bytes)
            return false;
        bits = read_bits(tensor.content.data, form->bytes);
    } else if (list->number && !first_of(form, list, &bits)) {
        return false;
    }
    *out = number_of(form, bits);
    return true;
}
