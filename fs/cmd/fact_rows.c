/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/fact_rows.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/facts.h"

enum { DTYPES_SHOWN = 8 };

struct table *fact_rows_new(void)
{
    struct table *table = table_new();
    if (!table)
        return NULL;
    table_add_column(table, NULL, TABLE_LEFT);
    table_add_column(table, NULL, TABLE_LEFT);
    return table;
}

void fact_row(struct table *rows, const char *name, const char *value)
{
    if (!value)
        return;
    table_add(rows, name);
    table_add(rows, value);
}

void fact_row_f(struct table *rows, const char *name, const char *fmt, ...)
{
    struct buf text BUF_CLEANUP = {0};
    va_list args;
    va_start(args, fmt);
    int r = buf_vprintf(&text, fmt, args);
    va_end(args);
    fact_row(rows, name, r == 0 ? text.data : NULL);
}

void fact_row_text(struct table *rows, const json_t *facts, const char *key)
{
    fact_row(rows, key, json_get_text(facts, key));
}

void fact_row_parameters(struct table *rows, const json_t *facts)
{
    char count[HUMAN_BYTES];
    int64_t n = json_get_int(facts, "parameters", -1);
    if (n < 0)
        return;
    human_count((uint64_t)n, count);
    if (n < 1000)
        fact_row(rows, "parameters", count);
    else
        fact_row_f(rows, "parameters", "%s (%" PRId64 ")", count, n);
}

struct share {
    const char *dtype;
    uint64_t n;
};

static int compare_shares(const void *a, const void *b)
{
    const struct share *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->dtype, y->dtype);
}

/* The shares, most first, in fresh memory; NULL when memory is short. */
static struct share *sort_shares(json_t *dtypes, uint64_t *out_sum)
{
    struct share *shares = calloc(json_object_size(dtypes) + 1, sizeof(*shares));
    const char *dtype;
    json_t *value;
    size_t n = 0;
    *out_sum = 0;
    json_object_foreach(dtypes, dtype, value)
    {
        if (!shares)
            return NULL;
        shares[n] = (struct share){dtype, facts_size(dtypes, dtype)};
        if (__builtin_add_overflow(*out_sum, shares[n++].n, out_sum))
            *out_sum = UINT64_MAX;
    }
    if (n)
        qsort(shares, n, sizeof(*shares), compare_shares);
    return shares;
}

void fact_row_dtypes(struct table *rows, const json_t *facts)
{
    json_t *dtypes = json_get_object(facts, "dtypes");
    struct buf text BUF_CLEANUP = {0};
    uint64_t sum;
    CLEANUP(cleanup_free) struct share *shares = sort_shares(dtypes, &sum);
    size_t n = json_object_size(dtypes);
    int r = shares ? 0 : -1;
    for (size_t i = 0; r == 0 && i < n && i < DTYPES_SHOWN; i++) {
        char share[HUMAN_BYTES];
        human_share(shares[i].n, sum, share);
        r = buf_printf(&text, "%s%s %s", i ? ", " : "", shares[i].dtype, share);
    }
    if (r == 0 && n > DTYPES_SHOWN)
        r = buf_puts(&text, ", ...");
    fact_row(rows, "dtypes", r == 0 && n ? text.data : NULL);
}

void fact_row_modified(struct table *rows, const json_t *facts, int64_t now_ns)
{
    char age[HUMAN_BYTES];
    int64_t then_ns = facts_modified_ns(facts);
    human_age(then_ns, now_ns, age);
    if (then_ns)
        fact_row_f(rows, "modified", "%s (%s%s)", json_get_text(facts, "modified"), age,
                   strcmp(age, "now") == 0 ? "" : " ago");
}

void fact_row_size(struct table *rows, const json_t *facts)
{
    char size[HUMAN_BYTES];
    uint64_t bytes = facts_size(facts, "size");
    size_t n_files = json_array_size(json_get_array(facts, "files"));
    human_size(bytes, size);
    fact_row_f(rows, "size", "%s (%" PRIu64 " bytes in %zu file%s)", size, bytes, n_files,
               n_files == 1 ? "" : "s");
}
