/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of a .npy file (NumPy Enhancement Proposal 1): how long it is. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { NPY_HEAD_BYTES = 12 }; /* as many as npy_data_off() wants; a file has more */

/* Where the array's bytes begin, from the file's first NPY_HEAD_BYTES. 0 or -EINVAL. */
int npy_data_off(const unsigned char head[NPY_HEAD_BYTES], uint64_t *out);
