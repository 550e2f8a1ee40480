/* SPDX-License-Identifier: Apache-2.0 */
/* The file is walked until all that is needed of it is here (what each walk finds is thrown away),
 * and then once more, to keep it: nothing is added to the contents by a walk that must be done
 * again. raw_data is jumped over. The graph's fields stand in the order of their numbers as a rule
 * (nodes, then initializers, then inputs), but need not. */
#include "model/onnx.h"

#include <errno.h>
#include <string.h>

#include "model/contents.h"
#include "model/onnx_facts.h"
#include "model/onnx_tensor.h"
#include "util/buf.h"
#include "util/json.h"
#include "util/minmax.h"

enum {
    MODEL_GRAPH = 7,
    GRAPH_INITIALIZER = 5,
    GRAPH_SPARSE = 15,
    /* Files with weights that lack something are told of by name, so many at most. */
    MAX_LACKING = 256,
    /* Of all walks through a file together: one with many holes in it, each a round, is small. */
    MAX_FIELDS = 1 << 26,
};

/* A file of weights that is not there, or too short. */
struct lacking {
    char location[ONNX_MAX_LOCATION_BYTES + 1];
    const char *why; /* static; NULL: size_bytes are not need_bytes */
    bool is_named;   /* location is one within the checkpoint */
    uint64_t size_bytes, need_bytes;
};

struct onnx {
    struct contents *contents;
    uint32_t file;
    struct wire wire;
    bool keeps; /* this walk is the last */
    bool has_graph;
    struct onnx_facts facts;   /* filled by the last walk */
    json_t *weights;           /* owned: {name: true} */
    struct buf lacking;        /* struct lacking, each location once */
    struct onnx_tensor tensor; /* the one being read */
};

static void onnx_deinit(struct onnx *onnx)
{
    onnx_facts_deinit(&onnx->facts);
    json_decref(onnx->weights);
    buf_deinit(&onnx->lacking);
}

static size_t n_lacking(const struct onnx *onnx)
{
    return onnx->lacking.len / sizeof(struct lacking);
}

/* Whether @location leads out of the checkpoint, seen from the directory of the file at @path. */
static bool escapes(const char *path, const char *location)
{
    size_t depth = 0;
    for (; *path; path++)
        depth += *path == '/';
    if (*location == '/')
        return true;
    while (*location) {
        size_t len = strcspn(location, "/");
        bool goes_up = len == 2 && memcmp(location, "..", 2) == 0;
        if (goes_up && depth-- == 0)
            return true;
        depth += len && !goes_up && !(len == 1 && *location == '.');
        location += len + (location[len] == '/');
    }
    return false;
}

static bool is_refused(const struct onnx *onnx)
{
    return escapes(onnx->contents->files[onnx->file].path, onnx->tensor.location);
}

/* Notes that the tensor's file lacks something: of one that is too short, how far it would have to
 * go for all tensors. */
static int note_lacking(struct onnx *onnx, const char *why, uint64_t size_bytes,
                        uint64_t need_bytes)
{
    struct lacking *known = (struct lacking *)(void *)onnx->lacking.data;
    for (size_t i = 0; i < n_lacking(onnx); i++)
        if (strcmp(known[i].location, onnx->tensor.location) == 0) {
            known[i].need_bytes = max_u64(known[i].need_bytes, need_bytes);
            return 0;
        }
    if (n_lacking(onnx) == MAX_LACKING)
        return 0;
    struct lacking fresh = {.why = why, .size_bytes = size_bytes, .need_bytes = need_bytes};
    strcpy(fresh.location, onnx->tensor.location);
    fresh.is_named = *fresh.location && !is_refused(onnx);
    return buf_append(&onnx->lacking, &fresh, sizeof(fresh));
}

