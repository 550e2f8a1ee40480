/* SPDX-License-Identifier: Apache-2.0 */
#include "model/safetensors.h"

#include <errno.h>
#include <string.h>

#include "model/contents.h"
#include "util/bytes.h"
#include "util/json.h"
#include "util/minmax.h"

enum {
    LENGTH_BYTES = 8,
    MAX_HEADER_BYTES = 100 * 1000 * 1000, /* as the reference implementation */
    /* The headers of most files are within this, and are here after one round trip. */
    FIRST_BYTES = 256 << 10,
    /* One tensor's entry, or all of `__metadata__`: JSON in memory is up to 16 times as large. */
    MAX_MEMBER_BYTES = 8 << 20,
};

/* A header as it is gone through. */
struct header {
    struct contents *contents;
    uint32_t file;
    uint64_t size_bytes;  /* of the file */
    uint64_t data_offset; /* what data_offsets are counted from */
    uint64_t end;         /* of the tensor that ends last, in the file */
    json_t *metadata;     /* owned, or NULL */
};

static bool read_size(const json_t *value, uint64_t *out)
{
    json_int_t size = json_integer_value(value);
    *out = (uint64_t)size;
    return json_is_integer(value) && size >= 0;
}

static bool read_shape(const json_t *dims, uint64_t shape[TENSOR_MAX_DIMS], uint32_t *out_n)
{
    size_t n = json_array_size(dims);
    if (!json_is_array(dims) || n > TENSOR_MAX_DIMS)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!read_size(json_array_get(dims, i), &shape[i]))
            return false;
    *out_n = (uint32_t)n;
    return true;
}

static bool read_window(const struct header *header, const json_t *offsets, struct tensor *tensor)
{
    uint64_t begin, end;
    if (json_array_size(offsets) != 2 || !read_size(json_array_get(offsets, 0), &begin) ||
        !read_size(json_array_get(offsets, 1), &end) || end < begin)
        return false;
    tensor->offset = header->data_offset + begin; /* both are below 2^63 */
    tensor->n_bytes = end - begin;
    return true;
}

/* One that ends behind the file's end is only noted: the file will be cut off as a whole. */
static int add_tensor(struct header *header, const char *name, const json_t *entry)
{
    uint64_t shape[TENSOR_MAX_DIMS];
    struct tensor tensor = {.name = name, .shape = shape, .file = header->file};
    const char *dtype = json_get_text(entry, "dtype");
    if (!dtype || !read_shape(json_object_get(entry, "shape"), shape, &tensor.n_dims) ||
        !read_window(header, json_object_get(entry, "data_offsets"), &tensor))
        return -EBADMSG;
    uint64_t end = tensor.offset + tensor.n_bytes;
    header->end = max_u64(header->end, end);
    if (end > header->size_bytes)
        return 0;
    tensor.dtype = dtype_find(dtype);
    if (!tensor.dtype)
        tensor.offset = TENSOR_SCATTERED;
    return contents_add(header->contents, &tensor);
}

static int read_member(void *ctx, const char *key, json_t *value)
{
    struct header *header = ctx;
    if (strcmp(key, "__metadata__") != 0)
        return add_tensor(header, key, value);
    json_decref(header->metadata);
    header->metadata = json_incref(value);
    return 0;
}

static int tell_metadata(struct header *header)
{
    const char *key;
    json_t *value;
    json_object_foreach(header->metadata, key, value)
    {
        if (!json_is_string(value))
            continue;
        int r = contents_tell(header->contents, "safetensors", key, json_incref(value));
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_header(struct header *header, const uint8_t *text, size_t len)
{
    size_t n_before = header->contents->n_tensors;
    int r = json_each_member((const char *)text, len, MAX_MEMBER_BYTES, read_member, header);
    bool is_whole = header->end <= header->size_bytes;
    if (r == 0 && is_whole)
        r = tell_metadata(header);
    if (r < 0 || !is_whole)
        contents_cut(header->contents, n_before);
    if (r == 0 && !is_whole)
        r = contents_miss_rest(header->contents, header->file, header->end);
    return r == -EPROTO ? -EBADMSG : r;
}

int safetensors_parse(void *contents, uint32_t file, struct glimpse *glimpse)
{
    const uint8_t *length = glimpse_ask(glimpse, 0, LENGTH_BYTES, FIRST_BYTES);
    if (!length)
        return glimpse_error(glimpse);
    uint64_t len = bytes_le(length, LENGTH_BYTES);
    if (len > MAX_HEADER_BYTES)
        return -EBADMSG;
    if (len > glimpse->size_bytes - LENGTH_BYTES)
        return contents_miss_rest(contents, file, LENGTH_BYTES + len);
    const uint8_t *text = glimpse_at(glimpse, LENGTH_BYTES, len);
    if (!text)
        return glimpse_error(glimpse);
    struct header header = {.contents = contents,
                            .file = file,
                            .size_bytes = glimpse->size_bytes,
                            .data_offset = LENGTH_BYTES + len};
    int r = read_header(&header, text, (size_t)len);
    json_decref(header.metadata);
    return r;
}
