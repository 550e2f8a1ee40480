/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/supply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int supply_add(struct supply *supply, const struct supply_item *item)
{
    size_t n = supply->n;
    if ((n & (n - 1)) == 0) { /* full at each power of two */
        void *grown = reallocarray(supply->items, n ? 2 * n : 1, sizeof(*supply->items));
        if (!grown)
            return -ENOMEM;
        supply->items = grown;
    }
    supply->items[n] = *item;
    supply->items[n].path = arena_copy(&supply->texts, item->path, strlen(item->path));
    if (!supply->items[n].path)
        return -ENOMEM;
    if (__builtin_add_overflow(supply->size_bytes, item->size_bytes, &supply->size_bytes))
        return -EOVERFLOW;
    supply->n++;
    return 0;
}

static int compare_items(const void *a, const void *b)
{
    return strcmp(((const struct supply_item *)a)->path, ((const struct supply_item *)b)->path);
}

void supply_sort(struct supply *supply)
{
    if (supply->n)
        qsort(supply->items, supply->n, sizeof(*supply->items), compare_items);
}

bool supply_has(const struct supply *supply, const char *path)
{
    const struct supply_item wanted = {.path = path};
    return supply->n &&
           bsearch(&wanted, supply->items, supply->n, sizeof(wanted), compare_items) != NULL;
}

void supply_close(struct supply *supply)
{
    if (supply->self)
        supply->ops->free(supply->self);
    free(supply->items);
    arena_free(&supply->texts);
    *supply = (struct supply){0};
}
