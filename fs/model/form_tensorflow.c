/* SPDX-License-Identifier: Apache-2.0 */
/* TensorFlow: checkpoints as tf.train.Saver and tf.train.Checkpoint write them, and SavedModel.
 *
 *   V2   P.index, P.data-00000-of-00001, P.meta   P is `model.ckpt-600`, `ckpt-3`; without a step
 *                                                 (`model.ckpt`, `variables`) it is an export
 *   V1   P, P.meta                                one file: `model.ckpt-600`, or `model.ckpt` where
 *                                                 a `.meta` says that it is TensorFlow's */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/forms.h"
#include "util/cleanup.h"

static const char CKPT[] = ".ckpt";

static bool has_weights(const struct form_file *f, const struct form_names *names, size_t stem_len)
{
    return form_names_begin(names, f, stem_len, ".data-");
}

/* An index without a step may be of anything: it counts beside its data, or by a name of its own.
 */
static bool is_index(const struct form_file *f, const struct form_names *names, size_t stem_len)
{
    return form_dashed_step(f->name, stem_len) >= 0 || form_ends(f->name, stem_len, CKPT) ||
           has_weights(f, names, stem_len);
}

static bool is_meta(const struct form_file *f, const struct form_names *names, size_t stem_len)
{
    return form_dashed_step(f->name, stem_len) >= 0 || has_weights(f, names, stem_len) ||
           (form_ends(f->name, stem_len, CKPT) && (form_names_has(names, f, stem_len, "") ||
                                                   form_names_has(names, f, stem_len, ".index")));
}

/* The one file of V1: `P.ckpt-<step>`, or `P.ckpt` beside what others do not have. */
static bool is_v1(const struct form_file *f, const struct form_names *names)
{
    size_t len = f->name_len, stem = len;
    while (stem > 0 && f->name[stem - 1] >= '0' && f->name[stem - 1] <= '9')
        stem--;
    if (stem < len && stem > 0 && f->name[stem - 1] == '-')
        return form_number(f->name + stem, len - stem) >= 0 && form_ends(f->name, stem - 1, CKPT);
    return form_ends(f->name, len, CKPT) &&
           (form_names_has(names, f, len, ".meta") || form_names_has(names, f, len, ".index") ||
            has_weights(f, names, len));
}

static size_t stem_of(const struct form_file *f, const struct form_names *names)
{
    struct form_piece piece;
    size_t len = f->name_len, meta = len - strlen(".meta");
    if (form_piece_read(&form_style_tensorflow, f->name, len, f->size_bytes, &piece))
        return piece.kind == FORM_PIECE_SHARD || is_index(f, names, piece.stem_len) ? piece.stem_len
                                                                                    : 0;
    if (form_ends(f->name, len, ".meta"))
        return is_meta(f, names, meta) ? meta : 0;
    return is_v1(f, names) ? len : 0;
}

static bool match(const struct form_file *f, const struct form_names *names, struct form_match *out)
{
    out->stem_len = stem_of(f, names);
    out->step = form_dashed_step(f->name, out->stem_len);
    out->tag = "";
    return out->stem_len > 0;
}

/* The one file of V1 in a group, or NULL. */
static const struct form_file *find_v1(const struct form_group *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->files[i]->name_len == g->stem_len)
            return g->files[i];
    return NULL;
}

static bool has_only_v1(const struct form_group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct form_file *f = g->files[i];
        if (f->name_len != g->stem_len && !form_ends(f->name, f->name_len, ".meta"))
            return false;
    }
    return true;
}

/* A `.meta` alone lacks its index. */
static int check_v2(const struct form_group *g, char **out)
{
    CLEANUP(cleanup_free) struct form_piece *pieces = calloc(g->n + 1, sizeof(*pieces));
    size_t n = 1;
    if (!pieces)
        return -ENOMEM;
    pieces[0] = (struct form_piece){
        .style = &form_style_tensorflow, .stem = g->stem, .stem_len = g->stem_len};
    for (size_t i = 0; i < g->n; i++) {
        const struct form_file *f = g->files[i];
        n += form_piece_read(&form_style_tensorflow, f->name, f->name_len, f->size_bytes,
                             &pieces[n]);
    }
    return form_pieces_check(pieces, n, out);
}

static int check(struct form_group *g, char **out)
{
    const struct form_file *v1 = find_v1(g);
    if (!v1 || !has_only_v1(g))
        return check_v2(g, out);
    g->format = "TensorFlow V1";
    return form_missing_bytes(g, v1, out);
}

const struct form form_tensorflow = {
    .framework = "TensorFlow",
    .format = "TensorFlow V2",
    .match = match,
    .check = check,
};

/* --- SavedModel: D/saved_model.pb, D/variables/, D/assets/, ... --- */

static bool is_saved_model(const char *name)
{
    return strcmp(name, "saved_model.pb") == 0 || strcmp(name, "saved_model.pbtxt") == 0;
}

static unsigned mark_saved_model(const struct form_file *f)
{
    return is_saved_model(f->name);
}

/* At the root, only what SavedModel itself writes is part of it. */
static bool is_in_root(const char *path)
{
    static const char *const parts[] = {"saved_model.pb",    "saved_model.pbtxt", "fingerprint.pb",
                                        "keras_metadata.pb", "variables/",        "assets/",
                                        "assets.extra/"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t n = strlen(parts[i]);
        if (strncmp(path, parts[i], n) == 0 && (parts[i][n - 1] == '/' || path[n] == '\0'))
            return true;
    }
    return false;
}

static const char VARIABLES[] = "variables/variables";

/* The pieces in `variables/`; what is there and none of them says that there should be some. */
static size_t read_variables(const struct form_group *g, struct form_piece *pieces)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        const char *inner = form_inner_path(g, g->files[i]);
        if (!form_begins(inner, strlen(inner), "variables/"))
            continue;
        bool is_piece = form_piece_read(&form_style_tensorflow, inner, strlen(inner),
                                        g->files[i]->size_bytes, &pieces[n]) &&
                        pieces[n].stem_len == strlen(VARIABLES) &&
                        form_begins(inner, strlen(inner), VARIABLES);
        if (!is_piece)
            pieces[n] = (struct form_piece){
                .style = &form_style_tensorflow, .stem = VARIABLES, .stem_len = strlen(VARIABLES)};
        n++;
    }
    return n;
}

/* One without variables is whole; one with half of them is not. */
static int check_saved_model(struct form_group *g, char **out)
{
    CLEANUP(cleanup_free) struct form_piece *pieces = calloc(g->n, sizeof(*pieces));
    int r = pieces ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && !*out && i < g->n; i++)
        if (is_saved_model(form_inner_path(g, g->files[i])))
            r = form_missing_bytes(g, g->files[i], out);
    return r < 0 || *out ? r : form_pieces_check(pieces, read_variables(g, pieces), out);
}

const struct form form_saved_model = {
    .framework = "TensorFlow",
    .format = "SavedModel",
    .mark = mark_saved_model,
    .is_tree = true,
    .tag = ".saved_model",
    .is_in_root = is_in_root,
    .check = check_saved_model,
};
