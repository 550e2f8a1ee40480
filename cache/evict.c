/* SPDX-License-Identifier: Apache-2.0 */
/* `order` sorts by moment, so that the first entry is who goes next. Pinned blocks have a moment
 * with the highest bit set, so that they sort behind all others and among themselves by their last
 * use: they are met only when everything left is pinned. A blob that is pinned leaves its blocks
 * where they are; each is moved when it is met. */
#include "cache/evict.h"

#include <errno.h>
#include <string.h>

enum { MOMENT_BYTES = 8, ORDER_KEY_BYTES = MOMENT_BYTES + BLOCK_KEY_BYTES };

#define PINNED (UINT64_C(1) << 63) /* as nanoseconds: the year 2262 */

static struct env_bytes bytes(const void *data, size_t len)
{
    return (struct env_bytes){.data = data, .len = len};
}

static void order_key(uint8_t out[ORDER_KEY_BYTES], uint64_t when_ns,
                      const uint8_t key[BLOCK_KEY_BYTES])
{
    for (int i = 0; i < MOMENT_BYTES; i++)
        out[i] = (uint8_t)(when_ns >> (56 - 8 * i));
    memcpy(out + MOMENT_BYTES, key, BLOCK_KEY_BYTES);
}

static uint64_t parse_moment(struct env_bytes moment)
{
    uint64_t when_ns = 0;
    for (size_t i = 0; i < MOMENT_BYTES && moment.len == MOMENT_BYTES; i++)
        when_ns = when_ns << 8 | ((const uint8_t *)moment.data)[i];
    return when_ns;
}

/* Forgets when the block was used, in both tables. */
static int forget_use(struct env_txn *txn, const struct tables *tables,
                      const uint8_t key[BLOCK_KEY_BYTES])
{
    struct env_bytes moment;
    int r = env_get(txn, tables->uses, bytes(key, BLOCK_KEY_BYTES), &moment);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (moment.len == MOMENT_BYTES) {
        uint8_t entry[ORDER_KEY_BYTES];
        memcpy(entry, moment.data, MOMENT_BYTES);
        memcpy(entry + MOMENT_BYTES, key, BLOCK_KEY_BYTES);
        r = env_delete(txn, tables->order, bytes(entry, sizeof(entry)));
        if (r < 0 && r != -ENOENT)
            return r;
    }
    r = env_delete(txn, tables->uses, bytes(key, BLOCK_KEY_BYTES));
    return r == -ENOENT ? 0 : r;
}

static bool is_pinned(struct env_txn *txn, const struct tables *tables,
                      const uint8_t key[BLOCK_KEY_BYTES])
{
    struct env_bytes value;
    return env_get(txn, tables->pins, bytes(key, BLOB_ID_BYTES), &value) == 0;
}

int evict_note_use(struct env_txn *txn, const struct tables *tables,
                   const uint8_t key[BLOCK_KEY_BYTES], uint64_t when_ns)
{
    struct env_bytes value;
    int r = env_get(txn, tables->blocks, bytes(key, BLOCK_KEY_BYTES), &value);
    if (r == 0)
        r = forget_use(txn, tables, key);
    if (r < 0)
        return r;
    uint8_t entry[ORDER_KEY_BYTES];
    order_key(entry, is_pinned(txn, tables, key) ? when_ns | PINNED : when_ns & ~PINNED, key);
    r = env_put(txn, tables->order, bytes(entry, sizeof(entry)), bytes("", 0));
    if (r < 0)
        return r;
    return env_put(txn, tables->uses, bytes(key, BLOCK_KEY_BYTES), bytes(entry, MOMENT_BYTES));
}

int evict_note_pin(struct env_txn *txn, const struct tables *tables,
                   const uint8_t key[BLOCK_KEY_BYTES])
{
    struct env_bytes moment;
    int r = env_get(txn, tables->uses, bytes(key, BLOCK_KEY_BYTES), &moment);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return evict_note_use(txn, tables, key, parse_moment(moment));
}

int evict_remove(struct env_txn *txn, const struct tables *tables,
                 const uint8_t key[BLOCK_KEY_BYTES])
{
    int r = tables_check_entry(txn, tables, key);
    if (r == 0)
        r = forget_use(txn, tables, key);
    if (r < 0)
        return r;
    r = env_delete(txn, tables->blocks, bytes(key, BLOCK_KEY_BYTES));
    return r == -ENOENT ? 0 : r;
}

/* Takes the first entry of `order` out: the block whose last use is the longest ago. In damaged
 * tables the entry may be of no block. -ENOENT: there is none. */
static int take_oldest(struct env_txn *txn, const struct tables *tables,
                       uint8_t out_key[BLOCK_KEY_BYTES], uint64_t *out_moment)
{
    struct env_bytes entry = {0}, value;
    uint8_t copy[ORDER_KEY_BYTES] = {0};
    int r = env_seek(txn, tables->order, &entry, &value);
    if (r < 0)
        return r;
    size_t len = entry.len < sizeof(copy) ? entry.len : sizeof(copy);
    memcpy(copy, entry.data, len);
    memcpy(out_key, copy + MOMENT_BYTES, BLOCK_KEY_BYTES);
    *out_moment = parse_moment(bytes(copy, MOMENT_BYTES));
    r = env_delete(txn, tables->order, entry.len > sizeof(copy) ? entry : bytes(copy, len));
    return r == -ENOENT ? env_set_broken(tables->env) : r;
}

/* Removes the block that is the first in order, or moves it to its place when it was pinned since
 * it was used. */
static int evict_one(struct env_txn *txn, const struct tables *tables, uint64_t *n_evicted)
{
    uint8_t key[BLOCK_KEY_BYTES];
    uint64_t moment = PINNED;
    int r = take_oldest(txn, tables, key, &moment);
    if (r == -ENOENT) /* blocks that nothing is known of: only damage leaves them */
        return env_set_broken(tables->env);
    if (r < 0)
        return r;
    if (!(moment & PINNED) && is_pinned(txn, tables, key)) {
        r = evict_note_use(txn, tables, key, moment);
        return r == -ENOENT ? 0 : r;
    }
    ++*n_evicted;
    return evict_remove(txn, tables, key);
}

int evict_down_to(struct env_txn *txn, const struct tables *tables, uint64_t most_bytes,
                  unsigned most_blocks, uint64_t *n_evicted)
{
    for (unsigned i = 0; i < most_blocks; i++) {
        struct env_usage usage;
        int r = env_usage(txn, tables->blocks, &usage);
        if (r < 0 || usage.used_bytes <= most_bytes || usage.n_entries == 0)
            return r;
        r = evict_one(txn, tables, n_evicted);
        if (r < 0)
            return r;
    }
    return EVICT_MORE;
}
