/* SPDX-License-Identifier: Apache-2.0 */
/* `order` sorts by moment, so that the first entry is who goes next. A pinned block that is met
 * there is moved to the end, as if it had been used: each is met once in a round, and only when
 * everything left is pinned does one go. */
#include "cache/evict.h"

#include <errno.h>
#include <string.h>

enum { MOMENT_BYTES = 8, ORDER_KEY_BYTES = MOMENT_BYTES + BLOCK_KEY_BYTES };

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
    order_key(entry, when_ns, key);
    r = env_put(txn, tables->order, bytes(entry, sizeof(entry)), bytes("", 0));
    if (r < 0)
        return r;
    return env_put(txn, tables->uses, bytes(key, BLOCK_KEY_BYTES), bytes(entry, MOMENT_BYTES));
}

int evict_remove(struct env_txn *txn, const struct tables *tables,
                 const uint8_t key[BLOCK_KEY_BYTES])
{
    int r = forget_use(txn, tables, key);
    if (r < 0)
        return r;
    r = env_delete(txn, tables->blocks, bytes(key, BLOCK_KEY_BYTES));
    return r == -ENOENT ? 0 : r;
}

static bool is_pinned(struct env_txn *txn, const struct tables *tables,
                      const uint8_t key[BLOCK_KEY_BYTES])
{
    struct env_bytes value;
    return env_get(txn, tables->pins, bytes(key, BLOB_ID_BYTES), &value) == 0;
}

/* Takes the first entry of `order` out: the block whose last use is the longest ago. In damaged
 * tables the entry may be of no block; it is gone then, so that whoever asks again comes further.
 * -ENOENT: there is none. */
static int take_oldest(struct env_txn *txn, const struct tables *tables,
                       uint8_t out_key[BLOCK_KEY_BYTES])
{
    struct env_bytes entry = {0}, value;
    uint8_t copy[ORDER_KEY_BYTES] = {0};
    int r = env_seek(txn, tables->order, &entry, &value);
    if (r < 0)
        return r;
    size_t len = entry.len < sizeof(copy) ? entry.len : sizeof(copy);
    memcpy(copy, entry.data, len);
    memcpy(out_key, copy + MOMENT_BYTES, BLOCK_KEY_BYTES);
    return env_delete(txn, tables->order, entry.len > sizeof(copy) ? entry : bytes(copy, len));
}

/* Removes the oldest block that is not pinned, or else the oldest. @n_spared counts the pinned ones
 * that were met. */
static int evict_one(struct env_txn *txn, const struct tables *tables, uint64_t now_ns,
                     uint64_t n_blocks, uint64_t *n_spared)
{
    for (;;) {
        uint8_t key[BLOCK_KEY_BYTES];
        int r = take_oldest(txn, tables, key);
        if (r < 0)
            return r;
        if (*n_spared >= n_blocks || !is_pinned(txn, tables, key))
            return evict_remove(txn, tables, key);
        ++*n_spared;
        r = evict_note_use(txn, tables, key, now_ns);
        if (r < 0 && r != -ENOENT)
            return r;
    }
}

int evict_down_to(struct env_txn *txn, const struct tables *tables, uint64_t most_bytes,
                  uint64_t now_ns, uint64_t *n_evicted)
{
    uint64_t n_spared = 0;
    for (;;) {
        struct env_usage usage;
        int r = env_usage(txn, tables->blocks, &usage);
        if (r < 0 || usage.used_bytes <= most_bytes || usage.n_entries == 0)
            return r;
        r = evict_one(txn, tables, now_ns, usage.n_entries, &n_spared);
        if (r < 0)
            return r == -ENOENT ? 0 : r;
        ++*n_evicted;
    }
}
