/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the pages of an LMDB file that a write is about to touch are sound. LMDB changes pages in
 * heap memory by offsets that stand in them: one that is damaged would make it write outside of the
 * page. Reading needs no such care, a guard is enough there (cache/guard.h).
 *
 * The format is that of LMDB 0.9 on 64-bit hosts: struct MDB_page, MDB_node, MDB_db and MDB_meta in
 * its mdb.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pages;

/* Maps the file @fd, @map_bytes of it, to be looked at. 0 or -errno. */
int pages_open(int fd, uint64_t map_bytes, struct pages **out);
void pages_close(struct pages *pages); /* NULL is fine */

/* What the first pages_begin() does under the write lock, for a large file for a good part of a
 * second, done ahead while others may commit: looks at the file as a whole (cache/audit.h), as
 * transaction @txn_id left it, which the caller must be reading in. True when it is sound; else
 * pages_begin() has the last word. Inside a guard, and on the thread that writes. */
bool pages_audit(struct pages *pages, uint64_t txn_id);

/* To be called at the begin of a write transaction, inside a guard: finds the newest committed
 * state and looks at the list of free pages, as far as a transaction comes whose values are of
 * PAGES_ENOUGH_BYTES at most, one or two of them. False: damaged. */
bool pages_begin(struct pages *pages);
enum { PAGES_ENOUGH_BYTES = (1 << 20) + 2048 };
/* Looks at all of that list, for a larger value. Inside a guard. */
bool pages_all_free_are_sound(const struct pages *pages);

/* The same for opening or making table @name. Inside a guard. */
bool pages_table_is_sound(struct pages *pages, const char *name);

/* Whether all pages are sound that a put or delete of @key in table @name may change: those from
 * the root to its leaf, their neighbours, and the overflow pages of its value. As they were when
 * the transaction began: what it changed itself was looked at before that. Inside a guard. */
bool pages_are_sound(struct pages *pages, const char *name, const void *key, size_t key_len);
