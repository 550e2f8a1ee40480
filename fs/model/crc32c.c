/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked is small (indexes, records of metrics), so a processor without an instruction for
 * it goes by half bytes, with a table that fits a line of the cache. */
#include "model/crc32c.h"

#include <string.h>

/* The remainders of 0..15, of the polynomial 0x82f63b78 (bits reversed). */
static const uint32_t remainders[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t by_table(uint32_t state, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        state ^= data[i];
        state = (state >> 4) ^ remainders[state & 15];
        state = (state >> 4) ^ remainders[state & 15];
    }
    return state;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t state,
                                                                 const uint8_t *data, size_t len)
{
    uint64_t word, wide = state;
    for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, data, sizeof(word));
        wide = __builtin_ia32_crc32di(wide, word);
    }
    state = (uint32_t)wide;
    for (; len; data++, len--)
        state = __builtin_ia32_crc32qi(state, *data);
    return state;
}

static uint32_t update(uint32_t state, const uint8_t *data, size_t len)
{
    return __builtin_cpu_supports("sse4.2") ? by_instruction(state, data, len)
                                            : by_table(state, data, len);
}
#else
static uint32_t update(uint32_t state, const uint8_t *data, size_t len)
{
    return by_table(state, data, len);
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
    return ~update(~crc, data, len);
}

uint32_t crc32c_by_table(uint32_t crc, const void *data, size_t len)
{
    return ~by_table(~crc, data, len);
}

uint32_t crc32c_mask(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}
