/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/blocks.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/blocks_state.h"
#include "cache/evict.h"
#include "cache/folder.h"
#include "cache/guard.h"
#include "cache/meta_table.h"
#include "cache/record.h"

/* Below this nothing useful would stay: a handful of blocks and what LMDB needs around them. */
static const uint64_t least_limit_bytes = UINT64_C(8) << 20;

/* A transaction keeps a list in memory of all pages it frees. */
enum { CHANGES_A_TXN = 256, CHANGE_MORE = 1 };

/* Names this version's tables and their formats; another version makes a folder of its own. */
static const char version_dir[] = "v1";

static void blocks_destroy(struct blocks *blocks)
{
    writer_free(blocks->writer);
    meta_free(blocks->meta);
    env_close(blocks->tables.env);
    pending_free(blocks->pending);
    tokens_free(blocks->tokens);
    free(blocks->dir);
    free(blocks);
}

static int open_tables(struct blocks *blocks)
{
    bool dropped = false;
    int r = tables_open(blocks->dir, blocks->limit_bytes, &blocks->tables, &dropped);
    if (r == 0 && dropped && blocks->report)
        blocks->report(
            blocks->report_ctx,
            "what was there was damaged, not complete or larger than the limit: starting empty");
    return r;
}

static int start_writer(struct blocks *blocks)
{
    struct writer_options options = {
        .tables = &blocks->tables,
        .pending = blocks->pending,
        .tokens = blocks->tokens,
        .dir = blocks->dir,
        .limit_bytes = blocks->limit_bytes,
        .min_free_bytes = blocks->min_free_bytes,
        .report = blocks->report,
        .report_ctx = blocks->report_ctx,
    };
    int r = writer_new(&options, &blocks->writer);
    if (r < 0)
        return r;
    blocks->meta = meta_new(&blocks->tables, blocks->writer, blocks->limit_bytes);
    return blocks->meta ? 0 : -ENOMEM;
}

/* Takes the options over, the folder of this version as `dir`. */
static int copy_options(struct blocks *blocks, const struct blocks_options *options)
{
    blocks->limit_bytes = options->limit_bytes;
    if (blocks->limit_bytes < least_limit_bytes)
        blocks->limit_bytes = least_limit_bytes;
    blocks->min_free_bytes = options->min_free_bytes;
    blocks->report = options->report;
    blocks->report_ctx = options->report_ctx;
    if (asprintf(&blocks->dir, "%s/%s", options->dir, version_dir) < 0)
        blocks->dir = NULL;
    return blocks->dir ? 0 : -ENOMEM;
}

int blocks_open(const struct blocks_options *options, struct blocks **out)
{
    struct blocks *blocks = calloc(1, sizeof(*blocks));
    if (!blocks)
        return -ENOMEM;
    int r = folder_make(options->dir);
    if (r == 0)
        r = copy_options(blocks, options);
    blocks->pending = pending_new();
    blocks->tokens = tokens_new();
    if (r == 0 && (!blocks->pending || !blocks->tokens))
        r = -ENOMEM;
    if (r == 0)
        r = open_tables(blocks);
    if (r == 0)
        r = start_writer(blocks);
    if (r < 0)
        blocks_destroy(blocks);
    else
        *out = blocks;
    return r;
}

void blocks_close(struct blocks *blocks)
{
    if (blocks)
        blocks_destroy(blocks);
}

bool blocks_offer(struct blocks *blocks, struct block_buf *buf)
{
    if (buf->present != 0 && writer_offer(blocks->writer, buf))
        return true;
    atomic_fetch_add(&blocks->dropped_offers, 1);
    return false;
}

uint64_t blocks_pending_bytes(struct blocks *blocks)
{
    return pending_bytes(blocks->pending);
}

static int do_nothing(struct env_txn *txn, const struct tables *tables, void *ctx)
{
    (void)txn;
    (void)tables;
    (void)ctx;
    return 0;
}

void blocks_flush(struct blocks *blocks)
{
    writer_call(blocks->writer, do_nothing, NULL, 0);
}

/* --- a blob's blocks --- */

/* 0 to go on, else how the walk ends. */
typedef int block_fn(struct env_txn *txn, const struct tables *tables, const uint8_t *key,
                     struct env_bytes value, void *ctx);

static bool is_of_blob(struct env_bytes key, const struct blob_id *blob)
{
    return key.len == BLOCK_KEY_BYTES && memcmp(key.data, blob, sizeof(*blob)) == 0;
}

/* Calls @fn for every stored block of @blob from @first on, in order. */
static int each_block(struct env_txn *txn, const struct tables *tables, const struct blob_id *blob,
                      uint32_t first, block_fn *fn, void *ctx)
{
    uint8_t at[BLOCK_KEY_BYTES];
    block_key_format(blob, first, at);
    struct env_bytes value, key = {.data = at, .len = sizeof(at)};
    int r = env_seek(txn, tables->blocks, &key, &value);
    while (r == 0 && is_of_blob(key, blob)) {
        memcpy(at, key.data, sizeof(at));
        r = fn(txn, tables, at, value, ctx);
        key = (struct env_bytes){.data = at, .len = sizeof(at)};
        if (r == 0)
            r = env_next(txn, tables->blocks, &key, &value);
    }
    return r == -ENOENT ? 0 : r;
}

