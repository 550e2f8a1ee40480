/* SPDX-License-Identifier: Apache-2.0 */
/* What names a blob and a block of it (pure). */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { BLOB_ID_BYTES = 32, BLOCK_KEY_BYTES = BLOB_ID_BYTES + 4 };

/* A block is a fixed-size run of a blob, a piece the unit of a checksum and of what may be present
 * in a block that is not whole. */
#define BLOCK_BYTES  (UINT64_C(1) << 20)
#define PIECE_BYTES  (UINT64_C(64) << 10)
#define BLOCK_PIECES (BLOCK_BYTES / PIECE_BYTES)

/* The content of one version of one file: its SHA-256 where the registry knows that, else a hash of
 * (origin, path, validator, size). */
struct blob_id {
    uint8_t bytes[BLOB_ID_BYTES];
};

/* blob id, then the block's number, big end first, so that a blob's blocks lie in order. */
void block_key_format(const struct blob_id *blob, uint32_t block, uint8_t out[BLOCK_KEY_BYTES]);
void block_key_parse(const uint8_t key[BLOCK_KEY_BYTES], struct blob_id *out_blob,
                     uint32_t *out_block);
