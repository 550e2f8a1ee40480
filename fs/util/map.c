/* SPDX-License-Identifier: Apache-2.0 */
#include "util/map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void map_deinit(struct map *map)
{
    free(map->slots);
    *map = (struct map){0};
}

static struct map_node **slot_of(const struct map *map, uint64_t key)
{
    return &map->slots[key & (map->n_slots - 1)];
}

/* Doubles the table; a failure leaves the old one, which only gets slower. */
static void grow(struct map *map)
{
    struct map bigger = {.n_slots = map->n_slots ? map->n_slots * 2 : 64, .n = map->n};
    bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
    if (!bigger.slots)
        return;
    for (size_t i = 0; i < map->n_slots; i++) {
        struct map_node *next;
        for (struct map_node *node = map->slots[i]; node; node = next) {
            next = node->next;
            struct map_node **slot = slot_of(&bigger, node->key);
            node->next = *slot;
            *slot = node;
        }
    }
    free(map->slots);
    *map = bigger;
}

int map_insert(struct map *map, struct map_node *node)
{
    if (map->n >= map->n_slots)
        grow(map);
    if (!map->slots)
        return -ENOMEM;
    struct map_node **slot = slot_of(map, node->key);
    node->next = *slot;
    *slot = node;
    map->n++;
    return 0;
}

void map_remove(struct map *map, struct map_node *node)
{
    struct map_node **slot = slot_of(map, node->key);
    while (*slot != node) {
        assert(*slot);
        slot = &(*slot)->next;
    }
    *slot = node->next;
    node->next = NULL;
    map->n--;
}

static struct map_node *first_with(struct map_node *node, uint64_t key)
{
    while (node && node->key != key)
        node = node->next;
    return node;
}

struct map_node *map_find(const struct map *map, uint64_t key)
{
    return map->slots ? first_with(*slot_of(map, key), key) : NULL;
}

struct map_node *map_next(const struct map_node *node)
{
    return first_with(node->next, node->key);
}

void map_each(struct map *map, void (*fn)(struct map_node *node, void *ctx), void *ctx)
{
    for (size_t i = 0; i < map->n_slots; i++) {
        struct map_node *next;
        for (struct map_node *node = map->slots[i]; node; node = next) {
            next = node->next;
            fn(node, ctx);
        }
    }
}
