/* SPDX-License-Identifier: Apache-2.0 */
/* Looking blocks up. What is pending is collected before the read transaction begins: a block
 * leaves `pending` only after it was committed, so one that was not seen there is seen in the
 * transaction. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cache/blocks.h"
#include "cache/blocks_state.h"
#include "cache/evict.h"
#include "cache/guard.h"
#include "cache/record.h"
#include "cache/resident.h"

#define MAX_VIEW_BYTES (UINT64_C(8) << 20)

/* Block numbers have 32 bits. What lies behind is never here. */
#define MAX_BLOB_BYTES (BLOCK_BYTES << 32)

/* One block while it is looked at. */
struct spot {
    uint32_t block;
    uint8_t key[BLOCK_KEY_BYTES];
    bool stored; /* record is there */
    struct record record;
};

/* Removes a damaged block, unless it was stored anew meanwhile. */
struct removal {
    uint8_t key[BLOCK_KEY_BYTES];
    uint64_t header_sum;
};

static bool is_same_record(struct env_bytes value, uint64_t header_sum)
{
    struct record_header header;
    if (value.len < sizeof(header))
        return true;
    memcpy(&header, value.data, sizeof(header));
    return header.header_sum == header_sum;
}

static int remove_damaged(struct env_txn *txn, const struct tables *tables, void *ctx)
{
    const struct removal *removal = ctx;
    struct env_bytes value;
    struct env_bytes key = {.data = removal->key, .len = BLOCK_KEY_BYTES};
    if (env_get(txn, tables->blocks, key, &value) < 0 ||
        !is_same_record(value, removal->header_sum))
        return 0;
    return evict_remove(txn, tables, removal->key);
}

/* @header_sum: of the record as it was found, sound or not. */
static void drop_damaged(struct blocks *blocks, const struct spot *spot, uint64_t header_sum)
{
    bool is_first = atomic_fetch_add(&blocks->damaged, 1) == 0;
    if (is_first && blocks->report)
        blocks->report(blocks->report_ctx, "damaged blocks are found and fetched again");
    struct removal *removal = malloc(sizeof(*removal));
    if (!removal)
        return;
    memcpy(removal->key, spot->key, sizeof(removal->key));
    removal->header_sum = header_sum;
    writer_post(blocks->writer, remove_damaged, removal);
}

static bool is_whole(struct env_bytes value)
{
    return value.len == sizeof(struct record_header) + BLOCK_BYTES;
}

/* Before the header is looked at, so that the disk is asked once for all. Where pieces lie in a
 * record that is not whole only the header knows: all of that is brought. */
static void bring_record(struct env_bytes value, uint64_t off, uint64_t end)
{
    bool whole = is_whole(value);
    uint64_t first = off % BLOCK_BYTES / PIECE_BYTES * PIECE_BYTES;
    uint64_t last = ((end - 1) % BLOCK_BYTES / PIECE_BYTES + 1) * PIECE_BYTES;
    if (!whole || first == 0) {
        uint64_t len = sizeof(struct record_header) + last;
        resident_bring(value.data, whole ? len : value.len);
        return;
    }
    resident_bring(value.data, sizeof(struct record_header));
    resident_bring((const uint8_t *)value.data + sizeof(struct record_header) + first,
                   last - first);
}

/* Finds the stored form of the block that [off, end) lies in. */
static void look_up(struct blocks *blocks, struct env_txn *txn, const struct blob_id *blob,
                    uint64_t off, uint64_t end, struct spot *out)
{
    uint32_t block = (uint32_t)(off / BLOCK_BYTES);
    out->block = block;
    out->stored = false;
    out->record.header.header_sum = 0;
    block_key_format(blob, block, out->key);
    struct env_bytes value, key = {.data = out->key, .len = BLOCK_KEY_BYTES};
    if (!txn || env_get(txn, blocks->tables.blocks, key, &value) < 0)
        return;
    bring_record(value, off, end);
    /* guarded: the bytes may lie behind the end of a file that was cut */
    int r = GUARDED(record_open(value.data, value.len, blob, block, &out->record));
    out->stored = r == 0;
    if (r == -EXDEV)
        env_set_broken(blocks->tables.env);
    else if (r < 0)
        drop_damaged(blocks, out, out->record.header.header_sum);
}

static bool verify(struct blocks *blocks, struct spot *spot, unsigned piece)
{
    uint64_t sum = spot->record.header.header_sum;
    if (tokens_is_verified(blocks->tokens, sum, piece))
        return true;
    if (GUARDED(record_piece_is_sound(&spot->record, piece)) == 1) {
        tokens_set_verified(blocks->tokens, sum, piece);
        return true;
    }
    spot->stored = false;
    drop_damaged(blocks, spot, sum);
    return false;
}

static struct block_buf *find_pending(const struct blocks_view *view, uint32_t block,
                                      unsigned piece)
{
    for (int i = 0; i < BLOCKS_VIEW_PIECES && view->pending[i]; i++)
        if (view->pending[i]->block == block && (view->pending[i]->present >> piece & 1))
            return view->pending[i];
    return NULL;
}

