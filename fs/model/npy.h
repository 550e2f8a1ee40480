/* SPDX-License-Identifier: Apache-2.0 */
/* NumPy's file of one array: a magic, a version, the length of a header, the header (a Python
 * literal: descr, fortran_order, shape), the elements. NumPy's NEP 1 and numpy.lib.format; versions
 * 1, 2 and 3. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/contents.h"
#include "model/glimpse.h"
#include "util/buf.h"

struct npy_header {
    uint64_t n_bytes;          /* of all that stands before the elements */
    const struct dtype *dtype; /* NULL: objects, texts, records, what is not known here */
    bool is_fortran, is_big_endian;
    uint32_t n_dims;
    uint64_t shape[TENSOR_MAX_DIMS];
};

/* Reads the header that begins at @data. 0; -EAGAIN when it needs more than @len, then
 * out->n_bytes says how many bytes; -EBADMSG when it is none. */
int npy_parse_header(const uint8_t *data, size_t len, struct npy_header *out);

/* The same at @offset of a file, where it must end by @end. Also -EFBIG, as glimpse_error(). */
int npy_read_header(struct glimpse *glimpse, uint64_t offset, uint64_t end, struct npy_header *out);

/* Adds the array that @header describes as the tensor @name: its header at @offset of the file, all
 * of it @n_bytes long. One that has no dtype is told of without a window. As contents_add(); also
 * -EBADMSG when the elements do not fit. */
int npy_add(struct contents *contents, const struct npy_header *header, const char *name,
            uint32_t file, uint64_t offset, uint64_t n_bytes);

/* An inquiry_parse_fn of struct contents: a file with one array, called as the file is without
 * `.npy`. One whose elements are cut off is noted by contents_miss_rest(), and the result is 0. */
int npy_parse(void *contents, uint32_t file, struct glimpse *glimpse);

/* Appends the header (version 1.0, a multiple of 64 bytes) that makes the tensor's n_bytes, put
 * behind it, an array. Types that NumPy lacks are integers of their size in the same shape; of
 * blocks, and of elements smaller than a byte, the array is one run of u1. 0; -ENOMEM; -EINVAL for
 * a tensor that has no dtype or no window. */
int npy_format_header(const struct tensor *tensor, struct buf *out);
/* How long that is; 0 for a tensor that has none. */
uint64_t npy_header_bytes(const struct tensor *tensor);
