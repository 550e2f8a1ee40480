/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/elements.h"

#include <math.h>
#include <string.h>
#include <strings.h>

enum {
    STRIDE_BYTES = 4096, /* mostly all is the same, and memcmp() is fast at that */
    F16_BIAS = 15,
    F16_MANTISSA_BITS = 10,
    F16_EXPONENT_MAX = 31,
};

static const struct {
    const char *name;
    enum element_kind kind;
} names[] = {
    {"F16", ELEMENT_F16}, {"BF16", ELEMENT_BF16}, {"F32", ELEMENT_F32}, {"F64", ELEMENT_F64},
    {"I8", ELEMENT_I8},   {"I16", ELEMENT_I16},   {"I32", ELEMENT_I32}, {"I64", ELEMENT_I64},
    {"U8", ELEMENT_U8},   {"U16", ELEMENT_U16},   {"U32", ELEMENT_U32}, {"U64", ELEMENT_U64},
    {"BOOL", ELEMENT_U8},
};

enum element_kind element_kind_of(const char *dtype)
{
    for (size_t i = 0; dtype && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcasecmp(names[i].name, dtype) == 0)
            return names[i].kind;
    return ELEMENT_OTHER;
}

size_t element_bytes(enum element_kind kind)
{
    switch (kind) {
    case ELEMENT_F16:
    case ELEMENT_BF16:
    case ELEMENT_I16:
    case ELEMENT_U16:
        return 2;
    case ELEMENT_F32:
    case ELEMENT_I32:
    case ELEMENT_U32:
        return 4;
    case ELEMENT_F64:
    case ELEMENT_I64:
    case ELEMENT_U64:
        return 8;
    default:
        return 1;
    }
}

static uint64_t load(const unsigned char *at, size_t n)
{
    uint64_t bits = 0;
    for (size_t i = n; i > 0; i--)
        bits = bits << 8 | at[i - 1];
    return bits;
}

/* IEEE 754 binary16. */
static double half(uint64_t bits)
{
    int exponent = (int)(bits >> F16_MANTISSA_BITS & F16_EXPONENT_MAX);
    double mantissa = (double)(bits & ((1 << F16_MANTISSA_BITS) - 1)), value;
    if (exponent == F16_EXPONENT_MAX)
        value = mantissa != 0 ? NAN : INFINITY;
    else if (exponent == 0)
        value = ldexp(mantissa, 1 - F16_BIAS - F16_MANTISSA_BITS);
    else
        value = ldexp(mantissa + (1 << F16_MANTISSA_BITS), exponent - F16_BIAS - F16_MANTISSA_BITS);
    return bits >> 15 ? -value : value;
}

static double single(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof(value));
    return (double)value;
}

static double number(enum element_kind kind, uint64_t bits)
{
    double value;
    if (kind == ELEMENT_F16)
        return half(bits);
    if (kind == ELEMENT_BF16)
        return single(bits << 16);
    if (kind == ELEMENT_F32)
        return single(bits);
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static bool is_float(enum element_kind kind)
{
    return kind == ELEMENT_F16 || kind == ELEMENT_BF16 || kind == ELEMENT_F32 ||
           kind == ELEMENT_F64;
}

static bool is_signed(enum element_kind kind)
{
    return kind >= ELEMENT_I8 && kind <= ELEMENT_I64;
}

/* Exact, where doubles of two large numbers would be the same. */
static double integer_distance(enum element_kind kind, uint64_t a, uint64_t b)
{
    int shift = 64 - 8 * (int)element_bytes(kind);
    if (is_signed(kind)) {
        int64_t x = (int64_t)(a << shift) >> shift, y = (int64_t)(b << shift) >> shift;
        return (double)(x > y ? (uint64_t)x - (uint64_t)y : (uint64_t)y - (uint64_t)x);
    }
    return (double)(a > b ? a - b : b - a);
}

static void take_difference(enum element_kind kind, uint64_t a, uint64_t b,
                            struct element_diff *diff)
{
    double x, y, distance;
    diff->n_different++;
    if (kind == ELEMENT_OTHER)
        return;
    if (!is_float(kind)) {
        diff->greatest = fmax(diff->greatest, integer_distance(kind, a, b));
        return;
    }
    x = number(kind, a);
    y = number(kind, b);
    distance = x == y ? 0 : fabs(x - y);
    diff->n_nan += isnan(x) != isnan(y);
    if (!isnan(distance))
        diff->greatest = fmax(diff->greatest, distance);
}

static void compare_stride(enum element_kind kind, const unsigned char *a, const unsigned char *b,
                           size_t len, struct element_diff *diff)
{
    size_t bytes = element_bytes(kind);
    for (size_t off = 0; off + bytes <= len; off += bytes) {
        uint64_t x = load(a + off, bytes), y = load(b + off, bytes);
        if (x != y)
            take_difference(kind, x, y, diff);
    }
}

void elements_compare(enum element_kind kind, const void *a, const void *b, size_t len,
                      struct element_diff *diff)
{
    const unsigned char *x = a, *y = b;
    diff->n += len / element_bytes(kind);
    for (size_t off = 0; off < len; off += STRIDE_BYTES) {
        size_t n = len - off < STRIDE_BYTES ? len - off : STRIDE_BYTES;
        if (memcmp(x + off, y + off, n) != 0)
            compare_stride(kind, x + off, y + off, n, diff);
    }
}

void elements_swap(enum element_kind kind, void *data, size_t len)
{
    uint8_t *at = data;
    size_t n = element_bytes(kind);
    for (uint8_t *end = at + len; at < end; at += n)
        for (size_t i = 0; i < n / 2; i++) {
            uint8_t byte = at[i];
            at[i] = at[n - 1 - i];
            at[n - 1 - i] = byte;
        }
}
