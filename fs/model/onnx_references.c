/* SPDX-License-Identifier: Apache-2.0 */
/* As model/onnx.c walks: until all is here, and then once more to keep what there is. */
#include "model/onnx_references.h"

#include <errno.h>
#include <stdlib.h>

#include "model/history.h"
#include "model/onnx_tensor.h"
#include "model/relative.h"
#include "util/buf.h"
#include "util/cleanup.h"

enum { MODEL_GRAPH = 7, GRAPH_INITIALIZER = 5 };

struct walk {
    struct history *history;
    uint32_t file;
    struct wire wire;
    bool keeps; /* this walk is the last */
    bool is_over;
    uint32_t n_own, n_outside;
    struct onnx_tensor tensor; /* the one being read */
};

static int keep(const struct walk *walk)
{
    BUF_CLEANUP struct buf path = {0};
    const char *own = walk->history->files[walk->file].path;
    int r = relative_resolve(own, walk->tensor.location, &path);
    return r == 0 ? history_refer(walk->history, own, path.data) : r < 0 ? r : 0;
}

static int take_initializer(struct walk *walk, struct long_message message)
{
    const struct onnx_tensor *tensor = &walk->tensor;
    int r = onnx_tensor_read(&walk->wire, message, &walk->tensor);
    if (r < 0)
        return r;
    walk->n_outside += tensor->is_external;
    walk->n_own += tensor->data.end - tensor->data.at >= WIRE_WINDOW_BYTES;
    walk->is_over = !walk->n_outside && walk->n_own >= ONNX_REFERENCES_MAX_OWN;
    return tensor->is_external && walk->keeps ? keep(walk) : 0;
}

static int walk_graph(struct walk *walk, struct long_message graph)
{
    struct long_field field;
    int r = 0;
    while (!walk->is_over && (r = wire_next(&walk->wire, &graph, &field)) == 1) {
        if (field.number == GRAPH_INITIALIZER)
            r = field.type == PROTOBUF_BYTES ? take_initializer(walk, field.bytes) : -EBADMSG;
        if (r < 0)
            return r;
    }
    return r < 0 ? r : 0;
}

static int walk_model(struct walk *walk)
{
    struct long_message model = {0, walk->wire.glimpse->size_bytes};
    struct long_field field;
    int r = 0;
    while (!walk->is_over && (r = wire_next(&walk->wire, &model, &field)) == 1) {
        if (field.number == MODEL_GRAPH)
            r = field.type == PROTOBUF_BYTES ? walk_graph(walk, field.bytes) : -EBADMSG;
        if (r < 0)
            return r;
    }
    return r < 0 ? r : 0;
}

static int run(struct history *history, uint32_t file, struct glimpse *glimpse, bool keeps)
{
    CLEANUP(cleanup_free) struct walk *walk = calloc(1, sizeof(*walk));
    if (!walk)
        return -ENOMEM;
    walk->history = history;
    walk->file = file;
    walk->wire = wire_of(glimpse);
    walk->keeps = keeps;
    return walk_model(walk);
}

int onnx_references_parse(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    struct history *history = (struct history *)ctx;
    size_t n = history->n_references;
    if (file >= history->n_files)
        return -EBADMSG;
    int r = run(history, file, glimpse, false);
    if (r == -EAGAIN && ++glimpse->taken_state[0] > ONNX_REFERENCES_MAX_ROUNDS)
        return -EFBIG;
    if (r == 0)
        r = run(history, file, glimpse, true);
    if (r < 0)
        history->n_references = n;
    return r;
}
