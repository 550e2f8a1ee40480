/* SPDX-License-Identifier: Apache-2.0 */
/* What this process has seen of stored blocks: which pieces it verified, and which blocks were used
 * since that was last written down. Both forget when they are full: a piece is then verified again,
 * a use not recorded. Any thread may call, none waits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cache/key.h"

struct tokens;

struct tokens *tokens_new(void); /* NULL when memory is short */
void tokens_free(struct tokens *tokens);

/* @header_sum names one stored form of one block: see cache/record.h. */
bool tokens_is_verified(const struct tokens *tokens, uint64_t header_sum, unsigned piece);
void tokens_set_verified(struct tokens *tokens, uint64_t header_sum, unsigned piece);

/* Notes that a block was used. */
void tokens_touch(struct tokens *tokens, const uint8_t key[BLOCK_KEY_BYTES]);
bool tokens_has_touched(struct tokens *tokens);
/* Takes one noted block out; false when there is none left. */
bool tokens_take_touched(struct tokens *tokens, uint8_t out_key[BLOCK_KEY_BYTES]);
