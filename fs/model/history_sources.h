/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a model's files its metrics are read from. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { HISTORY_MAX_SOURCES = 4096 }; /* the first by path are taken */

/* Picks from @paths (a model's files, any bytes) those that a metric parser is known for, in the
 * order of their paths: their indices in fresh memory. Of the trainer states that a trainer leaves
 * in each `checkpoint-<step>` of one directory only the last is taken: it tells what all others do.
 * 0 or -ENOMEM. */
int history_sources_pick(const char *const *paths, size_t n, uint32_t **out, size_t *out_n);
