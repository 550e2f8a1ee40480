/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of an LMDB file as they stand in it, and whether one is sound: none of its offsets
 * leads out of it. To be called inside a guard (cache/guard.h), since the file may end anywhere.
 *
 * The format is that of LMDB 0.9 on 64-bit hosts: struct MDB_page, MDB_node, MDB_db and MDB_meta in
 * its mdb.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    PAGE_HEADER = 16, /* number 8, pad 2, flags 2, lower 2, upper 2 (or overflow pages 4) */
    PAGE_MAX_DEPTH = 32,

    NODE_BIG = 1,   /* the value lies on overflow pages */
    NODE_TABLE = 2, /* the value is a table's record */

    TABLE_BYTES = 48, /* a table's record: */
    TABLE_FLAGS = 4,
    TABLE_DEPTH = 6,
    TABLE_BRANCHES = 8,
    TABLE_LEAVES = 16,
    TABLE_OVERFLOWS = 24,
    TABLE_ENTRIES = 32,
    TABLE_ROOT = 40,
    TABLE_IN_NUMBERS = 8, /* the one flag we meet: keys are numbers, in the list of free pages */

    META_FREE_TABLE = 24, /* behind magic 4, version 4, address 8, map size 8 */
    META_MAIN_TABLE = META_FREE_TABLE + TABLE_BYTES,
    META_LAST_PAGE = META_MAIN_TABLE + TABLE_BYTES,
    META_TXN = META_LAST_PAGE + 8,
};

#define NO_ROOT UINT64_MAX /* of a table without entries */

/* A mapped file, as a transaction sees it. */
struct page_file {
    const uint8_t *map;
    uint64_t map_bytes;
    uint32_t page_bytes;
    uint64_t last_page;
    const uint8_t *meta; /* in the map */
};

struct page_node {
    uint64_t child; /* of a branch: a page */
    const uint8_t *key, *value;
    size_t key_len;
    uint32_t value_len;
    unsigned flags; /* of a leaf */
};

static inline uint16_t page_read_16(const uint8_t *at)
{
    uint16_t n;
    memcpy(&n, at, sizeof(n));
    return n;
}

static inline uint32_t page_read_32(const uint8_t *at)
{
    uint32_t n;
    memcpy(&n, at, sizeof(n));
    return n;
}

static inline uint64_t page_read_64(const uint8_t *at)
{
    uint64_t n;
    memcpy(&n, at, sizeof(n));
    return n;
}

/* NULL when @n pages at @page are not all inside of the file. */
const uint8_t *page_at(const struct page_file *file, uint64_t page, uint64_t n);
/* The page @number when it is a branch or leaf whose offsets all stay inside of it; NULL: damaged.
 */
const uint8_t *page_sound_at(const struct page_file *file, uint64_t number);

/* Of a sound page. */
bool page_is_leaf(const uint8_t *page);
unsigned page_count(const uint8_t *page);
struct page_node page_node_at(const uint8_t *page, unsigned index);

/* How many overflow pages hold a value of a leaf's node that has NODE_BIG, and the first one's
 * number. */
uint64_t page_overflows(const struct page_file *file, const struct page_node *node,
                        uint64_t *out_first);
/* Whether the node's value, if it lies on overflow pages, does so inside of the file, and their
 * header says the same: LMDB frees as many as that says. */
bool page_value_is_sound(const struct page_file *file, const struct page_node *node);

/* The page numbers in a record of the list of free pages, 8 bytes each; NULL: damaged. */
const uint8_t *page_ids(const struct page_file *file, const struct page_node *node,
                        uint64_t *out_n);

/* Whether both meta pages of the file @fd, if they are there, have a page size that is one, which
 * LMDB divides by, and a last page about where the file ends, which LMDB maps and writes behind. To
 * be asked before LMDB opens it; needs no guard. */
bool page_header_is_sound(int fd);
