/* SPDX-License-Identifier: Apache-2.0 */
/* What projects and models have in common: an id, times, tags, and listings of them. */
#pragma once

#include "serve/filter.h"
#include "serve/names.h"
#include "serve/store.h"

/* Makes an id that no record of @table has: @prefix and @n_random characters. 0 or -errno. */
int records_new_id(struct store_txn *txn, enum store_table table, const char *prefix,
                   size_t n_random, char out[NAMES_ID_BYTES]);

/* Sets @key to now as text. 0 or -ENOMEM. */
int records_set_now(json_t *record, const char *key);

/* Sets dtModified to now, or just after what it was: it never stays the same. */
int records_touch(json_t *record);

/* Adds @record to @records (an array) if @filter wants it and it is not deleted. 0 or -ENOMEM. */
int records_offer(const json_t *record, const struct filter *filter, json_t *records);

/* Gathers the records that @filter wants, without deleted ones, in key order and not cut into
 * pages. */
int records_collect(struct store_txn *txn, enum store_table table, const struct filter *filter,
                    json_t **out);

/* Fetches a record that is not deleted. -ENOENT. */
int records_get(struct store_txn *txn, enum store_table table, const char *id, json_t **out);
