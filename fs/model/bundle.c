/* SPDX-License-Identifier: Apache-2.0 */
/* The index is a table by names. The empty name, which is the first, has the header; names that
 * begin with a NUL are slices of partitioned variables in an ordered code
 * (tensorflow/core/util/saved_tensor_slice_util.cc), whose whole has an entry of its own.
 *
 * Names are stored without what they share with the one before; so a small file could say many
 * large ones, and their sum is limited by the file's size. */
#include "model/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/contents.h"
#include "model/protobuf.h"
#include "model/sstable.h"
#include "util/buf.h"
#include "util/minmax.h"

enum {
    NAMES_PER_BYTE = 32, /* trees of Keras names come to 5 */
    MAX_NAMES_BYTES = 256 << 20,
};

struct shard {
    uint32_t file;     /* of the contents; CONTENTS_NO_FILE */
    uint64_t n_needed; /* where the last tensor of it ends; 0: none lies here */
};

struct bundle {
    struct contents *contents;
    const char *prefix; /* borrowed; the index's path up to `.index` */
    size_t prefix_len;
    uint64_t names_left; /* bytes of names that may still come */
    bool has_header, is_big_endian;
    struct shard *shards; /* owned */
    uint32_t n_shards;
};

/* An entry of tensor_bundle.proto's BundleEntryProto. */
struct bundle_entry {
    uint64_t dtype, shard, offset, size;
    bool is_sliced;
    uint64_t shape[TENSOR_MAX_DIMS];
    uint32_t n_dims;
};

static void bundle_deinit(struct bundle *bundle)
{
    free(bundle->shards);
}

/* DataType of tensorflow/core/framework/types.proto. A quantised number is an integer here; one of
 * four bits takes a byte. */
static const char *const dtype_names[] = {
    [1] = "F32",          [2] = "F64",      [3] = "I32",          [4] = "U8",
    [5] = "I16",          [6] = "I8",       [8] = "C64",          [9] = "I64",
    [10] = "BOOL",        [11] = "I8",      [12] = "U8",          [13] = "I32",
    [14] = "BF16",        [15] = "I16",     [16] = "U16",         [17] = "U16",
    [18] = "C128",        [19] = "F16",     [22] = "U32",         [23] = "U64",
    [24] = "F8_E5M2",     [25] = "F8_E4M3", [26] = "F8_E4M3FNUZ", [27] = "F8_E4M3B11FNUZ",
    [28] = "F8_E5M2FNUZ", [29] = "I8",      [30] = "U8",
};

static const struct dtype *dtype_of(uint64_t number)
{
    size_t n = sizeof(dtype_names) / sizeof(dtype_names[0]);
    const char *name = number < n ? dtype_names[number] : NULL;
    return name ? dtype_find(name) : NULL;
}

/* Five digits at @at, ended by @end. */
static bool read_digits(const char *at, char end, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < 5; i++, at++) {
        if (*at < '0' || *at > '9')
            return false;
        *out = *out * 10 + (uint32_t)(*at - '0');
    }
    return *at == end;
}

/* Notes file number @i where it is a shard. */
static void note_shard(struct bundle *bundle, uint32_t i)
{
    const char *path = bundle->contents->files[i].path;
    uint32_t number, count;
    if (strncmp(path, bundle->prefix, bundle->prefix_len) != 0)
        return;
    path += bundle->prefix_len;
    if (strncmp(path, ".data-", 6) == 0 && read_digits(path + 6, '-', &number) &&
        strncmp(path + 11, "-of-", 4) == 0 && read_digits(path + 15, '\0', &count) &&
        count == bundle->n_shards && number < count)
        bundle->shards[number].file = i;
}

static int find_shards(struct bundle *bundle, uint64_t n_shards)
{
    if (n_shards > BUNDLE_MAX_SHARDS)
        return -EFBIG;
    bundle->shards = calloc(n_shards + 1, sizeof(*bundle->shards));
    if (!bundle->shards)
        return -ENOMEM;
    bundle->n_shards = (uint32_t)n_shards;
    for (uint32_t i = 0; i < bundle->n_shards; i++)
        bundle->shards[i].file = CONTENTS_NO_FILE;
    for (size_t i = 0; i < bundle->contents->n_files; i++)
        note_shard(bundle, (uint32_t)i);
    return 0;
}

