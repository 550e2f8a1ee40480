/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "registry/describe.h"
#include "util/json.h"

/* JSON's integers end at INT64_MAX. */
static json_t *new_integer(uint64_t value)
{
    return json_integer(value < INT64_MAX ? (json_int_t)value : (json_int_t)INT64_MAX);
}

/* All here are 0, or -1 when memory is short. */
static int set_integer(json_t *o, const char *key, uint64_t value)
{
    return json_object_set_new(o, key, new_integer(value));
}

static json_t *describe_shape(const struct tensor *tensor)
{
    JSON_CLEANUP json_t *shape = json_array();
    int r = shape ? 0 : -1;
    for (uint32_t i = 0; i < tensor->n_dims; i++)
        r |= json_array_append_new(shape, new_integer(tensor->shape[i]));
    return r == 0 ? steal_ptr(shape) : NULL;
}

static json_t *describe_place(const struct contents *contents, uint32_t file)
{
    if (file >= contents->n_files)
        return json_null();
    return json_new_text(contents->files[file].path);
}

static json_t *describe_tensor(const struct contents *contents, const struct tensor *tensor)
{
    JSON_CLEANUP json_t *o = json_object();
    bool scattered = tensor->offset == TENSOR_SCATTERED;
    int r = json_object_set_new(o, "name", json_new_text(tensor->name));
    r |= json_object_set_new(o, "dtype",
                             tensor->dtype ? json_string(tensor->dtype->name) : json_null());
    r |= json_object_set_new(o, "shape", describe_shape(tensor));
    r |= json_object_set_new(o, "file", describe_place(contents, tensor->file));
    r |= scattered ? json_object_set_new(o, "offset", json_null())
                   : set_integer(o, "offset", tensor->offset);
    r |= set_integer(o, "bytes", tensor->n_bytes);
    return r == 0 ? steal_ptr(o) : NULL;
}

static int set_tensors(json_t *facts, const struct contents *contents)
{
    json_t *tensors = json_array();
    int r = tensors ? 0 : -1;
    for (size_t i = 0; r == 0 && i < contents->n_tensors; i++)
        r = json_array_append_new(tensors, describe_tensor(contents, &contents->tensors[i]));
    return r | json_object_set_new(facts, "tensors", tensors);
}

/* Parameters of each dtype. */
static int set_dtypes(json_t *facts, const struct contents *contents)
{
    json_t *dtypes = json_object();
    int r = dtypes ? 0 : -1;
    for (size_t i = 0; r == 0 && i < contents->n_tensors; i++) {
        const struct tensor *tensor = &contents->tensors[i];
        uint64_t n;
        if (!tensor->dtype || !tensor_elements(tensor, &n))
            continue;
        json_int_t sum = json_integer_value(json_object_get(dtypes, tensor->dtype->name));
        if (__builtin_add_overflow(n, (uint64_t)sum, &n))
            n = INT64_MAX;
        r = set_integer(dtypes, tensor->dtype->name, n);
    }
    return r | json_object_set_new(facts, "dtypes", dtypes);
}

/* What lacks by the files' names, and by what they hold. */
static int set_missing(json_t *facts, const struct contents *contents)
{
    json_t *missing = json_array(), *known = json_object_get(facts, "missing");
    int r = missing ? 0 : -1;
    if (known && !json_equal(known, json_array_get(contents->missing, 0)))
        r |= json_array_append(missing, known);
    r |= json_array_extend(missing, contents->missing);
    r |= json_object_set_new(facts, "complete", json_false());
    return r | json_object_set_new(facts, "missing", missing);
}

int describe_contents(json_t *facts, const struct contents *contents)
{
    int r = set_integer(facts, "parameters", contents_parameters(contents));
    r |= set_dtypes(facts, contents);
    r |= set_tensors(facts, contents);
    if (contents->metadata)
        r |= json_object_set(facts, "metadata", contents->metadata);
    if (json_array_size(contents->missing))
        r |= set_missing(facts, contents);
    return r == 0 ? 0 : -ENOMEM;
}
