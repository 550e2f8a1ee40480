/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a blob that is whole in the cache against the SHA-256 its registry gives, once, and
 * remembers that it did. */
#pragma once

#include <stdbool.h>

#include "read/engine.h"

/* Whether @blob is so small that it is checked before anybody gets a byte of it or the cache a
 * block: then verify_flight() is all there is to it. */
bool verify_is_at_once(const struct blob *blob);
/* Checks such a blob, all of which lies in @flight's buffer. 0, or -EIO and it is broken. On a
 * transfer thread; no lock may be held. */
int verify_flight(struct blob *blob, const struct flight *flight);

/* A blob was opened: looks whether it was checked before and, should it lie whole in the cache
 * unchecked, checks it. */
void verify_note_open(struct blob *blob);

/* @bytes more of @blob were given to the cache; queues the check when the blob may be whole by now.
 * No lock may be held. */
void verify_note_offer(struct blob *blob, uint64_t bytes);
