/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for many small strings that live and go together. Start from NULL; not thread-safe. */
#pragma once

#include <stddef.h>

struct arena; /* a chain of chunks that never move */

/* A copy of @len bytes of @text with a NUL behind it, or NULL when memory is short. */
char *arena_copy(struct arena **arena, const char *text, size_t len);
/* Frees every string at once; leaves NULL. */
void arena_free(struct arena **arena);