/* By the record's length, which stands in the table: looking at each would read the whole blob's
 * pages from the disk. */
static int add_present(struct env_txn *txn, const struct tables *tables, const uint8_t *key,
                       struct env_bytes value, void *ctx)
{
    (void)txn;
    (void)tables;
    (void)key;
    if (value.len > sizeof(struct record_header))
        *(uint64_t *)ctx += value.len - sizeof(struct record_header);
    return 0;
}

/* On its own, so that the guard's jump comes back into a function with nothing to lose. */
GUARD_ALONE static void count_present(struct blocks *blocks, struct env_txn *txn,
                                      const struct blob_id *blob, uint64_t *bytes)
{
    if (GUARDED(each_block(txn, &blocks->tables, blob, 0, add_present, bytes)) == GUARD_FAULT)
        env_set_broken(blocks->tables.env);
}

uint64_t blocks_present_bytes(struct blocks *blocks, const struct blob_id *blob,
                              uint64_t size_bytes)
{
    uint64_t bytes = 0;
    struct env_txn *txn;
    if (env_begin(blocks->tables.env, false, &txn) < 0)
        return 0;
    count_present(blocks, txn, blob, &bytes);
    env_abort(txn);
    return bytes < size_bytes ? bytes : size_bytes;
}

/* A change of all blocks of a blob, some a transaction. */
struct change {
    const struct blob_id *blob;
    int (*apply)(struct env_txn *txn, const struct tables *tables, const uint8_t *key);
    uint32_t first; /* block of this transaction */
    unsigned n;     /* blocks that it changed */
    bool more;
    uint32_t next; /* when there is more: where the next transaction begins */
};

static int change_block(struct env_txn *txn, const struct tables *tables, const uint8_t *key,
                        struct env_bytes value, void *ctx)
{
    (void)value;
    struct change *change = ctx;
    struct blob_id blob;
    if (change->n == CHANGES_A_TXN) {
        block_key_parse(key, &blob, &change->next);
        change->more = true;
        return CHANGE_MORE;
    }
    change->n++;
    return change->apply(txn, tables, key);
}

static int change_some(struct env_txn *txn, const struct tables *tables, void *ctx)
{
    struct change *change = ctx;
    change->n = 0;
    change->more = false;
    int r = each_block(txn, tables, change->blob, change->first, change_block, change);
    return r == CHANGE_MORE ? 0 : r;
}

static int change_blob(struct blocks *blocks, struct change *change)
{
    int r = writer_call(blocks->writer, change_some, change, 0);
    while (r == 0 && change->more) {
        change->first = change->next;
        r = writer_call(blocks->writer, change_some, change, 0);
    }
    return r;
}

int blocks_drop(struct blocks *blocks, const struct blob_id *blob)
{
    struct change change = {.blob = blob, .apply = evict_remove};
    return change_blob(blocks, &change);
}

struct pinning {
    const struct blob_id *blob;
    bool pinned;
};

static int set_pin(struct env_txn *txn, const struct tables *tables, void *ctx)
{
    const struct pinning *pinning = ctx;
    struct env_bytes key = {.data = pinning->blob, .len = sizeof(*pinning->blob)};
    if (pinning->pinned)
        return env_put(txn, tables->pins, key, (struct env_bytes){.data = "", .len = 0});
    int r = env_delete(txn, tables->pins, key);
    return r == -ENOENT ? 0 : r;
}

int blocks_pin(struct blocks *blocks, const struct blob_id *blob, bool pinned)
{
    struct pinning pinning = {.blob = blob, .pinned = pinned};
    struct change change = {.blob = blob, .apply = evict_note_pin};
    int r = writer_call(blocks->writer, set_pin, &pinning, PIECE_BYTES);
    return r == 0 && !pinned ? change_blob(blocks, &change) : r;
}

/* --- facts --- */

struct meta *blocks_meta(struct blocks *blocks)
{
    return blocks->meta;
}

static void get_usage(struct blocks *blocks, struct blocks_stats *out)
{
    struct env_txn *txn;
    struct env_usage usage;
    if (env_begin(blocks->tables.env, false, &txn) < 0)
        return;
    if (env_usage(txn, blocks->tables.blocks, &usage) == 0) {
        out->used_bytes = usage.used_bytes;
        out->file_bytes = usage.file_bytes;
        out->n_blocks = usage.n_entries;
    }
    env_abort(txn);
}

void blocks_get_stats(struct blocks *blocks, struct blocks_stats *out)
{
    struct writer_stats writer;
    writer_get_stats(blocks->writer, &writer);
    *out = (struct blocks_stats){
        .limit_bytes = blocks->limit_bytes,
        .pending_bytes = pending_bytes(blocks->pending),
        .hits = atomic_load(&blocks->hits),
        .misses = atomic_load(&blocks->misses),
        .written = writer.written,
        .dropped_offers = atomic_load(&blocks->dropped_offers) + writer.given_up,
        .evicted = writer.evicted,
        .damaged = atomic_load(&blocks->damaged),
        .failed = env_is_broken(blocks->tables.env),
    };
    get_usage(blocks, out);
}
