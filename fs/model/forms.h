/* SPDX-License-Identifier: Apache-2.0 */
/* What a form of checkpoint is: an entry of a table. form_X.c has those of one framework; a new form
 * is such an entry, its line in forms.c, and a case table in the tests. Pure.
 *
 * Files of a form of files are recognised one by one: those of one directory, stem and tag make a
 * checkpoint. A form of directories is recognised by marks that files leave on the directory they
 * stand in, and takes the files of it. */
#pragma once

#include "model/form_names.h"
#include "model/form_pieces.h"

/* What a form says of one file. */
struct form_match {
    size_t stem_len; /* of the file's name */
    int64_t step;    /* of training, or -1: then it is an export */
    const char *tag; /* static: tells checkpoints of one stem apart, `.pt` */
};

/* The files of one checkpoint, in the order of the listing. */
struct form_group {
    const struct form_file *const *files;
    size_t n;
    const char *stem; /* not ended by NUL */
    size_t stem_len;
    size_t directory_len;            /* of each path: the checkpoint's own directory */
    const struct form_style *pieces; /* the form's */
    const char *format;              /* the form's; a check may set another */
};

struct form {
    const char *framework, *format; /* static, for people */

    /* --- a form of files; the first in the table that matches a file has it --- */
    const char *const *ends;         /* NULL at the end: each such file is a checkpoint */
    const struct form_style *pieces; /* or: such weights, and their shards */
    bool (*match)(const struct form_file *f, const struct form_names *names,
                  struct form_match *out); /* or: what this says */
    size_t step_digits; /* of ends and pieces: least_digits of form_step(); 0: names tell no step */
    bool is_guest;      /* exports of it belong to a model directory that they stand in */

    /* --- a form of directories --- */
    unsigned (*mark)(const struct form_file *f); /* bits, together of all files in a directory */
    bool (*is_marked)(unsigned marks);           /* NULL: by any bit */
    bool is_tree;    /* takes all that is below; else what is right in it and no other form's */
    bool is_first;   /* takes even trees around and below it */
    const char *tag; /* as form_match.tag */
    int64_t (*directory_step)(const char *last, size_t len); /* of its last part; NULL: an export */
    const char *(*root_stem)(unsigned marks); /* its name at the model's root; NULL: `model` */
    bool (*is_in_root)(
        const char *path); /* what it takes of the model's root; NULL: as elsewhere */

    /* What a checkpoint lacks, as a new text; *out stays NULL when nothing does. NULL: only bytes
     * can lack. 0 or -ENOMEM. */
    int (*check)(struct form_group *g, char **out);
};

extern const struct form form_mlflow, form_saved_model, form_trainer, form_hugging_face;
extern const struct form form_tensorflow, form_lightning, form_torch, form_torch_bin;
extern const struct form form_keras, form_hdf5, form_onnx, form_gguf, form_safetensors;
extern const struct form form_numpy, form_pickle, form_joblib;
extern const struct form form_xgboost, form_lightgbm, form_catboost;

/* All of them, in the order in which they are asked; ended by NULL. */
extern const struct form *const forms[];

/* The match of a form of files, by its ends, its pieces or its own word. */
bool form_match(const struct form *form, const struct form_file *f, const struct form_names *names,
                struct form_match *out);

/* Checks that there are such. */
/* By the group's pieces. */
int form_check_pieces(struct form_group *g, char **out);
/* That no file is empty: `m.pt (empty)`. */
int form_check_bytes(struct form_group *g, char **out);
/* The same of one file; 0 or -ENOMEM. */
int form_missing_bytes(const struct form_group *g, const struct form_file *f, char **out);

/* Where a file stands in its checkpoint's own directory. */
static inline const char *form_inner_path(const struct form_group *g, const struct form_file *f)
{
    return f->path + g->directory_len;
}