/* BundleHeaderProto. */
static int read_header(struct bundle *bundle, const struct sstable_pair *pair)
{
    struct protobuf rest = protobuf_of(pair->value, pair->value_len);
    struct protobuf_field field;
    uint64_t n_shards = 0;
    int r;
    while ((r = protobuf_next(&rest, &field)) > 0) {
        if (field.number == 1 && field.type == PROTOBUF_VARINT)
            n_shards = field.value;
        if (field.number == 2 && field.type == PROTOBUF_VARINT)
            bundle->is_big_endian = field.value == 1;
    }
    bundle->has_header = true;
    return r < 0 ? r : find_shards(bundle, n_shards);
}

/* TensorShapeProto.Dim. */
static int read_dim(const struct protobuf_field *dim, struct bundle_entry *out)
{
    struct protobuf rest = protobuf_of(dim->data, dim->len);
    struct protobuf_field field;
    uint64_t size = 0;
    int r;
    while ((r = protobuf_next(&rest, &field)) > 0)
        if (field.number == 1 && field.type == PROTOBUF_VARINT)
            size = field.value;
    if (r < 0 || size > INT64_MAX || out->n_dims == TENSOR_MAX_DIMS)
        return -EBADMSG;
    out->shape[out->n_dims++] = size;
    return 0;
}

/* TensorShapeProto. */
static int read_shape(const struct protobuf_field *shape, struct bundle_entry *out)
{
    struct protobuf rest = protobuf_of(shape->data, shape->len);
    struct protobuf_field field;
    int r;
    while ((r = protobuf_next(&rest, &field)) > 0)
        if (field.number == 2 && field.type == PROTOBUF_BYTES && read_dim(&field, out) < 0)
            return -EBADMSG;
    return r;
}

static int read_field(const struct protobuf_field *field, struct bundle_entry *out)
{
    uint64_t *const numbers[] = {
        [1] = &out->dtype, [3] = &out->shard, [4] = &out->offset, [5] = &out->size};
    if (field->type == PROTOBUF_VARINT && field->number < sizeof(numbers) / sizeof(numbers[0]) &&
        numbers[field->number])
        *numbers[field->number] = field->value;
    if (field->type == PROTOBUF_BYTES && field->number == 2)
        return read_shape(field, out);
    if (field->type == PROTOBUF_BYTES && field->number == 7)
        out->is_sliced = true;
    return 0;
}

static int read_entry(const struct sstable_pair *pair, struct bundle_entry *out)
{
    struct protobuf rest = protobuf_of(pair->value, pair->value_len);
    struct protobuf_field field;
    int r;
    *out = (struct bundle_entry){0};
    while ((r = protobuf_next(&rest, &field)) > 0)
        if (read_field(&field, out) < 0)
            return -EBADMSG;
    return r;
}

/* Where the tensor's bytes are: sets file, offset. */
static int place(struct bundle *bundle, const struct bundle_entry *entry, struct tensor *tensor)
{
    uint64_t end;
    if (entry->shard >= bundle->n_shards ||
        __builtin_add_overflow(entry->offset, entry->size, &end))
        return -EBADMSG;
    struct shard *shard = &bundle->shards[entry->shard];
    shard->n_needed = max_u64(shard->n_needed, max_u64(end, 1));
    tensor->file = shard->file;
    if (tensor->dtype && shard->file != CONTENTS_NO_FILE &&
        end <= bundle->contents->files[shard->file].size_bytes)
        tensor->offset = entry->offset;
    return 0;
}

/* Bytes that a partitioned tensor has in all its slices; its own entry does not say. */
static uint64_t whole_bytes(const struct tensor *tensor)
{
    uint64_t n_elements, n_bytes;
    return tensor->dtype && tensor_elements(tensor, &n_elements) &&
                   dtype_size_bytes(tensor->dtype, n_elements, &n_bytes)
               ? n_bytes
               : 0;
}

static int add(struct bundle *bundle, const char *name, const struct bundle_entry *entry)
{
    struct tensor tensor = {
        .name = name,
        .dtype = dtype_of(entry->dtype),
        .shape = entry->shape,
        .n_dims = entry->n_dims,
        .is_big_endian = bundle->is_big_endian,
        .file = CONTENTS_NO_FILE,
        .offset = TENSOR_SCATTERED,
        .n_bytes = entry->size,
    };
    int r = 0;
    if (entry->is_sliced)
        tensor.n_bytes = whole_bytes(&tensor);
    else
        r = place(bundle, entry, &tensor);
    return r < 0 ? r : contents_add(bundle->contents, &tensor);
}

