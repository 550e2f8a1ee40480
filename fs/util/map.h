/* SPDX-License-Identifier: Apache-2.0 */
/* An intrusive hash table over 64-bit keys that are hashes already. Several nodes may have one key:
 * map_find() gives the first, map_next() those behind it, and the caller compares what it really
 * means. Not thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct map_node {
    uint64_t key;
    struct map_node *next; /* the table's own */
};

struct map {
    struct map_node **slots; /* n_slots of them, a power of two; NULL while empty */
    size_t n_slots, n;
};

/* Frees the table, not the nodes. Leaves an empty map. */
void map_deinit(struct map *map);

/* Adds @node under node->key. 0, or -ENOMEM when not even the first table can be had. */
int map_insert(struct map *map, struct map_node *node);

/* Removes @node, which must be in the map. */
void map_remove(struct map *map, struct map_node *node);

/* The first node with @key, or the next one with node->key behind @node; NULL when there is none.
 */
struct map_node *map_find(const struct map *map, uint64_t key);
struct map_node *map_next(const struct map_node *node);

/* Calls @fn for every node; it may remove and free that node, and nothing else. */
void map_each(struct map *map, void (*fn)(struct map_node *node, void *ctx), void *ctx);

/* The struct around a node. */
#define map_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))
