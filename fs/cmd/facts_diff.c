/* SPDX-License-Identifier: Apache-2.0 */
/* Files and tensors are joined by a key: one side's by key in an object, the other's looked up in
 * it. */
#include "cmd/facts_diff.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/facts.h"
#include "model/metrics.h"
#include "util/buf.h"

/* All here that return int: 0, or -1 when memory is short. */

/* --- keys --- */

typedef int key_fn(const json_t *facts, const json_t *item, struct buf *out);

/* Appends @path with `*` in place of each number that is @step. */
static int append_without_step(const char *path, int64_t step, struct buf *out)
{
    int r = 0;
    while (r == 0 && *path) {
        size_t n = strspn(path, "0123456789");
        /* a number of more digits is no step, and strtoll() gives the greatest for it */
        bool is_step = n && step >= 0 && strtoll(path, NULL, 10) == step;
        r = is_step ? buf_putc(out, '*') : buf_append(out, path, n ? n : 1);
        path += n ? n : 1;
    }
    return r;
}

static int file_key(const json_t *facts, const json_t *item, struct buf *out)
{
    const char *path = json_get_text(item, "path");
    return path ? append_without_step(path, json_get_int(facts, "step", -1), out) : 0;
}

static int tensor_key(const json_t *facts, const json_t *item, struct buf *out)
{
    const char *name = json_get_text(item, "name");
    (void)facts;
    return name ? buf_puts(out, name) : 0;
}

/* {key: item} of the array at @list; what has no key is left out. */
static json_t *index_items(const json_t *facts, const char *list, key_fn *key_of)
{
    JSON_CLEANUP json_t *index = json_object();
    size_t i;
    json_t *item;
    json_array_foreach(json_get_array(facts, list), i, item)
    {
        BUF_CLEANUP struct buf key = {0};
        if (key_of(facts, item, &key) < 0)
            return NULL;
        if (key.len && json_object_set(index, key.data, item) < 0)
            return NULL;
    }
    return steal_ptr(index);
}

/* --- pairs --- */

/* The fields of @item that are called @keys, a list that NULL ends. */
static json_t *pick(const json_t *item, const char *const *keys)
{
    JSON_CLEANUP json_t *out = json_object();
    for (; *keys; keys++) {
        json_t *value = json_object_get(item, *keys);
        if (value && json_object_set(out, *keys, value) < 0)
            return NULL;
    }
    return steal_ptr(out);
}

static json_t *make_pair(const char *label, const char *key, const json_t *a, const json_t *b,
                         const char *const *keys)
{
    json_t *pair = json_object();
    int r = json_object_set_new(pair, label, json_string(key));
    r |= json_object_set_new(pair, "a", pick(a, keys));
    r |= json_object_set_new(pair, "b", pick(b, keys));
    if (r < 0)
        json_decref(pair);
    return r < 0 ? NULL : pair;
}

static int count_same(json_t *out)
{
    json_int_t n = json_integer_value(json_object_get(out, "same"));
    return json_object_set_new(out, "same", json_integer(n + 1));
}

typedef int pair_fn(json_t *out, const char *key, const json_t *a, const json_t *b);

static int pair_files(json_t *out, const char *key, const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"path", "size", "digest", NULL};
    const char *x = json_get_text(a, "digest"), *y = json_get_text(b, "digest");
    bool same_size = json_get_int(a, "size", -1) == json_get_int(b, "size", -1);
    bool is_known = x && y;
    if (same_size && is_known && strcmp(x, y) == 0)
        return count_same(out);
    const char *list = same_size && !is_known ? "unknown" : "changed";
    return json_array_append_new(json_get_array(out, list), make_pair("path", key, a, b, keys));
}

/* Also where both have none. */
static bool is_same_field(const json_t *a, const json_t *b, const char *key)
{
    json_t *x = json_object_get(a, key), *y = json_object_get(b, key);
    return x == y || json_equal(x, y);
}

static bool is_same_tensor(const json_t *a, const json_t *b)
{
    return is_same_field(a, b, "shape") && is_same_field(a, b, "dtype");
}

static int pair_tensors(json_t *out, const char *key, const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"dtype", "shape", NULL};
    if (is_same_tensor(a, b))
        return count_same(out);
    return json_array_append_new(json_get_array(out, "changed"),
                                 make_pair("name", key, a, b, keys));
}

/* --- joining --- */

static json_t *new_lists(const char *const *lists)
{
    JSON_CLEANUP json_t *out = json_object();
    if (json_object_set_new(out, "same", json_integer(0)) < 0)
        return NULL;
    for (; *lists; lists++)
        if (json_object_set_new(out, *lists, json_array()) < 0)
            return NULL;
    return steal_ptr(out);
}

/* What of @index the other one lacks goes to @list. */
static int add_rest(json_t *out, const char *list, json_t *index, const json_t *other)
{
    const char *key;
    json_t *item;
    int r = 0;
    json_object_foreach(index, key, item)
    {
        if (!json_object_get(other, key))
            r |= json_array_append(json_get_array(out, list), item);
    }
    return r;
}

