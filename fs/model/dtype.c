/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of the quantised types: ggml's type traits, as GGUF's specification lists them. */
#include "model/dtype.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct dtype dtypes[] = {
    {"F16", "f2", 1, 2, false},        {"F32", "f4", 1, 4, false},
    {"F64", "f8", 1, 8, false},        {"BF16", "u2", 1, 2, true},
    {"F8_E4M3", "u1", 1, 1, true},     {"F8_E5M2", "u1", 1, 1, true},
    {"F8_E8M0", "u1", 1, 1, true},     {"F8_E4M3FNUZ", "u1", 1, 1, true},
    {"F8_E5M2FNUZ", "u1", 1, 1, true}, {"F8_E4M3B11FNUZ", "u1", 1, 1, true},
    {"F4", "u1", 2, 1, true},          {"F6_E2M3", "u1", 4, 3, true},
    {"F6_E3M2", "u1", 4, 3, true},     {"I4", "u1", 2, 1, true},
    {"U4", "u1", 2, 1, true},          {"I8", "i1", 1, 1, false},
    {"I16", "i2", 1, 2, false},        {"I32", "i4", 1, 4, false},
    {"I64", "i8", 1, 8, false},        {"U8", "u1", 1, 1, false},
    {"U16", "u2", 1, 2, false},        {"U32", "u4", 1, 4, false},
    {"U64", "u8", 1, 8, false},        {"BOOL", "b1", 1, 1, false},
    {"C64", "c8", 1, 8, false},        {"C128", "c16", 1, 16, false},
    {"Q4_0", "u1", 32, 18, true},      {"Q4_1", "u1", 32, 20, true},
    {"Q5_0", "u1", 32, 22, true},      {"Q5_1", "u1", 32, 24, true},
    {"Q8_0", "u1", 32, 34, true},      {"Q8_1", "u1", 32, 36, true},
    {"Q2_K", "u1", 256, 84, true},     {"Q3_K", "u1", 256, 110, true},
    {"Q4_K", "u1", 256, 144, true},    {"Q5_K", "u1", 256, 176, true},
    {"Q6_K", "u1", 256, 210, true},    {"Q8_K", "u1", 256, 292, true},
    {"IQ2_XXS", "u1", 256, 66, true},  {"IQ2_XS", "u1", 256, 74, true},
    {"IQ3_XXS", "u1", 256, 98, true},  {"IQ1_S", "u1", 256, 50, true},
    {"IQ4_NL", "u1", 32, 18, true},    {"IQ3_S", "u1", 256, 110, true},
    {"IQ2_S", "u1", 256, 82, true},    {"IQ4_XS", "u1", 256, 136, true},
    {"IQ1_M", "u1", 256, 56, true},    {"TQ1_0", "u1", 256, 54, true},
    {"TQ2_0", "u1", 256, 66, true},    {"MXFP4", "u1", 32, 17, true},
    {"Q4_0_4_4", "u1", 32, 18, true},  {"Q4_0_4_8", "u1", 32, 18, true},
    {"Q4_0_8_8", "u1", 32, 18, true},  {"NVFP4", "u1", 64, 36, true},
    {"Q1_0", "u1", 128, 18, true},
};
enum { N_DTYPES = sizeof(dtypes) / sizeof(dtypes[0]) };

const struct dtype *dtype_find(const char *name)
{
    for (size_t i = 0; i < N_DTYPES; i++)
        if (strcasecmp(dtypes[i].name, name) == 0)
            return &dtypes[i];
    return NULL;
}

const struct dtype *dtype_find_numpy(const char *descr)
{
    for (size_t i = 0; i < N_DTYPES; i++)
        if (!dtypes[i].is_raw && strcmp(dtypes[i].descr, descr) == 0)
            return &dtypes[i];
    return NULL;
}

bool dtype_size_bytes(const struct dtype *dtype, uint64_t n_elements, uint64_t *out)
{
    return n_elements % dtype->block_elements == 0 &&
           !__builtin_mul_overflow(n_elements / dtype->block_elements, dtype->block_bytes, out);
}
