/* SPDX-License-Identifier: Apache-2.0 */
/* Facts as the rows of a table of two columns, name and value (pure). What is not known makes no
 * row. */
#pragma once

#include "cmd/table.h"
#include "util/json.h"

/* A table with the two columns. NULL when memory is short. */
struct table *fact_rows_new(void);

void fact_row(struct table *rows, const char *name, const char *value);
__attribute__((format(printf, 3, 4))) void fact_row_f(struct table *rows, const char *name,
                                                      const char *fmt, ...);
/* The text at @key. */
void fact_row_text(struct table *rows, const json_t *facts, const char *key);
/* `7.24 B`. */
void fact_row_parameters(struct table *rows, const json_t *facts);
/* `BF16 99.8 %, F32 0.2 %`, most first. */
void fact_row_dtypes(struct table *rows, const json_t *facts);
void fact_row_modified(struct table *rows, const json_t *facts, int64_t now_ns);
/* Of all files, and how many. */
void fact_row_size(struct table *rows, const json_t *facts);
