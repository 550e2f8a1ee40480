/* SPDX-License-Identifier: Apache-2.0 */
/* Which files make a checkpoint, by their names and sizes, and by what some say of others. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/reference.h"

enum checkpoint_kind {
    CHECKPOINT_STEP,   /* weights at a step of training: `ckpt-<step>` */
    CHECKPOINT_EXPORT, /* a model made for use: `export-<version>`, `export-<name>` */
};

struct checkpoint_file {
    const char *path; /* within the model, any bytes; borrowed */
    uint64_t size_bytes;
};

struct checkpoint {
    enum checkpoint_kind kind;
    const char *framework; /* static: `TensorFlow`, `PyTorch`, `Hugging Face`, `ONNX`, ... */
    const char *format;    /* static: `TensorFlow V2`, `SavedModel`, `Trainer checkpoint`, ... */
    int64_t step;          /* the step; an export's version where its name is a number, else -1 */
    char *name;         /* owned: `ckpt-600`, `export-1557442950`; with ~<path> behind it where two
                   would be the same: `ckpt-5~run/m-5`, `export-m~m.onnx` beside `m.pt` */
    char *directory;    /* owned: what to cut from its files' paths, with a last `/`; empty for the
                           model's own root */
    char *state_prefix; /* owned: the prefix TensorFlow's state file names (`model.ckpt-600`), or
                           NULL */
    char *missing;      /* owned: the first thing that should be there and is not, for people:
                           `m-5.index`, `m.pt (empty)`; NULL when it is complete */
    uint32_t *files;    /* owned: indices into the files given, ascending */
    size_t n_files;
};

struct checkpoints {
    struct checkpoint *items; /* owned; steps first, ascending, then exports by version and name */
    size_t n;
    uint32_t *rest; /* owned: indices of the files that belong to none */
    size_t n_rest;
};

/* Finds the checkpoints among @files (fewer than 2^32, in no order), by the forms of model/forms.h.
 * Each file belongs to one checkpoint at most. 0 or -ENOMEM. */
int checkpoints_find(const struct checkpoint_file *files, size_t n, struct checkpoints *out);
/* The same where files tell of others: one that names give to no checkpoint belongs to that of the
 * first file that refers to it, if it is within that one's directory. */
int checkpoints_find_referred(const struct checkpoint_file *files, size_t n,
                              const struct reference *references, size_t n_references,
                              struct checkpoints *out);
void checkpoints_deinit(struct checkpoints *c);

/* The newest complete one: that which TensorFlow's state file names by @state_prefix_path, its
 * directory and prefix as a path within the model (NULL: not known); else the highest step, an
 * export only where there is no complete step. NULL when there is none. */
const struct checkpoint *checkpoints_latest(const struct checkpoints *c,
                                            const char *state_prefix_path);

/* Where a file stands in its checkpoint's own directory (borrowed from @path). */
const char *checkpoint_inner_path(const struct checkpoint *c, const char *path);
