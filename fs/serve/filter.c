/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/filter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool where_matches(const json_t *where, const json_t *record);

void filter_init(struct filter *f)
{
    *f = (struct filter){.limit = UINT64_MAX};
}

static bool is_text(const json_t *value)
{
    return !value || json_is_null(value) || json_is_string(value);
}

static bool is_plain(const json_t *value)
{
    return !json_is_object(value) && !json_is_array(value);
}

/* `{"inq":[...]}` and `{"neq":x}` are the only operators. */
static const char *check_operator(const json_t *operator)
{
    const json_t *set = json_object_get(operator, "inq");
    size_t i;
    json_t *value;
    if (json_object_size(operator) != 1)
        return "filter: an operator is one of inq and neq";
    if (json_is_array(set)) {
        json_array_foreach(set, i, value)
        {
            if (!is_plain(value))
                return "filter: inq takes plain values";
        }
        return NULL;
    }
    const json_t *other = json_object_get(operator, "neq");
    return other && is_plain(other) ? NULL : "filter: an operator is one of inq and neq";
}

static const char *check_where(const json_t *where)
{
    const char *key, *problem = NULL;
    json_t *value, *part;
    size_t i;
    if (!json_is_object(where))
        return "filter: where is not an object";
    json_object_foreach((json_t *)where, key, value)
    {
        if (strcmp(key, "and") == 0 || strcmp(key, "or") == 0) {
            if (!json_is_array(value))
                return "filter: and, or take a list";
            json_array_foreach(value, i, part)
            {
                problem = problem ? problem : check_where(part);
            }
        } else if (json_is_object(value)) {
            problem = check_operator(value);
        } else if (json_is_array(value)) {
            problem = "filter: a list is no value";
        }
        if (problem)
            return problem;
    }
    return NULL;
}

/* `dtCreated desc`, `name ASC`, `name`. A list takes its first. */
static const char *take_order(struct filter *f, const json_t *order)
{
    char direction[8] = "";
    if (json_is_array(order))
        order = json_array_get(order, 0);
    if (!is_text(order))
        return "filter: order is not text";
    const char *text = json_string_value(order);
    if (!text || !*text)
        return NULL;
    int n = sscanf(text, "%63s %7s", f->order_text, direction);
    if (n == 2 && strcasecmp(direction, "asc") != 0 && strcasecmp(direction, "desc") != 0)
        return "filter: order is a key and asc or desc";
    f->order_key = n >= 1 ? f->order_text : NULL;
    f->ascending = strcasecmp(direction, "desc") != 0;
    return NULL;
}

static bool take_count(const json_t *json, const char *key, int64_t least, uint64_t *out)
{
    const json_t *value = json_object_get(json, key);
    if (!value || json_is_null(value))
        return true;
    int64_t n = json_get_int(json, key, INT64_MIN);
    if (n < least)
        return false;
    *out = n < 0 ? UINT64_MAX : (uint64_t)n;
    return true;
}

const char *filter_take(struct filter *f, const json_t *json)
{
    if (!json || json_is_null(json))
        return NULL;
    if (!json_is_object(json))
        return "filter is not an object";
    const json_t *where = json_object_get(json, "where");
    const char *problem = where && !json_is_null(where) ? check_where(where) : NULL;
    if (problem)
        return problem;
    f->where = json_is_object(where) ? where : NULL;
    if (!take_count(json, "limit", -1, &f->limit))
        return "filter: limit is a number, -1 for all";
    if (!take_count(json, "skip", 0, &f->offset) || !take_count(json, "offset", 0, &f->offset))
        return "filter: offset is a number from 0";
    return take_order(f, json_object_get(json, "order"));
}

bool filter_parse_offset(const char *text, uint64_t *out)
{
    if (!text)
        return true;
    size_t len = strlen(text);
    if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
        return false;
    *out = strtoull(text, NULL, 10);
    return true;
}

bool filter_parse_limit(const char *text, uint64_t *out)
{
    if (!text || strcmp(text, "-1") != 0)
        return filter_parse_offset(text, out);
    *out = UINT64_MAX;
    return true;
}

