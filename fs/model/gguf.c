/* SPDX-License-Identifier: Apache-2.0 */
/* The header has no length: it is as long as what is in it, and most of it is the vocabulary, up to
 * tens of megabytes. So it is gone through from its start as often as bytes are lacking, and each
 * time four times as many are here. Once it is here whole, it is gone through to add the tensors,
 * and once more to tell of the key-values: a file that makes no sense leaves nothing behind. */
#include "model/gguf.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/contents.h"
#include "util/buf.h"
#include "util/bytes.h"
#include "util/json.h"
#include "util/minmax.h"

enum {
    FIRST_BYTES = 1 << 20, /* the header of a model without a vocabulary is within this */
    GROWTH = 3,            /* for each byte that is here */
    MAX_VERSION = 3,
    MAX_KEY_BYTES = 65535, /* the specification's */
    MAX_ARRAY_DEPTH = 4,
    MAX_FACTS = 4096, /* that are told of; models have some 50 */
    MAX_TEXT_BYTES = 1024,
    DEFAULT_ALIGNMENT = 32,
    MAX_ALIGNMENT = 1 << 20,
};

enum value_type {
    TYPE_U8,
    TYPE_I8,
    TYPE_U16,
    TYPE_I16,
    TYPE_U32,
    TYPE_I32,
    TYPE_F32,
    TYPE_BOOL,
    TYPE_TEXT,
    TYPE_ARRAY,
    TYPE_U64,
    TYPE_I64,
    TYPE_F64,
    N_TYPES,
};

/* Bytes of a value; 0: it says itself. */
static const uint8_t value_bytes[N_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/* ggml's numbers of types; those that are not here are gone or were never in a file. */
static const char *const tensor_types[] = {
    [0] = "F32",       [1] = "F16",       [2] = "Q4_0",   [3] = "Q4_1",    [6] = "Q5_0",
    [7] = "Q5_1",      [8] = "Q8_0",      [9] = "Q8_1",   [10] = "Q2_K",   [11] = "Q3_K",
    [12] = "Q4_K",     [13] = "Q5_K",     [14] = "Q6_K",  [15] = "Q8_K",   [16] = "IQ2_XXS",
    [17] = "IQ2_XS",   [18] = "IQ3_XXS",  [19] = "IQ1_S", [20] = "IQ4_NL", [21] = "IQ3_S",
    [22] = "IQ2_S",    [23] = "IQ4_XS",   [24] = "I8",    [25] = "I16",    [26] = "I32",
    [27] = "I64",      [28] = "F64",      [29] = "IQ1_M", [30] = "BF16",   [31] = "Q4_0_4_4",
    [32] = "Q4_0_4_8", [33] = "Q4_0_8_8", [34] = "TQ1_0", [35] = "TQ2_0",  [39] = "MXFP4",
    [40] = "NVFP4",    [41] = "Q1_0",
};
enum { N_TENSOR_TYPES = sizeof(tensor_types) / sizeof(tensor_types[0]) };

/* Where in the header we are. Once there is an error, all that is read is 0 or empty. */
struct cursor {
    struct glimpse *glimpse;
    uint64_t at;
    size_t length_bytes; /* of a count or a length: 4 in version 1, else 8 */
    bool is_big_endian;
    int err;
};

struct text {
    const uint8_t *data;
    uint64_t len;
};

/* A key's value; of an array only its type. */
struct value {
    enum value_type type;
    uint64_t bits;
    struct text text;
};

enum purpose { LOOK, ADD_TENSORS, TELL_FACTS };

struct header {
    struct cursor cursor;
    enum purpose purpose;
    struct contents *contents;
    uint32_t file;
    uint64_t n_tensors, n_facts, n_told;
    uint64_t alignment;
    uint64_t data_offset; /* known once the header was looked at */
    uint64_t end;         /* of the tensor that ends last */
};

static void fail(struct cursor *c, int err)
{
    if (!c->err)
        c->err = err;
}

static const uint8_t *take(struct cursor *c, uint64_t n)
{
    if (c->err)
        return NULL;
    uint64_t guess = max_u64(FIRST_BYTES, GROWTH * c->glimpse->held_bytes);
    const uint8_t *data = glimpse_ask(c->glimpse, c->at, n, guess);
    if (!data)
        fail(c, glimpse_error(c->glimpse));
    else
        c->at += n;
    return data;
}

static void skip(struct cursor *c, uint64_t n)
{
    if (n > c->glimpse->size_bytes - c->at)
        fail(c, -EBADMSG);
    else if (!c->err)
        c->at += n;
}

static uint64_t take_number(struct cursor *c, size_t n)
{
    const uint8_t *data = take(c, n);
    if (!data)
        return 0;
    return c->is_big_endian ? bytes_be(data, n) : bytes_le(data, n);
}

static uint64_t take_length(struct cursor *c)
{
    return take_number(c, c->length_bytes);
}

static struct text take_text(struct cursor *c)
{
    uint64_t len = take_length(c);
    const uint8_t *data = take(c, len);
    return data ? (struct text){data, len} : (struct text){(const uint8_t *)"", 0};
}

static enum value_type take_type(struct cursor *c)
{
    uint64_t type = take_number(c, 4);
    if (type >= N_TYPES)
        fail(c, -EBADMSG);
    return type < N_TYPES ? (enum value_type)type : TYPE_U8;
}

/* Each text or array takes bytes of the file, so that the count alone keeps nobody busy. */
static void skip_array(struct cursor *c, int depth)
{
    enum value_type type = take_type(c);
    uint64_t n = take_length(c), n_bytes;
    if (value_bytes[type]) {
        if (__builtin_mul_overflow(n, value_bytes[type], &n_bytes))
            n_bytes = UINT64_MAX;
        skip(c, n_bytes);
        return;
    }
    if (depth == MAX_ARRAY_DEPTH)
        fail(c, -EBADMSG);
    for (uint64_t i = 0; i < n && !c->err; i++) {
        if (type == TYPE_TEXT)
            take_text(c);
        else
            skip_array(c, depth + 1);
    }
}

static struct value take_value(struct cursor *c)
{
    struct value value = {.type = take_type(c)};
    if (value.type == TYPE_TEXT)
        value.text = take_text(c);
    else if (value.type == TYPE_ARRAY)
        skip_array(c, 1);
    else
        value.bits = take_number(c, value_bytes[value.type]);
    return value;
}

static bool is_integer(enum value_type type)
{
    return value_bytes[type] && type != TYPE_F32 && type != TYPE_F64 && type != TYPE_BOOL;
}

/* A text of JSON. What stands behind a NUL is left out. */
static json_t *text_json(const struct text *text)
{
    BUF_CLEANUP struct buf copy = {0};
    return buf_append(&copy, text->data, (size_t)text->len) == 0 ? json_new_text(copy.data) : NULL;
}

/* JSON knows no NaN and no infinity. */
static json_t *real_json(double real)
{
    if (isfinite(real))
        return json_real(real);
    return json_new_text(isnan(real) ? "NaN" : real > 0 ? "Infinity" : "-Infinity");
}

/* The shortest decimal that is this float: 1e-05 and not 9.9999997473787516e-06. */
static json_t *float_json(uint32_t bits)
{
    char text[32];
    float real;
    memcpy(&real, &bits, sizeof(real));
    if (!isfinite(real))
        return real_json(real);
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, real);
        if (strtof(text, NULL) == real)
            break;
    }
    return json_real(strtod(text, NULL));
}

