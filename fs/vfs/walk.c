/* SPDX-License-Identifier: Apache-2.0 */
/* A walk is recognised by its second file: the one that comes right after the first, in one order
 * or the other. From then on what was fetched ahead is a list; who reads a file of it goes on with
 * the walk, and may leave some out on the way. A file that no list has and that follows nobody may
 * be the first of a new walk, in place of the one that is unused for longest. */
#include "vfs/walk.h"

#include <string.h>

static struct walk *find_last(struct walks *w, uint64_t ino)
{
    for (size_t i = 0; i < WALKS_MAX; i++)
        if (w->items[i].last == ino)
            return &w->items[i];
    return NULL;
}

/* Where @ino stands in what is expected, or n_ahead. */
static unsigned find_ahead(const struct walk *walk, uint64_t ino)
{
    unsigned i = 0;
    while (i < walk->n_ahead && walk->ahead[i] != ino)
        i++;
    return i;
}

static struct walk_ask ask_for_more(struct walk *walk)
{
    struct walk_ask none = {0};
    if (walk->n_ahead > walk->n_files / 2)
        return none;
    walk->n_files = walk->n_files * 2 < WALK_MAX_FILES ? walk->n_files * 2 : WALK_MAX_FILES;
    return (struct walk_ask){
        .ino = walk->last, .order = walk->order, .n = walk->n_files, .n_known = walk->n_ahead};
}

/* The first @n expected ones were read or left out. */
static void consume(struct walk *walk, unsigned n)
{
    walk->n_ahead -= n;
    memmove(walk->ahead, walk->ahead + n, walk->n_ahead * sizeof(walk->ahead[0]));
}

static void use(struct walks *w, struct walk *walk, uint64_t ino)
{
    walk->last = ino;
    walk->used_at = ++w->clock;
}

bool walks_advance(struct walks *w, uint64_t ino, struct walk_ask *out)
{
    for (size_t i = 0; i < WALKS_MAX; i++) {
        struct walk *walk = &w->items[i];
        unsigned at = find_ahead(walk, ino);
        if (at == walk->n_ahead)
            continue;
        use(w, walk, ino);
        consume(walk, at + 1);
        *out = ask_for_more(walk);
        return true;
    }
    return false;
}

size_t walks_last(const struct walks *w, uint64_t out[WALKS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < WALKS_MAX; i++)
        if (w->items[i].last)
            out[n++] = w->items[i].last;
    return n;
}

void walks_begin(struct walks *w, uint64_t last, uint64_t ino, enum walk_order order,
                 struct walk_ask *out)
{
    struct walk *walk = find_last(w, last);
    *out = (struct walk_ask){0};
    if (!walk) /* another thread went on with it */
        return;
    use(w, walk, ino);
    walk->order = order;
    walk->n_ahead = 0;
    walk->n_files = order == WALK_BY_NAME ? WALK_FIRST_FILES : 1; /* that may be chance */
    *out = (struct walk_ask){.ino = ino, .order = order, .n = walk->n_files};
}

static struct walk *find_oldest(struct walks *w)
{
    struct walk *oldest = &w->items[0];
    for (size_t i = 1; i < WALKS_MAX; i++)
        if (w->items[i].used_at < oldest->used_at)
            oldest = &w->items[i];
    return oldest;
}

void walks_restart(struct walks *w, uint64_t ino)
{
    struct walk *walk = find_last(w, ino);
    if (!walk) {
        walk = find_oldest(w);
        *walk = (struct walk){0};
    }
    use(w, walk, ino);
}

void walks_expect(struct walks *w, const struct walk_ask *ask, const uint64_t *inos, size_t n)
{
    struct walk *walk = find_last(w, ask->ino);
    if (!walk || walk->order != ask->order) /* another thread went on with it */
        return;
    walk->n_ahead = n < WALK_MAX_FILES ? (unsigned)n : WALK_MAX_FILES;
    memcpy(walk->ahead, inos, walk->n_ahead * sizeof(walk->ahead[0]));
}
