/* SPDX-License-Identifier: Apache-2.0 */
/* The inodes that the kernel knows, by their number. A number is a hash already, and an inode lies
 * in the table itself: 24 bytes in a table that is between three fifths and seven eighths full, so
 * that a million of them takes 27 to 41 MB. Not thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct layout;

struct inode {
    uint64_t ino;
    struct layout *layout; /* NULL: nobody's place; a reference that is the caller's to keep */
    uint32_t index;        /* of the node in it */
    uint32_t n_lookups;    /* UINT32_MAX: so many that they are not counted any more */
};

struct inodes {
    struct inode *slots; /* NULL while empty */
    size_t n_slots, n;
};

void inodes_deinit(struct inodes *inodes); /* frees the table, leaves an empty one */

/* Pointers hold until the next add or remove. NULL: there is none. */
struct inode *inodes_find(const struct inodes *inodes, uint64_t ino);
/* Adds @inode, whose number is not there and whose layout is not NULL. NULL when memory is short.
 */
struct inode *inodes_add(struct inodes *inodes, const struct inode *inode);
void inodes_remove(struct inodes *inodes, struct inode *inode);
