/* SPDX-License-Identifier: Apache-2.0 */
#include "model/contents.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/relative.h"
#include "util/buf.h"
#include "util/json.h"

void contents_init(struct contents *contents, const struct contents_file *files, size_t n_files)
{
    *contents = (struct contents){.files = files, .n_files = n_files};
}

void contents_deinit(struct contents *contents)
{
    free(contents->tensors);
    json_decref(contents->metadata);
    json_decref(contents->missing);
    arena_free(&contents->texts);
    *contents = (struct contents){0};
}

bool tensor_elements(const struct tensor *tensor, uint64_t *out)
{
    *out = 1;
    for (uint32_t i = 0; i < tensor->n_dims; i++)
        if (__builtin_mul_overflow(*out, tensor->shape[i], out))
            return false;
    return true;
}

static bool fits_file(const struct contents *contents, const struct tensor *tensor)
{
    if (tensor->offset == TENSOR_SCATTERED)
        return true;
    if (tensor->file >= contents->n_files || tensor->npy_bytes > tensor->offset)
        return false;
    uint64_t size = contents->files[tensor->file].size_bytes;
    return tensor->offset <= size && tensor->n_bytes <= size - tensor->offset;
}

static bool makes_sense(const struct contents *contents, const struct tensor *tensor)
{
    uint64_t n_elements, n_bytes;
    if (!*tensor->name || strlen(tensor->name) > TENSOR_MAX_NAME_BYTES ||
        tensor->n_dims > TENSOR_MAX_DIMS || !tensor_elements(tensor, &n_elements))
        return false;
    if (tensor->dtype && tensor->offset != TENSOR_SCATTERED &&
        (!dtype_size_bytes(tensor->dtype, n_elements, &n_bytes) || n_bytes != tensor->n_bytes))
        return false;
    return fits_file(contents, tensor);
}

/* Room for one more; it doubles. */
static int reserve(struct contents *contents)
{
    size_t n = contents->n_tensors;
    if (n >= CONTENTS_MAX_TENSORS)
        return -EFBIG;
    if (n & (n - 1))
        return 0;
    struct tensor *grown = realloc(contents->tensors, (n ? 2 * n : 1) * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    contents->tensors = grown;
    return 0;
}

/* The arena gives bytes at any address: shapes are kept where a uint64_t may stand. */
static const uint64_t *keep_shape(struct contents *contents, const uint64_t *shape, size_t n)
{
    char room[(TENSOR_MAX_DIMS + 1) * sizeof(*shape)] = {0};
    char *kept = arena_copy(&contents->texts, room, (n + 1) * sizeof(*shape));
    if (!kept)
        return NULL;
    kept += -(uintptr_t)kept % sizeof(*shape);
    if (n)
        memcpy(kept, shape, n * sizeof(*shape));
    return (const uint64_t *)(void *)kept;
}

int contents_add(struct contents *contents, const struct tensor *tensor)
{
    if (!makes_sense(contents, tensor))
        return -EBADMSG;
    int r = reserve(contents);
    if (r < 0)
        return r;
    struct tensor kept = *tensor;
    kept.name = arena_copy(&contents->texts, tensor->name, strlen(tensor->name));
    kept.shape = keep_shape(contents, tensor->shape, tensor->n_dims);
    if (!kept.name || !kept.shape)
        return -ENOMEM;
    contents->tensors[contents->n_tensors++] = kept;
    return 0;
}

/* reserve() asks at each power of two, so a smaller count has room too. */
void contents_cut(struct contents *contents, size_t n_tensors)
{
    if (n_tensors < contents->n_tensors)
        contents->n_tensors = n_tensors;
}

/* The object at @key of @object, made when it is not there. */
static json_t *object_at(json_t *object, const char *key)
{
    json_t *found = json_object_get(object, key);
    if (found)
        return json_is_object(found) ? found : NULL;
    json_t *fresh = json_object();
    return fresh && json_object_set_new_nocheck(object, key, fresh) == 0 ? fresh : NULL;
}

int contents_tell(struct contents *contents, const char *group, const char *key, json_t *value)
{
    JSON_CLEANUP json_t *taken = value;
    JSON_CLEANUP json_t *mended_group = json_new_text(group), *mended_key = json_new_text(key);
    if (!taken || !mended_group || !mended_key)
        return -ENOMEM;
    if (!contents->metadata)
        contents->metadata = json_object();
    json_t *of =
        contents->metadata ? object_at(contents->metadata, json_string_value(mended_group)) : NULL;
    return of && json_object_set_nocheck(of, json_string_value(mended_key), taken) == 0 ? 0
                                                                                        : -ENOMEM;
}

int contents_miss(struct contents *contents, const char *what)
{
    if (json_array_size(contents->missing) == CONTENTS_MAX_MISSING)
        return 0;
    JSON_CLEANUP json_t *text = json_new_text(what);
    size_t i;
    json_t *known;
    if (!contents->missing)
        contents->missing = json_array();
    if (!contents->missing || !text)
        return -ENOMEM;
    json_array_foreach(contents->missing, i, known)
    {
        if (json_equal(known, text))
            return 0;
    }
    return json_array_append(contents->missing, text) < 0 ? -ENOMEM : 0;
}

int contents_miss_rest(struct contents *contents, uint32_t file, uint64_t n_bytes)
{
    BUF_CLEANUP struct buf what = {0};
    const struct contents_file *of = file < contents->n_files ? &contents->files[file] : NULL;
    int r = buf_printf(&what, "%s (%" PRIu64 " of %" PRIu64 " bytes)", of ? of->path : "",
                       of ? of->size_bytes : 0, n_bytes);
    return r < 0 ? r : contents_miss(contents, what.data);
}

uint32_t contents_find_path(const struct contents *contents, const char *path)
{
    for (size_t i = 0; i < contents->n_files; i++)
        if (strcmp(contents->files[i].path, path) == 0)
            return (uint32_t)i;
    return CONTENTS_NO_FILE;
}

uint32_t contents_find(const struct contents *contents, uint32_t from, const char *name)
{
    BUF_CLEANUP struct buf path = {0};
    const char *base = from < contents->n_files ? contents->files[from].path : "";
    return relative_resolve(base, name, &path) == 0 ? contents_find_path(contents, path.data)
                                                    : CONTENTS_NO_FILE;
}

uint64_t contents_parameters(const struct contents *contents)
{
    uint64_t sum = 0, n;
    for (size_t i = 0; i < contents->n_tensors; i++)
        if (!tensor_elements(&contents->tensors[i], &n) || __builtin_add_overflow(sum, n, &sum) ||
            sum > INT64_MAX)
            return INT64_MAX;
    return sum;
}