static int64_t sign_extended(const struct value *value)
{
    int shift = 64 - 8 * value_bytes[value->type];
    return (int64_t)(value->bits << shift) >> shift;
}

static json_t *value_json(const struct value *value)
{
    double real;
    switch (value->type) {
    case TYPE_TEXT:
        return text_json(&value->text);
    case TYPE_BOOL:
        return json_boolean(value->bits != 0);
    case TYPE_F32:
        return float_json((uint32_t)value->bits);
    case TYPE_F64:
        memcpy(&real, &value->bits, sizeof(real));
        return real_json(real);
    case TYPE_I8:
    case TYPE_I16:
    case TYPE_I32:
    case TYPE_I64:
        return json_integer(sign_extended(value));
    default:
        return value->bits <= INT64_MAX ? json_integer((json_int_t)value->bits)
                                        : json_real((double)value->bits);
    }
}

static int tell(struct header *header, const struct text *key, const struct value *value)
{
    if (value->type == TYPE_ARRAY || value->text.len > MAX_TEXT_BYTES ||
        key->len > MAX_TEXT_BYTES || header->n_told == MAX_FACTS)
        return 0;
    BUF_CLEANUP struct buf name = {0};
    int r = buf_append(&name, key->data, (size_t)key->len);
    header->n_told++;
    return r < 0 ? r : contents_tell(header->contents, "gguf", name.data, value_json(value));
}

static bool is_key(const struct text *key, const char *name)
{
    return key->len == strlen(name) && memcmp(key->data, name, key->len) == 0;
}

static void take_fact(struct header *header)
{
    struct cursor *c = &header->cursor;
    struct text key = take_text(c);
    struct value value = take_value(c);
    if (key.len > MAX_KEY_BYTES)
        fail(c, -EBADMSG);
    if (!c->err && is_key(&key, "general.alignment")) {
        header->alignment = value.bits;
        if (!is_integer(value.type) || !value.bits || value.bits & (value.bits - 1) ||
            value.bits > MAX_ALIGNMENT)
            fail(c, -EBADMSG);
    }
    if (!c->err && header->purpose == TELL_FACTS)
        fail(c, tell(header, &key, &value));
}

