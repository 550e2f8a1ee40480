/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/record.h"

#include <errno.h>
#include <string.h>

#include "cache/sum.h"

#define RECORD_MAGIC UINT32_C(0x4d46424b)

static uint64_t sum_header(const struct record_header *header)
{
    return sum_bytes(header, offsetof(struct record_header, header_sum));
}

size_t piece_len(uint32_t len, unsigned piece)
{
    uint64_t off = piece * PIECE_BYTES;
    if (off >= len)
        return 0;
    return len - off < PIECE_BYTES ? (size_t)(len - off) : (size_t)PIECE_BYTES;
}

/* Bytes of the pieces of @present below @piece. */
static size_t bytes_before(uint32_t len, uint16_t present, unsigned piece)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < piece; i++)
        if (present >> i & 1)
            bytes += piece_len(len, i);
    return bytes;
}

static bool is_sound(const struct record_header *h)
{
    return h->magic == RECORD_MAGIC && h->len <= BLOCK_BYTES && h->header_sum == sum_header(h);
}

static bool is_of(const struct record_header *h, const struct blob_id *blob, uint32_t block)
{
    return h->block == block && memcmp(&h->blob, blob, sizeof(*blob)) == 0;
}

int record_open(const void *data, size_t len, const struct blob_id *blob, uint32_t block,
                struct record *out)
{
    *out = (struct record){0};
    if (len < sizeof(out->header))
        return -EIO;
    memcpy(&out->header, data, sizeof(out->header));
    if (!is_sound(&out->header))
        return -EIO;
    if (!is_of(&out->header, blob, block))
        return -EXDEV;
    out->pieces = (const uint8_t *)data + sizeof(out->header);
    size_t pieces = bytes_before(out->header.len, out->header.present, BLOCK_PIECES);
    return len == sizeof(out->header) + pieces ? 0 : -EIO;
}

bool record_has(const struct record *record, unsigned piece)
{
    return record->header.present >> piece & 1;
}

const uint8_t *record_piece(const struct record *record, unsigned piece)
{
    return record->pieces + bytes_before(record->header.len, record->header.present, piece);
}

bool record_piece_is_sound(const struct record *record, unsigned piece)
{
    size_t len = piece_len(record->header.len, piece);
    return sum_bytes(record_piece(record, piece), len) == record->header.sums[piece];
}

size_t record_bytes(const struct record_draft *draft)
{
    return sizeof(struct record_header) + bytes_before(draft->len, draft->present, BLOCK_PIECES);
}

/* Copies one piece to @to and notes its sum. Returns its bytes. */
static size_t write_piece(const struct record_draft *draft, unsigned piece, uint8_t *to,
                          struct record_header *header)
{
    size_t len = piece_len(draft->len, piece);
    if (draft->from_old >> piece & 1) {
        memcpy(to, record_piece(draft->old, piece), len);
        header->sums[piece] = draft->old->header.sums[piece];
    } else {
        const uint8_t *from = draft->data + piece * PIECE_BYTES;
        memcpy(to, from, len);
        header->sums[piece] = sum_bytes(from, len);
    }
    return len;
}

void record_write(const struct record_draft *draft, void *out)
{
    struct record_header header = {
        .magic = RECORD_MAGIC,
        .len = draft->len,
        .block = draft->block,
        .present = draft->present,
        .blob = draft->blob,
    };
    uint8_t *to = (uint8_t *)out + sizeof(header);
    for (unsigned i = 0; i < BLOCK_PIECES; i++)
        if (draft->present >> i & 1)
            to += write_piece(draft, i, to, &header);
    header.header_sum = sum_header(&header);
    memcpy(out, &header, sizeof(header));
}
