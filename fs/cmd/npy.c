/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/npy.h"

#include <errno.h>
#include <string.h>

/* The magic, the version's two bytes, and the length of the header behind it: of two bytes in
 * version 1, of four from 2 on. */
int npy_data_off(const unsigned char head[NPY_HEAD_BYTES], uint64_t *out)
{
    unsigned version = head[6];
    if (memcmp(head, "\x93NUMPY", 6) != 0 || version < 1 || version > 3)
        return -EINVAL;
    uint64_t len = head[8] | (uint64_t)head[9] << 8;
    if (version > 1)
        len |= (uint64_t)head[10] << 16 | (uint64_t)head[11] << 24;
    *out = (version > 1 ? 12 : 10) + len;
    return 0;
}
