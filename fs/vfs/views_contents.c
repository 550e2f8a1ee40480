/* SPDX-License-Identifier: Apache-2.0 */
/* What a checkpoint's files hold, as a directory: `<name>.npy` for each tensor whose bytes lie in
 * one run, with directories where a name has a `/`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/formats.h"
#include "read/study_contents.h"
#include "util/cleanup.h"
#include "vfs/views.h"

bool views_has_contents(const struct layout *layout, uint32_t checkpoint)
{
    const struct checkpoint *c = &layout->outline.checkpoints.items[checkpoint];
    for (size_t i = 0; i < c->n_files; i++)
        if (format_contents_parser(listing_id(layout->listing, c->files[i])))
            return true;
    return false;
}

struct tensor_item {
    char *path; /* owned */
    uint32_t tensor;
};

static int compare_tensors(const void *a, const void *b)
{
    const struct tensor_item *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : (x->tensor > y->tensor) - (x->tensor < y->tensor);
}

static int add_tensors(struct layout_builder *b, const struct contents *contents,
                       struct tensor_item *items)
{
    size_t n = 0;
    for (size_t i = 0; i < contents->n_tensors; i++) {
        const struct tensor *tensor = &contents->tensors[i];
        if (tensor->offset == TENSOR_SCATTERED)
            continue;
        items[n].tensor = (uint32_t)i;
        if (asprintf(&items[n].path, "%s.npy", tensor->name) < 0) {
            items[n].path = NULL;
            return -ENOMEM;
        }
        n++;
    }
    qsort(items, n, sizeof(*items), compare_tensors);
    for (size_t i = 0; i < n; i++)
        layout_add_window(b, 0, items[i].path, items[i].tensor);
    return 0;
}

int views_build_contents(const struct layout *model, uint32_t checkpoint,
                         struct study_contents *contents, const struct layout_place *place,
                         struct layout **out)
{
    size_t n = contents->contents.n_tensors;
    CLEANUP(cleanup_free) struct tensor_item *items = calloc(n + 1, sizeof(*items));
    struct layout_builder *b = items ? layout_begin(model->listing, place) : NULL;
    if (!b) {
        study_contents_free(contents);
        return -ENOMEM;
    }
    layout_set_contents(b, contents);
    layout_set_mtime(
        b, outline_mtime_ns(&model->outline, &model->outline.checkpoints.items[checkpoint]));
    int r = add_tensors(b, &contents->contents, items);
    struct layout *layout = NULL;
    int ended = layout_end(b, &layout);
    for (size_t i = 0; i < n; i++)
        free(items[i].path);
    if (r == 0 && ended == 0)
        *out = layout;
    else
        layout_unref(layout);
    return r < 0 ? r : ended;
}

bool views_tells_contents(const struct layout *layout, uint32_t node)
{
    int32_t checkpoint = layout_checkpoint(layout, node);
    return layout->nodes[node].ref == VIEW_INFO && checkpoint >= 0 &&
           views_has_contents(layout, (uint32_t)checkpoint);
}
