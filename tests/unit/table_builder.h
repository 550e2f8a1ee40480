/* SPDX-License-Identifier: Apache-2.0 */
/* Writes LevelDB's tables: pairs in blocks, as the caller parts them. Start from {0}. */
#pragma once

#include <snappy-c.h>
#include <stdbool.h>

#include "model/crc32c.h"
#include "protobuf_builder.h"

enum { BUILDER_RESTART_EVERY = 3 };

struct block_builder {
    struct buf data, last, restarts;
    int n_since, n_restarts;
};

struct table_builder {
    struct buf file;
    struct block_builder block, index;
    bool is_packed; /* by snappy */
};

static inline void block_add(struct block_builder *block, const void *key, size_t key_len,
                             const void *value, size_t value_len)
{
    size_t shared = 0;
    if (!block->n_restarts || block->n_since == BUILDER_RESTART_EVERY) {
        put_little(&block->restarts, block->data.len, 4);
        block->n_restarts++;
        block->n_since = 0;
    } else {
        while (shared < key_len && shared < block->last.len &&
               ((const char *)key)[shared] == block->last.data[shared])
            shared++;
    }
    block->n_since++;
    put_varint(&block->data, shared);
    put_varint(&block->data, key_len - shared);
    put_varint(&block->data, value_len);
    buf_append(&block->data, (const char *)key + shared, key_len - shared);
    buf_append(&block->data, value, value_len);
    block->last.len = 0;
    buf_append(&block->last, key, key_len);
}

static inline void block_deinit(struct block_builder *block)
{
    buf_deinit(&block->data);
    buf_deinit(&block->last);
    buf_deinit(&block->restarts);
    *block = (struct block_builder){0};
}

/* Appends bytes as a block with its trailer; the handle to @out. */
static inline void table_put(struct table_builder *table, const struct buf *data, uint8_t type,
                             struct buf *out)
{
    put_varint(out, table->file.len);
    put_varint(out, data->len);
    uint32_t crc = crc32c(crc32c(0, data->data, data->len), &type, 1);
    buf_append(&table->file, data->data, data->len);
    buf_putc(&table->file, (char)type);
    put_little(&table->file, crc32c_mask(crc), 4);
}

/* Ends a block, which is emptied. */
static inline void table_put_block(struct table_builder *table, struct block_builder *block,
                                   struct buf *out)
{
    struct buf packed = {0};
    buf_append(&block->data, block->restarts.data, block->restarts.len);
    put_little(&block->data, (uint64_t)block->n_restarts, 4);
    if (table->is_packed) {
        size_t len = snappy_max_compressed_length(block->data.len);
        buf_reserve(&packed, len);
        snappy_compress(block->data.data, block->data.len, packed.data, &len);
        packed.len = len;
    }
    table_put(table, table->is_packed ? &packed : &block->data, table->is_packed, out);
    buf_deinit(&packed);
    block_deinit(block);
}

static inline void table_add(struct table_builder *table, const void *key, size_t key_len,
                             const void *value, size_t value_len)
{
    block_add(&table->block, key, key_len, value, value_len);
}

/* Ends the data block; the index names it by its last key. */
static inline void table_flush(struct table_builder *table)
{
    struct buf handle = {0}, last = {0};
    buf_append(&last, table->block.last.data, table->block.last.len);
    table_put_block(table, &table->block, &handle);
    block_add(&table->index, last.data, last.len, handle.data, handle.len);
    buf_deinit(&handle);
    buf_deinit(&last);
}

static inline void table_finish(struct table_builder *table)
{
    struct buf footer = {0};
    struct block_builder meta = {0};
    if (table->block.data.len)
        table_flush(table);
    table_put_block(table, &meta, &footer);
    table_put_block(table, &table->index, &footer);
    while (footer.len < 40)
        buf_putc(&footer, 0);
    put_little(&footer, 0xdb4775248b80fb57, 8);
    buf_append(&table->file, footer.data, footer.len);
    buf_deinit(&footer);
}

static inline void table_builder_deinit(struct table_builder *table)
{
    buf_deinit(&table->file);
    block_deinit(&table->block);
    block_deinit(&table->index);
}
