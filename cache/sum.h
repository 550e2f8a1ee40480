/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum of pieces and headers: XXH3, 64 bits, with the widest registers of this processor
 * where the library can choose (a quarter less time for a block that has just been copied). */
#pragma once

#ifdef CACHE_XXH_DISPATCH
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

static inline uint64_t sum_bytes(const void *data, size_t len)
{
    return XXH3_64bits(data, len);
}
