/* SPDX-License-Identifier: Apache-2.0 */
/* A table in the making: cells row by row, columns aligned when it is written. Not thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/buf.h"

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table;

/* NULL when memory is short. */
struct table *table_new(void);
void table_free(struct table *table); /* NULL is fine */

/* Adds a column with its heading; all columns come before the first row, and either all have
 * headings or (NULL) none has. */
void table_add_column(struct table *table, const char *heading, enum table_align align);

/* Adds the next cell, in a new row behind the last column. Control characters become `?`, so that
 * a registry's name can neither break a line nor speak to the terminal; empty and NULL become `-`.
 */
void table_add(struct table *table, const char *text);
/* The same in bold, between marks of cmd/screen.h: who prints such a table sends it through
 * screen_format(). */
void table_add_bold(struct table *table, const char *text);
void table_add_size(struct table *table, uint64_t bytes);
void table_add_age(struct table *table, int64_t then_ns, int64_t now_ns);

size_t table_rows(const struct table *table);

/* Appends all of it: a line of headings, then the rows; two spaces between columns, none at a
 * line's end. A last row that is short is filled up. 0, or -ENOMEM, also when an add ran short. */
int table_format(struct table *table, struct buf *out);

/* table_format() to @out; 0 or -errno. */
int table_print(struct table *table, FILE *out);

/* How many columns a terminal needs for @text: one a character of UTF-8, none a mark of
 * cmd/screen.h. */
size_t table_text_width(const char *text);

static inline void cleanup_table(struct table **table)
{
    table_free(*table);
}
#define TABLE_CLEANUP CLEANUP(cleanup_table)
