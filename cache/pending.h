/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that were offered and are not written yet, so that they are seen before they are stored.
 * Any thread may call. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cache/key.h"

struct block_buf;
struct pending;

struct pending *pending_new(void); /* NULL when memory is short */
void pending_free(struct pending *pending);

/* Adds @buf, with a reference of its own. False when memory is short. */
bool pending_add(struct pending *pending, struct block_buf *buf);
/* Takes @buf away, with its reference. */
void pending_remove(struct pending *pending, struct block_buf *buf);

/* What is pending of the blocks [first, first + n) of @blob: at most @max buffers, a reference
 * each. Returns how many. */
int pending_collect(struct pending *pending, const struct blob_id *blob, uint32_t first, uint32_t n,
                    struct block_buf **out, int max);
uint64_t pending_bytes(struct pending *pending);
