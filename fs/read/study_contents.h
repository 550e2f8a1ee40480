/* SPDX-License-Identifier: Apache-2.0 */
/* What a checkpoint's files hold, found out of them. */
#pragma once

#include "model/checkpoints.h"
#include "model/contents.h"
#include "read/study.h"

struct study_contents {
    struct contents contents;
    struct contents_file *files; /* contents.files; paths are the listing's */
    uint32_t *entries;           /* of each file: the listing's */
};
void study_contents_free(struct study_contents *contents); /* NULL is fine */

/* Is told, maybe before study_contents_begin() returns: the contents, taken over, or NULL and why:
 * -errno of a file that could not be read now. A file that makes no sense is no error: it is among
 * what the contents miss. */
typedef void study_contents_fn(void *ctx, struct study_contents *contents, int err);

/* Looks into the files of @checkpoint whose format is known. @target's entries are not used; it and
 * @checkpoint are borrowed until @done is told. */
void study_contents_begin(const struct study_target *target, const struct checkpoint *checkpoint,
                          study_contents_fn *done, void *ctx);
