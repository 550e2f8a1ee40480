/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a model's files must be read to know which others are a part of them. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { REFERENCE_SOURCES_MAX = 32 }; /* the first by path are taken */

/* Picks from @paths (a model's files, any bytes) those that references are read from: exports that
 * are one file, beside or above a file that no name gives to a checkpoint and that may hold
 * weights. Their indices in the order of their paths, in fresh memory. 0 or -ENOMEM. */
int reference_sources_pick(const char *const *paths, size_t n, uint32_t **out, size_t *out_n);
