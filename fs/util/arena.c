/* SPDX-License-Identifier: Apache-2.0 */
#include "util/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena {
    struct arena *next;
    size_t used, cap;
    char data[];
};

enum { CHUNK_BYTES = 16384 };

static struct arena *chunk_for(struct arena **arena, size_t len)
{
    struct arena *chunk = *arena;
    if (chunk && chunk->cap - chunk->used >= len)
        return chunk;
    size_t cap = len > CHUNK_BYTES ? len : CHUNK_BYTES;
    chunk = cap < SIZE_MAX / 2 ? malloc(sizeof(*chunk) + cap) : NULL;
    if (!chunk)
        return NULL;
    *chunk = (struct arena){.next = *arena, .cap = cap};
    *arena = chunk;
    return chunk;
}

char *arena_copy(struct arena **arena, const char *text, size_t len)
{
    struct arena *chunk = len < SIZE_MAX ? chunk_for(arena, len + 1) : NULL;
    if (!chunk)
        return NULL;
    char *copy = chunk->data + chunk->used;
    memcpy(copy, text, len);
    copy[len] = '\0';
    chunk->used += len + 1;
    return copy;
}

void arena_free(struct arena **arena)
{
    while (*arena) {
        struct arena *next = (*arena)->next;
        free(*arena);
        *arena = next;
    }
}
