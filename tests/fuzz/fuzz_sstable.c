/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says what the others are: 0 a whole file; else a block that gets the right
 * checksums: 1 of data, 2 of data in snappy's form, 3 the index. */
#include "model/sstable.h"

#include "fuzz.h"
#include "unit/table_builder.h"

static int take_pair(void *ctx, const struct sstable_pair *pair)
{
    struct buf *last = (struct buf *)ctx;
    size_t n = last->len < pair->key_len ? last->len : pair->key_len;
    if (last->cap && (n ? memcmp(last->data, pair->key, n) : 0) > 0)
        abort(); /* keys descend */
    last->len = 0;
    buf_append(last, pair->key, pair->key_len);
    return pair->value_len && pair->value[0] == 0xee ? 1 : 0;
}

static int parse(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    (void)file;
    return sstable_each(glimpse, take_pair, ctx);
}

static void build(struct table_builder *table, const uint8_t *data, size_t size)
{
    struct buf block = {0}, handle = {0};
    buf_append(&block, data + 1, size - 1);
    if (*data < 3) {
        table_put(table, &block, *data == 2, &handle);
        block_add(&table->index, "z", 1, handle.data, handle.len);
    } else {
        table_add(table, "key", 3, "value", 5);
        table_put_block(table, &table->block, &handle);
        buf_append(&table->index.data, block.data, block.len);
    }
    table_finish(table);
    buf_deinit(&block);
    buf_deinit(&handle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table_builder table = {0};
    struct buf last = {0};
    if (!size || *data > 3)
        return -1;
    if (*data)
        build(&table, data, size);
    else
        buf_append(&table.file, data + 1, size - 1);
    fuzz_parse(parse, &last, 0, (uint8_t *)table.file.data, table.file.len);
    buf_deinit(&last);
    table_builder_deinit(&table);
    return 0;
}
