/* SPDX-License-Identifier: Apache-2.0 */
/* Which blocks stay: when each was used last, and who goes when room is needed. All inside the
 * caller's write transaction; errors as cache/env.h. */
#pragma once

#include <stdint.h>

#include "cache/key.h"
#include "cache/tables.h"

/* The block (stored in the same transaction, or before) was used at @when_ns, since 1970. -ENOENT
 * when it is not stored. */
int evict_note_use(struct env_txn *txn, const struct tables *tables,
                   const uint8_t key[BLOCK_KEY_BYTES], uint64_t when_ns);

/* Removes a block and what is known of its use. 0 also when it is not there. */
int evict_remove(struct env_txn *txn, const struct tables *tables,
                 const uint8_t key[BLOCK_KEY_BYTES]);

/* The pin of the block's blob was set or taken away: sorts the block anew, by the same use. */
int evict_note_pin(struct env_txn *txn, const struct tables *tables,
                   const uint8_t key[BLOCK_KEY_BYTES]);

/* Removes blocks, oldest use first and pinned ones last, until all tables together take at most
 * @most_bytes, and looks at @most_blocks at most, so that a transaction has an end. Adds to
 * *n_evicted. 0, EVICT_MORE when more must go, -errno. */
enum { EVICT_MORE = 1 };
int evict_down_to(struct env_txn *txn, const struct tables *tables, uint64_t most_bytes,
                  unsigned most_blocks, uint64_t *n_evicted);
