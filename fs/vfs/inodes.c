/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing: an inode stands at its home, which is its number as a fraction of the table, or
 * at the next free slot behind it. So all that stand between an inode and its home are taken, and
 * removing one moves up those behind it that the gap would cut off. The fraction lets the table be
 * of any size: it grows by half, not to the double. */
#include "vfs/inodes.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MIN_SLOTS = 64 };

void inodes_deinit(struct inodes *inodes)
{
    free(inodes->slots);
    *inodes = (struct inodes){0};
}

static size_t home_of(const struct inodes *inodes, uint64_t ino)
{
    __extension__ typedef unsigned __int128 wide;
    return (size_t)((wide)ino * inodes->n_slots >> 64);
}

static size_t next_slot(const struct inodes *inodes, size_t slot)
{
    return slot + 1 < inodes->n_slots ? slot + 1 : 0;
}

/* Where @ino stands, or the free slot where it would. */
static struct inode *slot_of(const struct inodes *inodes, uint64_t ino)
{
    size_t slot = home_of(inodes, ino);
    while (inodes->slots[slot].layout && inodes->slots[slot].ino != ino)
        slot = next_slot(inodes, slot);
    return &inodes->slots[slot];
}

/* Moves all into a table of another size; a failure leaves the old one. */
static int resize(struct inodes *inodes, size_t n_slots)
{
    struct inodes other = {calloc(n_slots, sizeof(*other.slots)), n_slots, inodes->n};
    if (!other.slots)
        return -1;
    for (size_t i = 0; i < inodes->n_slots; i++)
        if (inodes->slots[i].layout)
            *slot_of(&other, inodes->slots[i].ino) = inodes->slots[i];
    free(inodes->slots);
    *inodes = other;
    return 0;
}

struct inode *inodes_find(const struct inodes *inodes, uint64_t ino)
{
    struct inode *inode = inodes->n ? slot_of(inodes, ino) : NULL;
    return inode && inode->layout ? inode : NULL;
}

struct inode *inodes_add(struct inodes *inodes, const struct inode *inode)
{
    size_t n_slots = inodes->n_slots;
    assert(inode->layout && !inodes_find(inodes, inode->ino));
    if (!n_slots || inodes->n >= n_slots - n_slots / 8) {
        int r = resize(inodes, n_slots ? n_slots + n_slots / 2 : MIN_SLOTS);
        if (r < 0 && inodes->n + 1 >= n_slots)
            return NULL; /* one slot stays free: it ends each search */
    }
    struct inode *slot = slot_of(inodes, inode->ino);
    *slot = *inode;
    inodes->n++;
    return slot;
}

/* Whether the one at @slot, at home at @home, would not be found with a gap at @gap: the gap stands
 * between the two, round the table's end or not. */
static bool is_cut_off(size_t home, size_t gap, size_t slot)
{
    return gap <= slot ? home <= gap || home > slot : home <= gap && home > slot;
}

void inodes_remove(struct inodes *inodes, struct inode *inode)
{
    size_t gap = (size_t)(inode - inodes->slots);
    for (size_t slot = next_slot(inodes, gap); inodes->slots[slot].layout;
         slot = next_slot(inodes, slot))
        if (is_cut_off(home_of(inodes, inodes->slots[slot].ino), gap, slot)) {
            inodes->slots[gap] = inodes->slots[slot];
            gap = slot;
        }
    inodes->slots[gap] = (struct inode){0};
    inodes->n--;
    if (inodes->n_slots > MIN_SLOTS && inodes->n < inodes->n_slots / 4)
        resize(inodes, inodes->n_slots / 2);
}
