/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs whose every byte is known from their number, and a cache in a directory of its own. */
#pragma once

#include "cache/blocks.h"

#include "cache_probe.h"

#define MIB (UINT64_C(1) << 20)

enum { ALL_PIECES = 0xffff };

static inline struct blob_id probe_blob(uint64_t n)
{
    struct blob_id id;
    uint64_t seed = n * 1000003;
    for (size_t i = 0; i < sizeof(id); i += 8) {
        uint64_t word = probe_random(&seed);
        memcpy(id.bytes + i, &word, 8);
    }
    return id;
}

/* The eight bytes at @off, a multiple of 8, of blob @n. */
static inline uint64_t probe_word(uint64_t n, uint64_t off)
{
    uint64_t z = (n << 40 ^ off / 8) * UINT64_C(0x9e3779b97f4a7c15);
    return (z ^ z >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

static inline uint8_t probe_byte(uint64_t n, uint64_t off)
{
    return (uint8_t)(probe_word(n, off & ~UINT64_C(7)) >> 8 * (off & 7));
}

/* Whether @bytes are those of blob @n at @off. */
static inline bool probe_is_right(uint64_t n, uint64_t off, const uint8_t *bytes, size_t len)
{
    size_t i = 0;
    for (; i < len && (off + i) % 8; i++)
        if (bytes[i] != probe_byte(n, off + i))
            return false;
    for (; i + 8 <= len; i += 8) {
        uint64_t word = probe_word(n, off + i);
        if (memcmp(bytes + i, &word, 8) != 0)
            return false;
    }
    for (; i < len; i++)
        if (bytes[i] != probe_byte(n, off + i))
            return false;
    return true;
}

static inline void probe_buf_release(struct block_buf *buf)
{
    free(buf->data);
    free(buf);
}

/* Block @block of blob @n, @len bytes; pieces that are not @present hold other bytes. */
static inline struct block_buf *probe_buf(uint64_t n, uint32_t block, uint32_t len,
                                          uint16_t present)
{
    struct block_buf *buf = malloc(sizeof(*buf));
    *buf = (struct block_buf){
        .blob = probe_blob(n),
        .block = block,
        .len = len,
        .present = present,
        .release = probe_buf_release,
        .refs = 1,
        .data = malloc(BLOCK_BYTES),
    };
    for (uint64_t i = 0; i < BLOCK_BYTES; i += 8) {
        bool is_here = present >> i / PIECE_BYTES & 1;
        uint64_t word = is_here ? probe_word(n, block * BLOCK_BYTES + i) : UINT64_C(0xdeaddeaddead);
        memcpy(buf->data + i, &word, 8);
    }
    return buf;
}

/* Offers pieces of a block. */
static inline bool probe_offer(struct blocks *blocks, uint64_t n, uint32_t block, uint32_t len,
                               uint16_t present)
{
    struct block_buf *buf = probe_buf(n, block, len, present);
    bool taken = blocks_offer(blocks, buf);
    block_buf_unref(buf);
    return taken;
}

static inline bool probe_offer_whole(struct blocks *blocks, uint64_t n, uint32_t block)
{
    return probe_offer(blocks, n, block, BLOCK_BYTES, ALL_PIECES);
}

/* How many leading bytes of the range are there; -1 when one of them is wrong. */
static inline int64_t probe_view(struct blocks *blocks, uint64_t n, uint64_t off, size_t len)
{
    struct blob_id id = probe_blob(n);
    struct blocks_view view;
    if (blocks_view(blocks, &id, off, len, &view) == 0)
        return 0;
    uint64_t at = off;
    bool right = view.len <= len;
    for (int i = 0; i < view.n_pieces && right; at += view.piece[i++].iov_len)
        right = probe_is_right(n, at, view.piece[i].iov_base, view.piece[i].iov_len);
    right = right && at - off == view.len;
    blocks_view_end(&view);
    return right ? (int64_t)(at - off) : -1;
}

/* Bytes of a whole block that are there, from its beginning; -1: wrong. */
static inline int64_t probe_view_block(struct blocks *blocks, uint64_t n, uint32_t block)
{
    return probe_view(blocks, n, block * BLOCK_BYTES, BLOCK_BYTES);
}

/* NULL when it does not open. */
static inline struct blocks *probe_open(const char *dir, uint64_t limit_bytes)
{
    struct blocks_options options = {.dir = dir, .limit_bytes = limit_bytes};
    struct blocks *blocks = NULL;
    return blocks_open(&options, &blocks) == 0 ? blocks : NULL;
}

static inline struct blocks_stats probe_stats(struct blocks *blocks)
{
    struct blocks_stats stats;
    blocks_get_stats(blocks, &stats);
    return stats;
}

static inline int64_t probe_data_bytes(const char *dir)
{
    return probe_size(probe_path(dir, "v1/data.mdb"));
}
