/* SPDX-License-Identifier: Apache-2.0 */
/* Which files make a checkpoint, by their names alone. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum checkpoint_kind {
    CHECKPOINT_STEP,   /* weights at a global step of training: `ckpt-<step>` */
    CHECKPOINT_EXPORT, /* a model made for serving: `export-<version>` */
};

struct checkpoint {
    enum checkpoint_kind kind;
    const char *format; /* static: `TensorFlow V2`, `SavedModel`, `ONNX` */
    int64_t step;       /* the step; an export's version where that is a number, else -1 */
    char *name; /* owned: `ckpt-600`, `export-1557442950`; with ~<directory> behind it where two
                   would be the same */
    char *directory;    /* owned: what to cut from its files' paths, with a last `/`; empty for the
                           model's own root */
    char *state_prefix; /* owned: the prefix TensorFlow's state file names (`model.ckpt-600`), or
                           NULL */
    char *missing;      /* owned: the first file that should be there and is not, or NULL when it is
                           complete */
    uint32_t *files;    /* owned: indices into the paths given, ascending */
    size_t n_files;
};

struct checkpoints {
    struct checkpoint *items; /* owned; steps first, ascending, then exports by version and name */
    size_t n;
    uint32_t *rest; /* owned: indices of the files that belong to none */
    size_t n_rest;
};

/* Finds the checkpoints among @paths (fewer than 2^32; a registry's file names, any bytes, no
 * order). Each file belongs to one checkpoint at most. 0 or -ENOMEM. */
int checkpoints_find(const char *const *paths, size_t n, struct checkpoints *out);
void checkpoints_deinit(struct checkpoints *c);

/* The newest complete one: the highest step, an export only where there is no complete step. NULL
 * when there is none. */
const struct checkpoint *checkpoints_latest(const struct checkpoints *c);

/* Where a file stands in its checkpoint's own directory (borrowed from @path). */
const char *checkpoint_inner_path(const struct checkpoint *c, const char *path);
