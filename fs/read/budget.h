/* SPDX-License-Identifier: Apache-2.0 */
/* The one memory budget for block buffers in flight or waiting to be written. Buffers that came
 * back are kept for reuse, for their pages are dear; what nobody took for some seconds goes back to
 * the system. Any thread may call. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cache/blocks.h"

struct budget;
struct pool;

/* Who asks: a reader that waits may use the whole budget, read-ahead three quarters of it. */
enum budget_lane { BUDGET_DEMAND, BUDGET_AHEAD };

/* @limit_bytes: of all buffers together; at least 8 blocks are always granted. @pool, borrowed:
 * trims what is kept, every few seconds while there is something; NULL: nobody does. 0 or -ENOMEM.
 */
int budget_new(uint64_t limit_bytes, struct pool *pool, struct budget **out);
/* From now on the pool is left alone and may end. */
void budget_stop(struct budget *budget);
/* All buffers must have come back. */
void budget_free(struct budget *budget);

/* A buffer for a block of @len bytes (1 to BLOCK_BYTES; ->len is set) with one reference; the last
 * unref brings it back. NULL when the lane's share is used up. */
struct block_buf *budget_take(struct budget *budget, uint32_t len, enum budget_lane lane);

/* Called (on the thread that brought a buffer back, under no lock) after a demand was refused and
 * there is room again; set once, before use. */
void budget_on_room(struct budget *budget, void (*fn)(void *ctx), void *ctx);

/* Gives back to the system what lay unused since the last call, but for a few blocks. */
void budget_trim(struct budget *budget);

uint64_t budget_used_bytes(struct budget *budget);
/* Kept for reuse, in nobody's hands. */
uint64_t budget_kept_bytes(struct budget *budget);
uint64_t budget_limit_bytes(const struct budget *budget);
/* The limit in effect by default: 256 MiB, or a quarter of this process's cgroup limit when that is
 * less. */
uint64_t budget_default_bytes(void);
