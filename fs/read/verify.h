/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a blob that is whole in the cache against the SHA-256 its registry gives, once, and
 * remembers that it did. */
#pragma once

#include "read/engine.h"

/* A blob was opened: looks whether it was checked before and, should it lie whole in the cache
 * unchecked, checks it. */
void verify_note_open(struct blob *blob);

/* @bytes more of @blob were given to the cache; queues the check when the blob may be whole by now.
 * No lock may be held. */
void verify_note_offer(struct blob *blob, uint64_t bytes);
