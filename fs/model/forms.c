/* SPDX-License-Identifier: Apache-2.0 */
#include "model/forms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

const struct form *const forms[] = {
    /* directories */
    &form_mlflow,
    &form_saved_model,
    &form_trainer,
    &form_hugging_face,
    /* files: TensorFlow's first, for it alone knows which `.ckpt` is its own */
    &form_tensorflow,
    &form_lightning,
    &form_torch,
    &form_torch_bin,
    &form_keras,
    &form_hdf5,
    &form_onnx,
    &form_gguf,
    &form_safetensors,
    &form_numpy,
    &form_pickle,
    &form_joblib,
    &form_xgboost,
    &form_lightgbm,
    &form_catboost,
    NULL,
};

static int64_t step_of(const struct form *form, const struct form_file *f, size_t stem_len)
{
    return form->step_digits ? form_step(f->name, stem_len, form->step_digits) : -1;
}

static bool match_ends(const struct form *form, const struct form_file *f, struct form_match *out)
{
    for (const char *const *end = form->ends; *end; end++) {
        if (!form_ends(f->name, f->name_len, *end))
            continue;
        out->stem_len = f->name_len - strlen(*end);
        out->step = step_of(form, f, out->stem_len);
        out->tag = *end;
        return true;
    }
    return false;
}

static bool match_pieces(const struct form *form, const struct form_file *f, struct form_match *out)
{
    struct form_piece piece;
    if (!form_piece_read(form->pieces, f->name, f->name_len, f->size_bytes, &piece))
        return false;
    out->stem_len = piece.stem_len;
    out->step = step_of(form, f, piece.stem_len);
    out->tag = form->pieces->end;
    return true;
}

bool form_match(const struct form *form, const struct form_file *f, const struct form_names *names,
                struct form_match *out)
{
    if (form->match)
        return form->match(f, names, out);
    if (form->ends)
        return match_ends(form, f, out);
    return form->pieces && match_pieces(form, f, out);
}

int form_check_pieces(struct form_group *g, char **out)
{
    CLEANUP(cleanup_free) struct form_piece *pieces = calloc(g->n, sizeof(*pieces));
    size_t n = 0;
    if (!pieces)
        return -ENOMEM;
    for (size_t i = 0; i < g->n; i++) {
        const struct form_file *f = g->files[i];
        n += form_piece_read(g->pieces, f->name, f->name_len, f->size_bytes, &pieces[n]);
    }
    return form_pieces_check(pieces, n, out);
}

int form_missing_bytes(const struct form_group *g, const struct form_file *f, char **out)
{
    if (f->size_bytes)
        return 0;
    if (asprintf(out, "%s (empty)", form_inner_path(g, f)) >= 0)
        return 0;
    *out = NULL;
    return -ENOMEM;
}

int form_check_bytes(struct form_group *g, char **out)
{
    int r = 0;
    for (size_t i = 0; r == 0 && !*out && i < g->n; i++)
        r = form_missing_bytes(g, g->files[i], out);
    return r;
}