/* Where a piece's bytes are, and how many. NULL: it is not here. */
static const uint8_t *find_piece(struct blocks_view *view, struct spot *spot, unsigned piece,
                                 size_t *out_len)
{
    struct block_buf *buf = find_pending(view, spot->block, piece);
    if (buf) {
        *out_len = piece_len(buf->len, piece);
        return buf->data + piece * PIECE_BYTES;
    }
    if (!spot->stored || !record_has(&spot->record, piece) || !verify(view->blocks, spot, piece))
        return NULL;
    *out_len = piece_len(spot->record.header.len, piece);
    return record_piece(&spot->record, piece);
}

/* Appends bytes to the view. False when it has no room for another run. */
static bool append(struct blocks_view *view, const uint8_t *data, size_t len)
{
    struct iovec *last = view->n_pieces > 0 ? &view->piece[view->n_pieces - 1] : NULL;
    if (last && (const uint8_t *)last->iov_base + last->iov_len == data) {
        last->iov_len += len;
    } else {
        if (view->n_pieces == BLOCKS_VIEW_PIECES)
            return false;
        view->piece[view->n_pieces++] = (struct iovec){(void *)data, len};
    }
    view->len += len;
    return true;
}

/* Appends what is here of [off, end), all in one block. Returns how far it came. */
static uint64_t view_block(struct blocks_view *view, const struct blob_id *blob, uint64_t off,
                           uint64_t end)
{
    struct spot spot;
    look_up(view->blocks, view->txn, blob, off, end, &spot);
    while (off < end) {
        unsigned piece = (unsigned)(off % BLOCK_BYTES / PIECE_BYTES);
        uint64_t skip = off % PIECE_BYTES;
        size_t len = 0;
        const uint8_t *data = find_piece(view, &spot, piece, &len);
        if (!data || len <= skip)
            break;
        uint64_t want = end - off < len - skip ? end - off : len - skip;
        if (!append(view, data + skip, (size_t)want))
            break;
        off += want;
    }
    if (spot.stored)
        tokens_touch(view->blocks->tokens, spot.key);
    return off;
}

static void begin(struct blocks *blocks, const struct blob_id *blob, uint64_t off, uint64_t len,
                  struct blocks_view *view)
{
    memset(view, 0, sizeof(*view));
    view->blocks = blocks;
    uint32_t first = (uint32_t)(off / BLOCK_BYTES);
    uint32_t n = (uint32_t)((off + len - 1) / BLOCK_BYTES) - first + 1;
    pending_collect(blocks->pending, blob, first, n, view->pending, BLOCKS_VIEW_PIECES);
    if (env_begin(blocks->tables.env, false, &view->txn) < 0)
        view->txn = NULL;
}

int blocks_view(struct blocks *blocks, const struct blob_id *blob, uint64_t off, size_t len,
                struct blocks_view *out)
{
    assert(len > 0 && len <= MAX_VIEW_BYTES);
    if (off > MAX_BLOB_BYTES - len)
        return 0;
    begin(blocks, blob, off, len, out);
    uint64_t end = off + len;
    for (uint64_t at = off; at < end;) {
        uint64_t block_end = (at / BLOCK_BYTES + 1) * BLOCK_BYTES;
        uint64_t to = block_end < end ? block_end : end;
        at = view_block(out, blob, at, to);
        if (at < to)
            break;
    }
    atomic_fetch_add(out->len > 0 ? &blocks->hits : &blocks->misses, 1);
    if (out->len > 0)
        return 1;
    blocks_view_end(out);
    return 0;
}

void blocks_view_end(struct blocks_view *view)
{
    env_abort(view->txn);
    for (int i = 0; i < BLOCKS_VIEW_PIECES; i++)
        block_buf_unref(view->pending[i]);
}

/* Whether the block is stored whole, which its length says: the header, which may still be on the
 * disk, need not be waited for. Has the disk read what is in [off, end) of it. */
static bool is_stored_whole(struct blocks *blocks, struct env_txn *txn, const struct blob_id *blob,
                            uint64_t off, uint64_t end)
{
    uint8_t at[BLOCK_KEY_BYTES];
    block_key_format(blob, (uint32_t)(off / BLOCK_BYTES), at);
    struct env_bytes value, key = {.data = at, .len = sizeof(at)};
    if (!txn || env_get(txn, blocks->tables.blocks, key, &value) < 0 || !is_whole(value))
        return false;
    bring_record(value, off, end);
    return true;
}

/* Bytes of [off, end), in one block, that are present from its beginning. */
static uint64_t run_in_block(struct blocks_view *view, const struct blob_id *blob, uint64_t off,
                             uint64_t end)
{
    struct spot spot;
    if (is_stored_whole(view->blocks, view->txn, blob, off, end))
        return end - off;
    look_up(view->blocks, view->txn, blob, off, end, &spot);
    uint64_t at = off;
    while (at < end) {
        unsigned piece = (unsigned)(at % BLOCK_BYTES / PIECE_BYTES);
        if (!find_pending(view, spot.block, piece) &&
            !(spot.stored && record_has(&spot.record, piece)))
            break;
        at = (at / PIECE_BYTES + 1) * PIECE_BYTES;
    }
    return (at < end ? at : end) - off;
}

uint64_t blocks_run(struct blocks *blocks, const struct blob_id *blob, uint64_t off, uint64_t len)
{
    struct blocks_view view;
    if (len == 0 || off > MAX_BLOB_BYTES - len)
        return 0;
    begin(blocks, blob, off, len, &view);
    uint64_t run = run_in_block(&view, blob, off, off + len);
    blocks_view_end(&view);
    return run;
}
