/* SPDX-License-Identifier: Apache-2.0 */
/* A number with a name, as a line of `.modelfs/stats` or in Prometheus's text form (pure). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

struct figure {
    const char *name;
    bool is_counter; /* only grows; else a gauge */
    uint64_t value;
};

/* Appends @n figures: `name value` lines, or for Prometheus with their types. 0 or -ENOMEM. */
int figures_format(const struct figure *figures, size_t n, bool prometheus, struct buf *out);
#define FIGURES_FORMAT(figures, prometheus, out)                                                   \
    figures_format(figures, sizeof(figures) / sizeof((figures)[0]), prometheus, out)
