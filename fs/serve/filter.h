/* SPDX-License-Identifier: Apache-2.0 */
/* Which records a listing holds, in which order (pure): the LoopBack dialect that clients send,
 * `{"where":{"and":[{"projectId":"P"}]},"order":"dtCreated desc","limit":10,"offset":0}`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/json.h"

/* What a listing asks for. Borrowed from the request's JSON. */
struct filter {
    const json_t *where;   /* an object, or NULL: all */
    const json_t *tags;    /* texts, any of which will do; NULL or empty: all */
    const char *order_key; /* NULL: dtCreated */
    bool ascending;
    uint64_t offset;
    uint64_t limit;      /* UINT64_MAX: all */
    char order_text[64]; /* storage of order_key */
};

/* An empty filter: everything, newest first. */
void filter_init(struct filter *f);

/* Takes where, order, limit, offset and skip of @json (NULL or null: nothing). Returns NULL, or a
 * message that says what cannot be understood. */
const char *filter_take(struct filter *f, const json_t *json);

/* `10`, or `-1` for no limit. NULL (no such parameter) leaves *out alone. False when it is no such
 * number. */
bool filter_parse_limit(const char *text, uint64_t *out);
/* `0` and up. */
bool filter_parse_offset(const char *text, uint64_t *out);

/* The text that @key must have for a record to match; NULL when the where does not say so. For
 * looking records up instead of walking over all. */
const char *filter_required_text(const struct filter *f, const char *key);

/* Does the record meet the where and the tags? */
bool filter_matches(const struct filter *f, const json_t *record);

/* Puts @records (an array) in order and cuts the page out. The result is new, its members are
 * shared; NULL when memory is short. */
json_t *filter_page(const struct filter *f, const json_t *records);
