/* SPDX-License-Identifier: Apache-2.0 */
/* A look at a mount's stats, for people: one screen of it, or one line (pure). */
#pragma once

#include "cmd/look.h"
#include "util/buf.h"

struct look_text {
    const char *dir, *source; /* of the mount */
    const struct look *now;
    const struct look
        *before; /* then rates and latencies are those between; NULL: since the mount */
};

/* Appends about 24 lines, with marks of cmd/screen.h. 0 or -ENOMEM. */
int look_text_format(const struct look_text *text, struct buf *out);

/* Appends one line of what came between, under look_line_heading. Needs text->before. 0 or -ENOMEM.
 */
extern const char look_line_heading[];
int look_line_format(const struct look_text *text, struct buf *out);
