/* SPDX-License-Identifier: Apache-2.0 */
#include "model/snappy.h"

#include <errno.h>
#include <snappy-c.h>
#include <stdlib.h>

#include "util/cleanup.h"

/* The densest element is a copy of 64 bytes, in 3; so memory is never had for a length that cannot
 * be true. */
enum { MAX_RATIO = 22 };

int snappy_unpack(const uint8_t *data, size_t len, size_t max_bytes, uint8_t **out, size_t *out_len)
{
    const char *packed = (const char *)data;
    size_t n;
    if (snappy_uncompressed_length(packed, len, &n) != SNAPPY_OK || n / MAX_RATIO > len)
        return -EBADMSG;
    if (n > max_bytes)
        return -EFBIG;
    CLEANUP(cleanup_free) uint8_t *room = malloc(n + !n);
    if (!room)
        return -ENOMEM;
    if (snappy_uncompress(packed, len, (char *)room, &n) != SNAPPY_OK)
        return -EBADMSG;
    *out = steal_ptr(room);
    *out_len = n;
    return 0;
}
