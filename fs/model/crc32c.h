/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli; RFC 3720, appendix B.4), and the masked form that LevelDB's tables and
 * TensorFlow's record files keep. Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The checksum of @len bytes that follow what has the checksum @crc; 0 at first. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);
/* The same without the processor's instruction: what other processors than x86-64 run. */
uint32_t crc32c_by_table(uint32_t crc, const void *data, size_t len);

/* The checksum as it is stored beside data that may hold checksums itself (LevelDB,
 * util/crc32c.h: rotated right by 15 bits, plus a constant). */
uint32_t crc32c_mask(uint32_t crc);
