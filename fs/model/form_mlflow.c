/* SPDX-License-Identifier: Apache-2.0 */
/* MLflow: a directory with an `MLmodel` is a model in its own format, whatever others it holds. */
#include <string.h>

#include "model/forms.h"

static bool is_mlmodel(const char *name)
{
    return strcmp(name, "MLmodel") == 0;
}

static unsigned mark(const struct form_file *f)
{
    return is_mlmodel(f->name);
}

static int check(struct form_group *g, char **out)
{
    int r = 0;
    for (size_t i = 0; r == 0 && !*out && i < g->n; i++)
        if (is_mlmodel(form_inner_path(g, g->files[i])))
            r = form_missing_bytes(g, g->files[i], out);
    return r;
}

const struct form form_mlflow = {
    .framework = "MLflow",
    .format = "MLflow model",
    .mark = mark,
    .is_tree = true,
    .is_first = true,
    .tag = ".mlflow",
    .check = check,
};
