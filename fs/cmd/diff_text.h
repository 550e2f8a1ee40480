/* SPDX-License-Identifier: Apache-2.0 */
/* What `modelfs diff` prints (pure). */
#pragma once

#include "util/buf.h"
#include "util/json.h"

/* Appends what facts_diff() and, where they were compared, values (cmd/diff_values.h) make of two
 * checkpoints, with marks of cmd/screen.h. 0 or -ENOMEM. */
int diff_text_format(const json_t *diff, struct buf *out);