/* Of @path, with the last `/`. */
static size_t directory_bytes(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* By the paths within the checkpoint, where they are such. */
static int tell_lacking(struct onnx *onnx)
{
    const char *path = onnx->contents->files[onnx->file].path;
    const struct lacking *lacking = (const struct lacking *)(const void *)onnx->lacking.data;
    for (size_t i = 0; i < n_lacking(onnx); i++) {
        BUF_CLEANUP struct buf text = {0};
        size_t base = lacking[i].is_named ? directory_bytes(path) : 0;
        int r = buf_append(&text, path, base);
        if (r == 0)
            r = buf_puts(&text, lacking[i].location);
        if (r == 0 && lacking[i].why)
            r = buf_puts(&text, lacking[i].why);
        else if (r == 0)
            r = buf_printf(&text, " (%llu of %llu bytes)",
                           (unsigned long long)lacking[i].size_bytes,
                           (unsigned long long)lacking[i].need_bytes);
        if (r < 0 || (r = contents_miss(onnx->contents, text.data)) < 0)
            return r;
    }
    return 0;
}

/* Finds the bytes of a tensor in another file; where they are not there, it stays scattered. */
static int place_external(struct onnx *onnx, struct tensor *out)
{
    const struct onnx_tensor *from = &onnx->tensor;
    const struct contents *contents = onnx->contents;
    uint64_t end, len = from->len == UINT64_MAX ? out->n_bytes : from->len;
    out->n_bytes = out->dtype ? out->n_bytes : len;
    if (is_refused(onnx))
        return note_lacking(onnx, " (outside of the checkpoint: refused)", 0, 0);
    uint32_t file = contents_find(contents, onnx->file, from->location);
    if (file == CONTENTS_NO_FILE)
        return note_lacking(onnx, *from->location ? "" : "external data without a location", 0, 0);
    if (!out->dtype || __builtin_add_overflow(from->offset, max_u64(len, out->n_bytes), &end))
        return 0;
    if (end > contents->files[file].size_bytes)
        return note_lacking(onnx, NULL, contents->files[file].size_bytes, end);
    if (len != out->n_bytes)
        return -EBADMSG;
    out->file = file;
    out->offset = from->offset;
    return 0;
}

/* Where a tensor's bytes are, and how many. */
static int place(struct onnx *onnx, struct tensor *out)
{
    const struct onnx_tensor *from = &onnx->tensor;
    uint64_t n_elements, data_bytes = from->data.end - from->data.at;
    if (!tensor_elements(out, &n_elements))
        return -EBADMSG;
    /* An odd number of 4-bit elements is rounded up, which no window can say. */
    bool has_size = out->dtype && dtype_size_bytes(out->dtype, n_elements, &out->n_bytes);
    if (!has_size)
        out->n_bytes = data_bytes + from->n_typed_bytes;
    if (from->is_external && has_size)
        return place_external(onnx, out);
    if (!has_size || from->is_typed || (!from->has_data && n_elements))
        return 0;
    if (data_bytes != out->n_bytes)
        return -EBADMSG;
    out->offset = from->has_data ? from->data.at : 0;
    return 0;
}

/* Nobody can ask for a weight without a name; exporters make none. */
static int keep_tensor(struct onnx *onnx)
{
    const struct onnx_tensor *from = &onnx->tensor;
    struct tensor tensor = {
        .name = from->name,
        .dtype = onnx_dtype_of(from->type).dtype,
        .shape = from->shape,
        .n_dims = from->n_dims,
        .file = onnx->file,
        .offset = TENSOR_SCATTERED,
    };
    JSON_CLEANUP json_t *name = json_new_text(from->name);
    if (!name || json_object_set_nocheck(onnx->weights, json_string_value(name), name) < 0)
        return -ENOMEM;
    int r = *from->name ? place(onnx, &tensor) : 0;
    return r < 0 || !*from->name ? r : contents_add(onnx->contents, &tensor);
}

static int walk_graph(struct onnx *onnx, struct long_message graph)
{
    struct long_field field;
    int r;
    while ((r = wire_next(&onnx->wire, &graph, &field)) == 1) {
        bool is_sparse = field.number == GRAPH_SPARSE;
        bool is_tensor = is_sparse || field.number == GRAPH_INITIALIZER;
        if (is_tensor && field.type != PROTOBUF_BYTES)
            return -EBADMSG;
        if (!is_tensor)
            r = onnx_facts_take_graph(&onnx->facts, &onnx->wire, &field);
        else if (is_sparse)
            r = onnx_tensor_read_sparse(&onnx->wire, field.bytes, &onnx->tensor);
        else
            r = onnx_tensor_read(&onnx->wire, field.bytes, &onnx->tensor);
        if (r == 0 && is_tensor && onnx->keeps)
            r = keep_tensor(onnx);
        if (r < 0)
            return r;
    }
    return r;
}

static int walk(struct onnx *onnx)
{
    struct long_message model = {0, onnx->wire.glimpse->size_bytes};
    struct long_field field;
    int r;
    while ((r = wire_next(&onnx->wire, &model, &field)) == 1) {
        if (field.number != MODEL_GRAPH)
            r = onnx_facts_take_model(&onnx->facts, &onnx->wire, &field);
        else if (field.type == PROTOBUF_BYTES)
            r = walk_graph(onnx, field.bytes);
        else
            r = -EBADMSG;
        if (r < 0)
            return r;
        onnx->has_graph |= field.number == MODEL_GRAPH;
    }
    return r < 0 || onnx->has_graph ? r : -EBADMSG;
}

/* One walk, with the tensors and facts of nothing but itself. */
static int run(struct contents *contents, uint32_t file, struct glimpse *glimpse, bool keeps)
{
    CLEANUP(cleanup_free) struct onnx *onnx = calloc(1, sizeof(*onnx));
    if (!onnx)
        return -ENOMEM;
    onnx->contents = contents;
    onnx->file = file;
    onnx->wire = wire_of(glimpse);
    onnx->keeps = keeps;
    onnx->weights = json_object();
    int r = onnx_facts_init(&onnx->facts);
    if (r == 0 && onnx->weights)
        r = walk(onnx);
    else
        r = -ENOMEM;
    if (r == 0 && keeps)
        r = onnx_facts_tell(&onnx->facts, onnx->weights, contents);
    if (r == 0 && keeps)
        r = tell_lacking(onnx);
    glimpse->taken_bytes += onnx->wire.n_fields;
    if (r == -EAGAIN && glimpse->taken_bytes > MAX_FIELDS)
        r = -EFBIG;
    onnx_deinit(onnx);
    return r;
}

int onnx_parse(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    struct contents *contents = ctx;
    size_t n_tensors = contents->n_tensors;
    if (file >= contents->n_files)
        return -EBADMSG;
    int r = run(contents, file, glimpse, false);
    if (r == 0)
        r = run(contents, file, glimpse, true);
    if (r < 0)
        contents_cut(contents, n_tensors);
    return r;
}
