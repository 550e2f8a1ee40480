/* SPDX-License-Identifier: Apache-2.0 */
/* The types of tensors' elements, under the names that safetensors and GGUF give them, and what
 * NumPy reads them as. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dtype {
    const char *name; /* `F32`, `BF16`, `F8_E4M3`, `Q4_K` */
    const char
        *descr; /* NumPy's, without the byte order: `f4`; of a type that NumPy lacks an integer
                          of its size (`u2`), of blocks `u1` */
    uint32_t block_elements; /* of a quantised type, in one block; else 1 */
    uint32_t block_bytes;    /* bytes of a block, or of an element */
    bool is_raw;             /* descr does not say what it is */
};

/* The type called @name, however its letters are; NULL when it is none of these. */
const struct dtype *dtype_find(const char *name);
/* The type that NumPy calls @descr, without the byte order: `f4`, `i8`, `b1`, `c16`. NULL when it
 * is none of these. */
const struct dtype *dtype_find_numpy(const char *descr);

/* Bytes of @n_elements. False when they overflow or are no whole number of blocks. */
bool dtype_size_bytes(const struct dtype *dtype, uint64_t n_elements, uint64_t *out);
