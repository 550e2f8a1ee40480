/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an LMDB file is sound as a whole: every page of its trees is, and each page is used once
 * at most, by one tree or by the list of free pages. Were a page in that list and in use as well,
 * LMDB would write over it, and readers would see bytes that they have verified change. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct page_file;

/* Reads all branches and leaves, none of the values: about 1 page for 20 blocks. Inside a guard,
 * and while nobody can commit, or a reader keeps what @file stands for. @used: a bit for each page
 * of the map, all 0; the caller's, since a fault leaves nothing to free it. */
bool audit_pages(const struct page_file *file, uint64_t *used);
