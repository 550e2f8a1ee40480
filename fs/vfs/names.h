/* SPDX-License-Identifier: Apache-2.0 */
/* A registry's names as directory entries. A name is any bytes; an entry is 1 to 255 bytes without
 * `/` and NUL, and no `.`, `..` or
 * `.modelfs`. Names that are entries already stay as they are. Pure.
 *
 *   bytes that may not be (`/`, control characters, DEL)      %XX
 *   a `%` that two hexadecimal digits follow                   %25
 *   the whole names `.`, `..`, `.modelfs`                      their dots as %2E
 *   the empty name                                             `%`  (and the name `%` becomes %25)
 *   more than 255 bytes                                        the first bytes, `~`, and 16 digits
 *                                                              of the whole name's hash
 *
 * All but the last can be undone by hand, and no two names become one entry. */
#pragma once

#include <stdbool.h>

#include "util/buf.h"

enum { NAME_MAX_BYTES = 255 };

/* Whether @name is an entry already. */
bool name_is_entry(const char *name);

/* Appends the entry of @name to @out. 0 or -ENOMEM. */
int name_to_entry(const char *name, struct buf *out);

/* Appends `<entry>~<id's entry>`, for one of several that would have the same @entry; cut as above.
 * 0 or -ENOMEM. */
int name_twin(const char *entry, const char *id, struct buf *out);
