/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX: a graph, S.onnx, and its weights where they outgrew it, by the names that exporters use:
 * S.onnx.data, S.onnx_data, S.onnx_data_1 and, beside the graph, S.data. Other names only the graph
 * knows. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/forms.h"

static const char END[] = ".onnx";

/* The stem of `S.onnx_data_1`, or 0. */
static size_t numbered_stem(const char *name, size_t len)
{
    size_t n = len;
    while (n > 0 && name[n - 1] >= '0' && name[n - 1] <= '9')
        n--;
    return n < len && form_ends(name, n, ".onnx_data_") ? n - strlen(".onnx_data_") : 0;
}

static bool match(const struct form_file *f, const struct form_names *names, struct form_match *out)
{
    static const char *const ends[] = {END, ".onnx.data", ".onnx_data", NULL};
    size_t len = f->name_len;
    *out = (struct form_match){numbered_stem(f->name, len), -1, END};
    for (size_t i = 0; !out->stem_len && ends[i]; i++)
        if (form_ends(f->name, len, ends[i]))
            out->stem_len = len - strlen(ends[i]);
    if (!out->stem_len && form_ends(f->name, len, ".data") &&
        form_names_has(names, f, len - strlen(".data"), END))
        out->stem_len = len - strlen(".data");
    return out->stem_len > 0;
}

static int check(struct form_group *g, char **out)
{
    bool has_graph = false;
    for (size_t i = 0; i < g->n; i++)
        has_graph |= form_ends(g->files[i]->name, g->files[i]->name_len, END);
    if (has_graph)
        return form_check_bytes(g, out);
    if (asprintf(out, "%.*s%s", (int)g->stem_len, g->stem, END) >= 0)
        return 0;
    *out = NULL;
    return -ENOMEM;
}

const struct form form_onnx = {
    .framework = "ONNX",
    .format = "ONNX",
    .match = match,
    .check = check,
};
