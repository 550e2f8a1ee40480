/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of a tensor's elements, compared (pure). Elements are little endian, as safetensors, GGUF
 * and TensorFlow on all machines of today have them; others are turned before. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum element_kind {
    ELEMENT_OTHER, /* blocks and small floats: compared byte by byte, without a difference */
    ELEMENT_F16,
    ELEMENT_BF16,
    ELEMENT_F32,
    ELEMENT_F64,
    ELEMENT_I8,
    ELEMENT_I16,
    ELEMENT_I32,
    ELEMENT_I64,
    ELEMENT_U8, /* and booleans */
    ELEMENT_U16,
    ELEMENT_U32,
    ELEMENT_U64,
};

/* The kind behind a dtype's name (model/dtype.h). */
enum element_kind element_kind_of(const char *dtype);
/* Bytes of an element; 1 of ELEMENT_OTHER. */
size_t element_bytes(enum element_kind kind);

/* Turns the bytes of each element around; @len is of whole elements. */
void elements_swap(enum element_kind kind, void *data, size_t len);

/* What came of comparing. Starts from {0}. */
struct element_diff {
    uint64_t n;           /* elements compared */
    uint64_t n_different; /* whose bytes differ, so that -0 and 0 do */
    double greatest;      /* absolute difference of two numbers; may be infinite */
    uint64_t n_nan;       /* of the different ones: just one side is NaN */
};

/* Compares @len bytes, whole elements; adds to @diff. */
void elements_compare(enum element_kind kind, const void *a, const void *b, size_t len,
                      struct element_diff *diff);
