/* SPDX-License-Identifier: Apache-2.0 */
/* A block as it is stored (pure): a header that names the block and has a checksum (XXH3, 64 bits)
 * of every piece that is present and of itself, then the pieces, without gaps, in order. Numbers
 * are in the host's byte order: the cache never leaves the host. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/key.h"

struct record_header {
    uint32_t magic;
    uint32_t len; /* bytes of the block when whole: BLOCK_BYTES, less in a blob's last */
    uint32_t block;
    uint16_t present; /* bit i: piece i is here */
    uint16_t zero;
    struct blob_id blob;
    uint64_t sums[BLOCK_PIECES];
    uint64_t header_sum; /* of all above */
};

/* A record, looked at: the header is a copy (nothing in a map is aligned for sure), the pieces are
 * borrowed. */
struct record {
    struct record_header header;
    const uint8_t *pieces;
};

/* Looks at the header only. 0; -EIO: it is damaged; -EXDEV: it is the undamaged one of another
 * block, so that what led here is damaged. */
int record_open(const void *data, size_t len, const struct blob_id *blob, uint32_t block,
                struct record *out);

/* Bytes of piece @piece of a block of @len bytes; 0 behind its end. */
size_t piece_len(uint32_t len, unsigned piece);
bool record_has(const struct record *record, unsigned piece);
const uint8_t *record_piece(const struct record *record, unsigned piece);
/* Computes the piece's checksum over its bytes. */
bool record_piece_is_sound(const struct record *record, unsigned piece);

/* Where a record to be written takes its pieces from. */
struct record_draft {
    struct blob_id blob;
    uint32_t block, len;
    uint16_t present;
    const uint8_t *data;      /* a whole block's buffer: piece i at i * PIECE_BYTES */
    uint16_t from_old;        /* bits of @present whose pieces come from @old, sums and all */
    const struct record *old; /* may be NULL when from_old is 0 */
};
size_t record_bytes(const struct record_draft *draft);
/* Writes it at @out, record_bytes() long. */
void record_write(const struct record_draft *draft, void *out);
