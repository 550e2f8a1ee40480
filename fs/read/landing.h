/* SPDX-License-Identifier: Apache-2.0 */
/* Where flights end: pieces arrive or fail, reads are answered, and a block with nothing more to
 * come goes to the cache. */
#pragma once

#include "read/engine.h"

/* @pieces of @flight are here (@err 0) or will not come. Answers the reads this settles. No lock
 * may be held. */
void landing_settle(struct blob *blob, struct flight *flight, uint16_t pieces, int err);

/* A read of @flight was answered: when it was the last of what is kept of it, that is let go. No
 * lock may be held. */
void landing_note_read(struct blob *blob, struct flight *flight);

/* Lets go of the oldest block that is kept because the cache did not take it. False when there is
 * none. */
bool landing_drop_kept(struct fetch *fetch);
