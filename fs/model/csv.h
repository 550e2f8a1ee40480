/* SPDX-License-Identifier: Apache-2.0 */
/* Comma separated values (RFC 4180), as tools and people write them: cells may be quoted, with
 * commas, line ends and doubled quotes inside; blanks around a cell, blank lines and NULs do not
 * count. Pure. */
#pragma once

#include <stddef.h>

#include "util/buf.h"

/* What is left of a text. Borrowed. */
struct csv {
    const char *at, *end;
    size_t line; /* from 1 */
};

struct csv_record {
    struct buf text; /* its cells, each with a NUL behind it */
    size_t n_cells;
    size_t line; /* where it began */
};

struct csv csv_of(const char *text, size_t len);

/* The next record, in place of what @record had: 1; 0 at the end; -EBADMSG when a quoted cell does
 * not end; -ENOMEM. Starts from {0}, ends with csv_record_deinit(). */
int csv_next(struct csv *csv, struct csv_record *record);
void csv_record_deinit(struct csv_record *record);

/* for (const char *cell = record.text.data; n cells; cell = csv_behind(cell)) */
const char *csv_behind(const char *cell);
