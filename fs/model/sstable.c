/* SPDX-License-Identifier: Apache-2.0 */
/* A table is blocks, and a footer that says where the index block is; its values say where the data
 * blocks are. A block is entries, each with a key that shares its beginning with the one before,
 * then places where keys are whole (restarts, for searches; not needed here). Behind each block
 * stand its compression and its checksum.
 *
 * Blocks must lie in the order of the index and keys must ascend: what a writer always does, and
 * what keeps a hostile table from giving the same bytes again and again. */
#include "model/sstable.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/crc32c.h"
#include "model/protobuf.h"
#include "model/snappy.h"
#include "util/buf.h"
#include "util/minmax.h"

enum {
    FOOTER_BYTES = 48, /* two handles, padded, and the magic number */
    MAGIC_BYTES = 8,
    TRAILER_BYTES = 5, /* of a block: type, checksum */
    TYPE_PLAIN = 0,
    TYPE_SNAPPY = 1,
    /* LevelDB's blocks are some KiB; one pair alone may make a larger one. */
    MAX_BLOCK_BYTES = 64 << 20,
};
static const uint64_t MAGIC = 0xdb4775248b80fb57;

struct handle {
    uint64_t offset, len;
};

struct block {
    const uint8_t *data;
    size_t len;
    uint8_t *owned; /* where it was unpacked to */
};

struct table {
    const uint8_t *bytes; /* the whole file */
    uint64_t size;
    uint64_t next_offset; /* where the next data block may begin */
    struct buf key;       /* the last of the data */
    bool has_key;
    sstable_fn *fn;
    void *ctx;
};

static void block_deinit(struct block *block)
{
    free(block->owned);
}

static void table_deinit(struct table *table)
{
    buf_deinit(&table->key);
}

static uint32_t read_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

static size_t read_handle(const uint8_t *at, const uint8_t *end, struct handle *out)
{
    size_t n = protobuf_varint(at, end, &out->offset);
    size_t m = n ? protobuf_varint(at + n, end, &out->len) : 0;
    return m ? n + m : 0;
}

static int unpack(struct block *block, uint8_t type)
{
    if (type == TYPE_PLAIN)
        return 0;
    if (type != TYPE_SNAPPY)
        return -EBADMSG;
    int r = snappy_unpack(block->data, block->len, MAX_BLOCK_BYTES, &block->owned, &block->len);
    block->data = block->owned;
    return r;
}

static int read_block(const struct table *table, struct handle at, struct block *out)
{
    if (at.offset > table->size || at.len > table->size - at.offset ||
        table->size - at.offset - at.len < TRAILER_BYTES)
        return -EBADMSG;
    const uint8_t *data = table->bytes + at.offset, *trailer = data + at.len;
    if (crc32c_mask(crc32c(0, data, at.len + 1)) != read_u32(trailer + 1))
        return -EBADMSG;
    *out = (struct block){.data = data, .len = at.len};
    return unpack(out, *trailer);
}

/* Takes the places of restarts off the end. */
static bool trim(struct block *block)
{
    if (block->len < sizeof(uint32_t))
        return false;
    block->len -= sizeof(uint32_t);
    uint64_t restarts = (uint64_t)read_u32(block->data + block->len) * sizeof(uint32_t);
    if (restarts > block->len)
        return false;
    block->len -= restarts;
    return true;
}

struct entry {
    uint64_t shared, fresh, value_len;
    const uint8_t *key; /* what is not shared */
    const uint8_t *value;
};

static bool read_entry(struct protobuf *rest, struct entry *out)
{
    uint64_t *const numbers[] = {&out->shared, &out->fresh, &out->value_len};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (protobuf_next_varint(rest, numbers[i]) != 1)
            return false;
    uint64_t left = (uint64_t)(rest->end - rest->at);
    if (out->fresh > left || out->value_len > left - out->fresh)
        return false;
    out->key = rest->at;
    out->value = rest->at + out->fresh;
    rest->at = out->value + out->value_len;
    return true;
}

/* Whether the key of @entry comes behind @key. */
static bool ascends(const struct buf *key, const struct entry *entry)
{
    uint64_t old = key->len - entry->shared;
    size_t n = (size_t)min_u64(old, entry->fresh);
    int order = n ? memcmp(entry->key, key->data + entry->shared, n) : 0;
    return order > 0 || (order == 0 && entry->fresh > old);
}