static json_t *join(const json_t *a, const json_t *b, const char *list, key_fn *key_of,
                    pair_fn *pair)
{
    static const char *const lists[] = {"unknown", "changed", "added", "removed", NULL};
    bool are_files = strcmp(list, "files") == 0;
    JSON_CLEANUP json_t *out = new_lists(are_files ? lists : lists + 1);
    JSON_CLEANUP json_t *x = index_items(a, list, key_of), *y = index_items(b, list, key_of);
    const char *key;
    json_t *item;
    int r = out && x && y ? 0 : -1;
    json_object_foreach(x, key, item)
    {
        const json_t *other = json_object_get(y, key);
        if (r == 0 && other)
            r = pair(out, key, item, other);
    }
    if (r == 0)
        r = add_rest(out, "removed", x, y);
    if (r == 0)
        r = add_rest(out, "added", y, x);
    return r == 0 ? steal_ptr(out) : NULL;
}

/* --- metrics --- */

static json_t *better_of(const char *name, double a, double b)
{
    bool is_b = a != b && metric_beats(NULL, name, b, a), is_a = a != b && metric_beats(NULL, name, a, b);
    /* what is no number is worse than any, but not than what was not measured */
    return is_a == is_b || isnan(a) || isnan(b) ? json_null() : json_string(is_b ? "b" : "a");
}

static json_t *make_metric(const char *name, json_t *a, json_t *b)
{
    double x = facts_metric_number(a), y = facts_metric_number(b);
    JSON_CLEANUP json_t *out = json_object();
    int r = json_object_set_new(out, "name", json_string(name));
    r |= a ? json_object_set(out, "a", a) : json_object_set_new(out, "a", json_null());
    r |= b ? json_object_set(out, "b", b) : json_object_set_new(out, "b", json_null());
    if (isfinite(y - x))
        r |= json_object_set_new(out, "difference", json_real(y - x));
    r |= json_object_set_new(out, "better", better_of(name, x, y));
    return r == 0 ? steal_ptr(out) : NULL;
}

/* The names of both, as facts_metric_names() orders them. */
static json_t *metric_names(const json_t *a, const json_t *b)
{
    JSON_CLEANUP json_t *both = json_pack("{s:[O,O]}", "checkpoints", a, b);
    return both ? facts_metric_names(both) : NULL;
}

static json_t *diff_metrics(const json_t *a, const json_t *b)
{
    JSON_CLEANUP json_t *out = json_array(), *names = metric_names(a, b);
    const json_t *x = json_get_object(a, "metrics"), *y = json_get_object(b, "metrics");
    if (!out || !names)
        return NULL;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        json_t *metric = make_metric(name, json_object_get(x, name), json_object_get(y, name));
        if (json_array_append_new(out, metric) < 0)
            return NULL;
    }
    return steal_ptr(out);
}

/* --- all of it --- */

static bool is_list_empty(const json_t *diff, const char *part, const char *list)
{
    return json_array_size(json_get_array(json_get_object(diff, part), list)) == 0;
}

static bool is_same(const json_t *diff)
{
    static const char *const lists[] = {"changed", "added", "removed"};
    size_t i;
    json_t *metric;
    bool same = true;
    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        same &= is_list_empty(diff, "files", lists[i]) && is_list_empty(diff, "tensors", lists[i]);
    json_array_foreach(json_get_array(diff, "metrics"), i, metric)
    {
        same &= json_equal(json_object_get(metric, "a"), json_object_get(metric, "b"));
    }
    return same;
}

json_t *facts_diff(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"name", "model",      "project", "registry",
                                       "type", "framework",  "format",  "step",
                                       "size", "parameters", NULL};
    JSON_CLEANUP json_t *out = json_object();
    int r = json_object_set_new(out, "a", pick(a, keys));
    r |= json_object_set_new(out, "b", pick(b, keys));
    r |= json_object_set_new(out, "same", json_true());
    r |= json_object_set_new(out, "files", join(a, b, "files", file_key, pair_files));
    r |= json_object_set_new(out, "tensors", join(a, b, "tensors", tensor_key, pair_tensors));
    r |= json_object_set_new(out, "metrics", diff_metrics(a, b));
    if (r == 0)
        r = json_object_set_new(out, "same", json_boolean(is_same(out)));
    return r == 0 ? steal_ptr(out) : NULL;
}

int facts_diff_settle(json_t *diff, size_t index, bool same)
{
    json_t *files = json_get_object(diff, "files"), *unknown = json_get_array(files, "unknown");
    int r =
        same ? count_same(files)
             : json_array_append(json_get_array(files, "changed"), json_array_get(unknown, index));
    if (r == 0)
        r = json_array_remove(unknown, index);
    if (r == 0 && !same)
        r = json_object_set_new(diff, "same", json_false());
    return r;
}

json_t *facts_common_tensors(const json_t *a, const json_t *b)
{
    JSON_CLEANUP json_t *out = json_array();
    JSON_CLEANUP json_t *x = index_items(a, "tensors", tensor_key);
    JSON_CLEANUP json_t *y = index_items(b, "tensors", tensor_key);
    const char *key;
    json_t *item;
    int r = out && x && y ? 0 : -1;
    json_object_foreach(x, key, item)
    {
        const json_t *other = json_object_get(y, key);
        if (r == 0 && other && is_same_tensor(item, other))
            r = json_array_append(out, item);
    }
    return r == 0 ? steal_ptr(out) : NULL;
}
