/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers out of bytes that stand at any address. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The number that @n bytes (at most 8) are, the least byte first. */
static inline uint64_t bytes_le(const uint8_t *at, size_t n)
{
    uint64_t value = 0;
    while (n--)
        value = value << 8 | at[n];
    return value;
}

/* The same, the greatest byte first. */
static inline uint64_t bytes_be(const uint8_t *at, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | at[i];
    return value;
}
