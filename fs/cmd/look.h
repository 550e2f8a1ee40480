/* SPDX-License-Identifier: Apache-2.0 */
/* A look at a mount's `.modelfs/stats`: its text, read back (pure). What this version does not know
 * is kept or passed over, so that the two may be of different versions. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/histogram.h"

enum {
    LOOK_MAX_FIGURES = 192,
    LOOK_MAX_LATENCIES = 24,
    LOOK_MAX_ORIGINS = 32,
    LOOK_NAME_BYTES = 48,
    LOOK_ORIGIN_BYTES = 264,
};

struct look_figure {
    char name[LOOK_NAME_BYTES];
    uint64_t value;
};

/* How long one kind of request took, in nanoseconds. */
struct look_latency {
    char name[LOOK_NAME_BYTES]; /* `lookup`, `read_cached` */
    struct histogram took;
};

struct look_origin {
    char name[LOOK_ORIGIN_BYTES];                               /* host:port */
    uint64_t rtt_us, connection_bytes_per_s, total_bytes_per_s; /* 0: not known */
};

struct look {
    size_t n_figures, n_latencies, n_origins;
    struct look_figure figures[LOOK_MAX_FIGURES];
    struct look_latency latencies[LOOK_MAX_LATENCIES];
    struct look_origin origins[LOOK_MAX_ORIGINS];
};

/* 0, -EINVAL when it is no such text, or -ENOMEM. */
int look_parse(const char *text, struct look *out);

/* A figure's value; 0 where there is none. */
uint64_t look_get(const struct look *look, const char *name);
/* How much a figure grew since @earlier (NULL: since the mount). */
uint64_t look_grew(const struct look *look, const struct look *earlier, const char *name);
/* What came of one latency since @earlier (NULL: since the mount); zero where there is none. */
void look_latency(const struct look *look, const struct look *earlier, const char *name,
                  struct histogram *out);