static int take_pair(void *ctx, const struct sstable_pair *pair)
{
    struct bundle *bundle = (struct bundle *)ctx;
    struct bundle_entry entry;
    char name[TENSOR_MAX_NAME_BYTES + 1];
    if (!bundle->has_header)
        return pair->key_len ? -EBADMSG : read_header(bundle, pair);
    if (pair->key[0] == '\0')
        return 0;
    if (pair->key_len >= sizeof(name) || memchr(pair->key, '\0', pair->key_len))
        return -EBADMSG;
    if (pair->key_len > bundle->names_left)
        return -EFBIG;
    bundle->names_left -= pair->key_len;
    memcpy(name, pair->key, pair->key_len);
    name[pair->key_len] = '\0';
    int r = read_entry(pair, &entry);
    return r < 0 ? r : add(bundle, name, &entry);
}

/* Says what shard number @i lacks. */
static int miss(const struct bundle *bundle, uint32_t i)
{
    const struct shard *shard = &bundle->shards[i];
    BUF_CLEANUP struct buf text = {0};
    int r = buf_printf(&text, "%.*s.data-%05u-of-%05u", (int)bundle->prefix_len, bundle->prefix, i,
                       bundle->n_shards);
    if (r == 0 && shard->file != CONTENTS_NO_FILE)
        r = buf_printf(&text, " (%llu of %llu bytes)",
                       (unsigned long long)bundle->contents->files[shard->file].size_bytes,
                       (unsigned long long)shard->n_needed);
    return r < 0 ? r : contents_miss(bundle->contents, text.data);
}

static bool is_whole(const struct bundle *bundle, const struct shard *shard)
{
    return shard->n_needed == 0 ||
           (shard->file != CONTENTS_NO_FILE &&
            shard->n_needed <= bundle->contents->files[shard->file].size_bytes);
}

static int miss_rest(const struct bundle *bundle, uint32_t n)
{
    BUF_CLEANUP struct buf text = {0};
    int r = buf_printf(&text, "%u more shards of %.*s", n, (int)bundle->prefix_len, bundle->prefix);
    return r < 0 ? r : contents_miss(bundle->contents, text.data);
}

static int miss_shards(const struct bundle *bundle)
{
    uint32_t n = 0;
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < bundle->n_shards; i++)
        if (!is_whole(bundle, &bundle->shards[i]) && n++ < BUNDLE_MAX_MISSES)
            r = miss(bundle, i);
    return r == 0 && n > BUNDLE_MAX_MISSES ? miss_rest(bundle, n - BUNDLE_MAX_MISSES) : r;
}

/* Without a header it is some other table. */
static int finish(const struct bundle *bundle)
{
    if (!bundle->has_header)
        return -EBADMSG;
    int r =
        contents_tell(bundle->contents, "tensorflow", "num_shards", json_integer(bundle->n_shards));
    return r < 0 ? r : miss_shards(bundle);
}

/* Whether there is a file `<prefix>.data-..`: without one an index that is no table is some other
 * program's, whatever it is called. */
static bool has_shards(const struct bundle *bundle)
{
    static const char mark[] = ".data-";
    for (size_t i = 0; i < bundle->contents->n_files; i++) {
        const char *path = bundle->contents->files[i].path;
        if (strncmp(path, bundle->prefix, bundle->prefix_len) == 0 &&
            strncmp(path + bundle->prefix_len, mark, strlen(mark)) == 0)
            return true;
    }
    return false;
}

int bundle_parse(void *contents, uint32_t file, struct glimpse *glimpse)
{
    static const char suffix[] = ".index";
    CLEANUP(bundle_deinit) struct bundle bundle = {.contents = (struct contents *)contents};
    size_t n_tensors = bundle.contents->n_tensors;
    bundle.prefix = bundle.contents->files[file].path;
    bundle.prefix_len = strlen(bundle.prefix);
    if (bundle.prefix_len < strlen(suffix) ||
        strcmp(bundle.prefix + bundle.prefix_len - strlen(suffix), suffix) != 0)
        return -EBADMSG;
    bundle.prefix_len -= strlen(suffix);
    bundle.names_left = min_u64(glimpse->size_bytes * NAMES_PER_BYTE, MAX_NAMES_BYTES);
    int r = sstable_each(glimpse, take_pair, &bundle);
    if (r == 0)
        r = finish(&bundle);
    if (r < 0)
        contents_cut(bundle.contents, n_tensors);
    return r == -EBADMSG && !has_shards(&bundle) ? 0 : r;
}
