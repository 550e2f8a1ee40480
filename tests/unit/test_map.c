/* SPDX-License-Identifier: Apache-2.0 */
#include "util/map.h"

#include <errno.h>

#include "check.h"
#include "util/cleanup.h"

#define MAP_CLEANUP CLEANUP(map_deinit)

struct thing {
    int number;
    struct map_node node;
};

static int number_of(struct map_node *node)
{
    return node ? map_entry(node, struct thing, node)->number : -1;
}

static void an_empty_map_has_nothing(void)
{
    MAP_CLEANUP struct map map = {0};
    CHECK(!map_find(&map, 0));
    CHECK(!map_find(&map, UINT64_MAX));
    map_deinit(&map);
    CHECK(!map.slots && !map.n_slots && !map.n);
}

enum { MANY = 5000 };

/* Keys as they may come: in a row, all alike in their low bits, all alike in their high ones. */
static uint64_t key_of(int form, uint64_t i)
{
    return form == 0 ? i : form == 1 ? i << 40 : UINT64_MAX - i * 3;
}

static void many_are_found_and_no_others(void)
{
    static struct thing things[MANY];
    for (int form = 0; form < 3; form++) {
        MAP_CLEANUP struct map map = {0};
        for (int i = 0; i < MANY; i++) {
            things[i] = (struct thing){.number = i, .node.key = key_of(form, (uint64_t)i)};
            CHECK_EQ(map_insert(&map, &things[i].node), 0);
        }
        CHECK_EQ(map.n, MANY);
        for (int i = 0; i < MANY; i++)
            CHECK_EQ(number_of(map_find(&map, key_of(form, (uint64_t)i))), i);
        CHECK(!map_find(&map, key_of(form, MANY)));
    }
}

static void the_table_stays_a_power_of_two_that_holds_all(void)
{
    static struct thing things[MANY];
    MAP_CLEANUP struct map map = {0};
    for (int i = 0; i < MANY; i++) {
        things[i].node.key = (uint64_t)i;
        CHECK_EQ(map_insert(&map, &things[i].node), 0);
        CHECK((map.n_slots & (map.n_slots - 1)) == 0);
        CHECK(map.n_slots >= map.n);
    }
}

static void what_is_removed_is_gone(void)
{
    static struct thing things[MANY];
    MAP_CLEANUP struct map map = {0};
    for (int i = 0; i < MANY; i++) {
        things[i] = (struct thing){.number = i, .node.key = (uint64_t)i % 100};
        CHECK_EQ(map_insert(&map, &things[i].node), 0);
    }
    for (int i = 0; i < MANY; i += 2)
        map_remove(&map, &things[i].node);
    CHECK_EQ(map.n, MANY / 2);
    for (uint64_t key = 0; key < 100; key++) {
        int n = 0;
        for (struct map_node *node = map_find(&map, key); node; node = map_next(node), n++)
            CHECK(number_of(node) % 2 == 1 && node->key == key);
        CHECK_EQ(n, key % 2 ? MANY / 100 : 0);
    }
}

static void one_key_may_have_several(void)
{
    struct thing things[] = {
        {1, {.key = 5}}, {2, {.key = 69}}, {3, {.key = 5}}, {4, {.key = 133}}, {5, {.key = 5}},
    };
    MAP_CLEANUP struct map map = {0};
    for (size_t i = 0; i < 5; i++)
        CHECK_EQ(map_insert(&map, &things[i].node), 0);
    int seen = 0, n = 0;
    for (struct map_node *node = map_find(&map, 5); node; node = map_next(node), n++)
        seen |= 1 << number_of(node);
    CHECK_EQ(n, 3);
    CHECK_EQ(seen, 1 << 1 | 1 << 3 | 1 << 5);
    CHECK_EQ(number_of(map_find(&map, 69)), 2);
    CHECK(!map_next(map_find(&map, 69)));
}

static void a_removed_one_can_come_back(void)
{
    struct thing thing = {.number = 9, .node.key = 7};
    MAP_CLEANUP struct map map = {0};
    for (int round = 0; round < 3; round++) {
        CHECK_EQ(map_insert(&map, &thing.node), 0);
        CHECK_EQ(number_of(map_find(&map, 7)), 9);
        map_remove(&map, &thing.node);
        CHECK(!map_find(&map, 7));
        CHECK_EQ(map.n, 0);
    }
}

struct sweep {
    struct map *map;
    int n;
};

static void free_odd(struct map_node *node, void *ctx)
{
    struct sweep *sweep = ctx;
    struct thing *thing = map_entry(node, struct thing, node);
    sweep->n++;
    if (thing->number % 2 == 0)
        return;
    map_remove(sweep->map, node);
    free(thing);
}

static void free_any(struct map_node *node, void *ctx)
{
    struct sweep *sweep = ctx;
    sweep->n++;
    map_remove(sweep->map, node);
    free(map_entry(node, struct thing, node));
}

static void a_walk_may_free_what_it_stands_on(void)
{
    MAP_CLEANUP struct map map = {0};
    struct sweep sweep = {.map = &map};
    for (int i = 0; i < 1000; i++) {
        struct thing *thing = calloc(1, sizeof(*thing));
        *thing = (struct thing){.number = i, .node.key = (uint64_t)i % 70};
        CHECK_EQ(map_insert(&map, &thing->node), 0);
    }
    map_each(&map, free_odd, &sweep);
    CHECK_EQ(sweep.n, 1000);
    CHECK_EQ(map.n, 500);
    map_each(&map, free_any, &sweep);
    CHECK_EQ(sweep.n, 1500);
    CHECK_EQ(map.n, 0);
}

/* Only the first table must be had; later a full one serves. */
static void a_table_that_cannot_grow_still_serves(void)
{
    static struct thing things[200];
    FOR_EACH_ALLOC_FAILURE
    {
        MAP_CLEANUP struct map map = {0};
        size_t n_in = 0;
        for (size_t i = 0; i < 200; i++) {
            things[i] = (struct thing){.number = (int)i, .node.key = i};
            int r = map_insert(&map, &things[i].node);
            CHECK(r == 0 || (r == -ENOMEM && n_in == 0));
            n_in += r == 0;
            CHECK_EQ(map_find(&map, i) != NULL, r == 0);
        }
        CHECK_EQ(map.n, n_in);
        for (size_t i = 200 - n_in; i < 200; i++)
            CHECK_EQ(number_of(map_find(&map, i)), i);
    }
}

int main(void)
{
    TEST("an empty map has nothing", an_empty_map_has_nothing);
    TEST("many are found, and no others", many_are_found_and_no_others);
    TEST("the table holds all", the_table_stays_a_power_of_two_that_holds_all);
    TEST("what is removed is gone", what_is_removed_is_gone);
    TEST("one key may have several", one_key_may_have_several);
    TEST("a removed one can come back", a_removed_one_can_come_back);
    TEST("a walk may free what it stands on", a_walk_may_free_what_it_stands_on);
    TEST("a table that cannot grow still serves", a_table_that_cannot_grow_still_serves);
    return check_done();
}
