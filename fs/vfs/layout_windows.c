/* SPDX-License-Identifier: Apache-2.0 */
#include "model/npy.h"
#include "read/study_contents.h"
#include "vfs/layout.h"

static const struct tensor *tensor_of(const struct layout *layout, uint32_t node)
{
    return &layout->contents->contents.tensors[layout->nodes[node].ref];
}

uint64_t layout_window_bytes(const struct layout *layout, uint32_t node)
{
    const struct tensor *tensor = tensor_of(layout, node);
    return tensor->n_bytes + (tensor->npy_bytes ? tensor->npy_bytes : npy_header_bytes(tensor));
}

/* npz members have a header of their own, which stands right before the tensor. */
int layout_window(const struct layout *layout, uint32_t node, struct layout_window *out)
{
    const struct tensor *tensor = tensor_of(layout, node);
    out->entry = layout->contents->entries[tensor->file];
    out->offset = tensor->offset - tensor->npy_bytes;
    out->size_bytes = tensor->n_bytes + tensor->npy_bytes;
    return tensor->npy_bytes ? 0 : npy_format_header(tensor, &out->head);
}