/* The fastest dimension comes first in the file. */
static uint32_t take_shape(struct cursor *c, uint64_t shape[TENSOR_MAX_DIMS])
{
    uint64_t n = take_number(c, 4);
    if (n > TENSOR_MAX_DIMS) {
        fail(c, -EBADMSG);
        return 0;
    }
    for (uint64_t i = 0; i < n; i++)
        shape[n - 1 - i] = take_length(c);
    return (uint32_t)n;
}

static const struct dtype *take_dtype(struct cursor *c)
{
    uint64_t type = take_number(c, 4);
    const char *name = type < N_TENSOR_TYPES ? tensor_types[type] : NULL;
    return name ? dtype_find(name) : NULL;
}

/* A name as a C string; false when it is none. */
static bool copy_name(const struct text *text, char out[TENSOR_MAX_NAME_BYTES + 1])
{
    if (!text->len || text->len > TENSOR_MAX_NAME_BYTES ||
        memchr(text->data, '\0', (size_t)text->len))
        return false;
    memcpy(out, text->data, (size_t)text->len);
    out[text->len] = '\0';
    return true;
}

/* Its bytes are at @offset of the data. Blocks do not reach over rows. */
static bool place(const struct header *header, struct tensor *tensor, uint64_t offset)
{
    uint64_t n_elements, end;
    uint64_t row = tensor->n_dims ? tensor->shape[tensor->n_dims - 1] : 1;
    return tensor_elements(tensor, &n_elements) && row % tensor->dtype->block_elements == 0 &&
           dtype_size_bytes(tensor->dtype, n_elements, &tensor->n_bytes) &&
           !__builtin_add_overflow(header->data_offset, offset, &tensor->offset) &&
           !__builtin_add_overflow(tensor->offset, tensor->n_bytes, &end);
}

/* One that ends behind the file's end is only noted: the file will be cut off as a whole. */
static int add_tensor(struct header *header, struct tensor *tensor, uint64_t offset)
{
    if (!tensor->dtype) {
        tensor->offset = TENSOR_SCATTERED;
        return contents_add(header->contents, tensor);
    }
    if (!place(header, tensor, offset))
        return -EBADMSG;
    uint64_t end = tensor->offset + tensor->n_bytes;
    header->end = max_u64(header->end, end);
    return end <= header->cursor.glimpse->size_bytes ? contents_add(header->contents, tensor) : 0;
}

static void take_tensor(struct header *header)
{
    struct cursor *c = &header->cursor;
    char name[TENSOR_MAX_NAME_BYTES + 1];
    uint64_t shape[TENSOR_MAX_DIMS];
    struct text text = take_text(c);
    struct tensor tensor = {
        .name = name, .shape = shape, .file = header->file, .is_big_endian = c->is_big_endian};
    tensor.n_dims = take_shape(c, shape);
    tensor.dtype = take_dtype(c);
    uint64_t offset = take_number(c, 8);
    if (!copy_name(&text, name))
        fail(c, -EBADMSG);
    if (!c->err && header->purpose == ADD_TENSORS)
        fail(c, add_tensor(header, &tensor, offset));
}

static void take_counts(struct header *header)
{
    struct cursor *c = &header->cursor;
    const uint8_t *magic = take(c, 4);
    if (magic && memcmp(magic, "GGUF", 4) != 0)
        fail(c, -EBADMSG);
    const uint8_t *word = take(c, 4);
    if (!word)
        return;
    c->is_big_endian = bytes_le(word, 2) == 0;
    uint64_t version = c->is_big_endian ? bytes_be(word, 4) : bytes_le(word, 4);
    if (version < 1 || version > MAX_VERSION)
        fail(c, -EBADMSG);
    c->length_bytes = version == 1 ? 4 : 8;
    header->n_tensors = take_length(c);
    header->n_facts = take_length(c);
    if (header->n_tensors > CONTENTS_MAX_TENSORS)
        fail(c, -EFBIG);
}

static int walk(struct header *header, enum purpose purpose)
{
    struct cursor *c = &header->cursor;
    header->purpose = purpose;
    header->alignment = DEFAULT_ALIGNMENT;
    c->at = 0;
    take_counts(header);
    for (uint64_t i = 0; i < header->n_facts && !c->err; i++)
        take_fact(header);
    for (uint64_t i = 0; i < header->n_tensors && !c->err; i++)
        take_tensor(header);
    if (!c->err) /* else the alignment may be none */
        header->data_offset = c->at + -c->at % header->alignment;
    return c->err;
}

int gguf_parse(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    struct contents *contents = ctx;
    struct header header = {.cursor = {.glimpse = glimpse}, .contents = contents, .file = file};
    size_t n_before = contents->n_tensors;
    int r = walk(&header, LOOK);
    if (r == 0)
        r = walk(&header, ADD_TENSORS);
    bool is_whole = header.end <= glimpse->size_bytes;
    if (r == 0 && is_whole)
        r = walk(&header, TELL_FACTS);
    if (r < 0 || !is_whole)
        contents_cut(contents, n_before);
    return r < 0 || is_whole ? r : contents_miss_rest(contents, file, header.end);
}