/* A key that is missing is null. */
static bool values_equal(const json_t *a, const json_t *b)
{
    bool no_a = !a || json_is_null(a), no_b = !b || json_is_null(b);
    return no_a || no_b ? no_a && no_b : json_equal(a, b);
}

static bool operator_matches(const json_t *operator, const json_t * value)
{
    const json_t *set = json_object_get(operator, "inq");
    size_t i;
    json_t *one;
    if (!set)
        return !values_equal(json_object_get(operator, "neq"), value);
    json_array_foreach(set, i, one)
    {
        if (values_equal(one, value))
            return true;
    }
    return false;
}

static bool list_matches(const json_t *list, bool all, const json_t *record)
{
    size_t i;
    json_t *part;
    json_array_foreach(list, i, part)
    {
        if (where_matches(part, record) != all)
            return !all;
    }
    return all;
}

static bool where_matches(const json_t *where, const json_t *record)
{
    const char *key;
    json_t *wanted;
    json_object_foreach((json_t *)where, key, wanted)
    {
        const json_t *value = json_object_get(record, key);
        bool good;
        if (strcmp(key, "and") == 0 || strcmp(key, "or") == 0)
            good = list_matches(wanted, key[0] == 'a', record);
        else if (json_is_object(wanted))
            good = operator_matches(wanted, value);
        else
            good = values_equal(wanted, value);
        if (!good)
            return false;
    }
    return true;
}

static const char *required_text(const json_t *where, const char *key)
{
    const char *text = json_get_text(where, key);
    json_t *part;
    size_t i;
    json_array_foreach(json_get_array(where, "and"), i, part)
    {
        text = text ? text : required_text(part, key);
    }
    return text;
}

const char *filter_required_text(const struct filter *f, const char *key)
{
    return f->where ? required_text(f->where, key) : NULL;
}

static bool tags_match(const json_t *wanted, const json_t *tags)
{
    size_t i, k;
    json_t *want, *tag;
    if (json_array_size(wanted) == 0)
        return true;
    json_array_foreach(wanted, i, want)
    {
        json_array_foreach(tags, k, tag)
        {
            if (json_equal(want, tag))
                return true;
        }
    }
    return false;
}

bool filter_matches(const struct filter *f, const json_t *record)
{
    return (!f->where || where_matches(f->where, record)) &&
           tags_match(f->tags, json_object_get(record, "tags"));
}

static int compare_values(const json_t *a, const json_t *b)
{
    if (json_is_string(a) && json_is_string(b))
        return strcmp(json_string_value(a), json_string_value(b));
    if (json_is_number(a) && json_is_number(b)) {
        double x = json_number_value(a), y = json_number_value(b);
        return x < y ? -1 : x > y;
    }
    return (a && !json_is_null(a)) - (b && !json_is_null(b));
}

/* Ties are settled by id, so that pages neither overlap nor leave gaps. */
static int compare_records(const void *a, const void *b, void *arg)
{
    const json_t *const *x = a, *const *y = b;
    const struct filter *f = arg;
    const char *keys[] = {f->order_key ? f->order_key : "dtCreated", "id", "handle"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        int order = compare_values(json_object_get(*x, keys[i]), json_object_get(*y, keys[i]));
        if (order)
            return f->ascending ? order : -order;
    }
    return 0;
}

json_t *filter_page(const struct filter *f, const json_t *records)
{
    size_t n = json_array_size(records);
    json_t **sorted CLEANUP(cleanup_free) = malloc((n + 1) * sizeof(json_t *));
    json_t *page JSON_CLEANUP = json_array();
    if (!sorted || !page)
        return NULL;
    for (size_t i = 0; i < n; i++)
        sorted[i] = json_array_get(records, i);
    qsort_r(sorted, n, sizeof(json_t *), compare_records, (void *)f);
    size_t first = f->offset < n ? (size_t)f->offset : n;
    size_t count = f->limit < n - first ? (size_t)f->limit : n - first;
    for (size_t i = first; i < first + count; i++) {
        if (json_array_append(page, sorted[i]) < 0)
            return NULL;
    }
    return steal_ptr(page);
}
