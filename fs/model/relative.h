/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that a file's content says, seen from the file's directory. Pure. */
#pragma once

#include "util/buf.h"

/* Writes to @out, which is empty, where @name leads to from the directory of the file at @from:
 * `x`, `./x`, `sub/../x`. 0; 1 when that is above the top, absolute, or no file's place;
 * -ENOMEM. */
int relative_resolve(const char *from, const char *name, struct buf *out);
