/* SPDX-License-Identifier: Apache-2.0 */
/* A bit for each thing that may be taken once (pure). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Takes [first, first + n). False when one of them was taken already; what lies before that one may
 * be taken then. */
static inline bool bits_take(uint64_t *bits, uint64_t first, uint64_t n)
{
    while (n > 0) {
        uint64_t shift = first % 64, room = 64 - shift, now = n < room ? n : room;
        uint64_t mask = (now == 64 ? UINT64_MAX : (UINT64_C(1) << now) - 1) << shift;
        if (bits[first / 64] & mask)
            return false;
        bits[first / 64] |= mask;
        first += now;
        n -= now;
    }
    return true;
}