/* Makes of the last key that of @entry, which shares at most @known bytes with it. */
static int next_key(struct table *table, const struct entry *entry, uint64_t known)
{
    struct buf *key = &table->key;
    if (entry->shared > known || entry->shared + entry->fresh > SSTABLE_MAX_KEY_BYTES ||
        (table->has_key && !ascends(key, entry)))
        return -EBADMSG;
    key->len = entry->shared;
    table->has_key = true;
    return buf_append(key, entry->key, entry->fresh);
}

static int each_pair(struct table *table, const struct block *block)
{
    struct protobuf rest = protobuf_of(block->data, block->len);
    struct entry entry;
    uint64_t known = 0; /* the first key of a block is whole */
    int r = 0;
    while (r == 0 && rest.at < rest.end) {
        if (!read_entry(&rest, &entry))
            return -EBADMSG;
        r = next_key(table, &entry, known);
        if (r < 0)
            return r;
        known = table->key.len;
        r = table->fn(table->ctx, &(struct sstable_pair){.key = (const uint8_t *)table->key.data,
                                                         .key_len = table->key.len,
                                                         .value = entry.value,
                                                         .value_len = entry.value_len});
    }
    return r;
}

static int each_in(struct table *table, struct handle at)
{
    CLEANUP(block_deinit) struct block block = {0};
    if (at.offset < table->next_offset)
        return -EBADMSG;
    int r = read_block(table, at, &block);
    if (r < 0)
        return r;
    table->next_offset = at.offset + at.len + TRAILER_BYTES;
    return trim(&block) ? each_pair(table, &block) : -EBADMSG;
}

/* Keys of the index only part its blocks. */
static int each_block(struct table *table, const struct block *index)
{
    struct protobuf rest = protobuf_of(index->data, index->len);
    struct entry entry;
    struct handle at;
    int r = 0;
    while (r == 0 && rest.at < rest.end) {
        if (!read_entry(&rest, &entry) ||
            !read_handle(entry.value, entry.value + entry.value_len, &at))
            return -EBADMSG;
        r = each_in(table, at);
    }
    return r;
}

/* The index's place, out of the footer. */
static bool read_footer(const uint8_t *footer, struct handle *out_index)
{
    struct handle meta;
    uint64_t magic;
    const uint8_t *end = footer + FOOTER_BYTES - MAGIC_BYTES;
    memcpy(&magic, end, sizeof(magic));
    size_t n = read_handle(footer, end, &meta);
    return le64toh(magic) == MAGIC && n && read_handle(footer + n, end, out_index);
}

/* Has all of a file: at once, or its end first. NULL: glimpse_error(). */
static const uint8_t *ask_whole(struct glimpse *glimpse, struct handle *out_index)
{
    uint64_t size = glimpse->size_bytes, footer = size < FOOTER_BYTES ? size : size - FOOTER_BYTES;
    uint64_t begin = size <= SSTABLE_WHOLE_BYTES ? 0 : size - GLIMPSE_MIN_BYTES;
    if (!glimpse_at(glimpse, begin, size - begin))
        return NULL;
    const uint8_t *at = glimpse_at(glimpse, footer, FOOTER_BYTES);
    if (!at)
        return NULL;
    if (!read_footer(at, out_index)) {
        glimpse->error = -EBADMSG;
        return NULL;
    }
    return glimpse_at(glimpse, 0, begin) ? glimpse_at(glimpse, 0, size) : NULL;
}

int sstable_each(struct glimpse *glimpse, sstable_fn *fn, void *ctx)
{
    CLEANUP(table_deinit) struct table table = {.fn = fn, .ctx = ctx};
    CLEANUP(block_deinit) struct block index = {0};
    struct handle at;
    table.size = glimpse->size_bytes;
    table.bytes = ask_whole(glimpse, &at);
    if (!table.bytes)
        return glimpse_error(glimpse);
    int r = read_block(&table, at, &index);
    if (r < 0)
        return r;
    return trim(&index) ? each_block(&table, &index) : -EBADMSG;
}
