/* SPDX-License-Identifier: Apache-2.0 */
/* Which directories of a model are checkpoints, and in which of them each file lies. Pure; its time
 * is that of sorting, however deep the paths are. */
#pragma once

#include "model/forms.h"

/* A directory that is a checkpoint of a form of directories. */
struct form_claim {
    const struct form *form;
    const char
        *path; /* the directory is path[0..len), with its last `/`; empty: the model's root */
    size_t len;
    const char *stem; /* its name: its last part; not ended by NUL */
    size_t stem_len;
    int64_t step; /* of training, or -1: then it is an export */
    unsigned marks;
    const struct form_claim *around, *tree; /* the sweep's own: the next one around it, and which of
                                               those around and itself has all that is below */
};

struct form_claims {
    struct form_claim *items; /* owned, sorted by directory, then as in the table */
    size_t n;
    const struct form_claim **of; /* owned: of each file where it lies, or NULL */
};

/* @files in the order of the listing, and the names of the same files; both outlive the claims.
 *
 * A file lies in the outermost tree around it, those of an is_first form before others; else right
 * in the directory of another form: then it is that one's only where no form of files wants it. 0
 * or -ENOMEM. */
int form_claims_init(struct form_claims *c, const struct form_file *files, size_t n,
                     const struct form_names *names);
void form_claims_deinit(struct form_claims *c);
