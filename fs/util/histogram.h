/* SPDX-License-Identifier: Apache-2.0 */
/* How values are spread: counted in buckets, four for each doubling, so that a quantile is told to
 * a quarter. Adding costs a few relaxed atomics and takes no lock. Pure. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "util/buf.h"

enum {
    HISTOGRAM_PARTS = 4,     /* buckets a doubling; a power of two */
    HISTOGRAM_BUCKETS = 152, /* up to 2^39: nine minutes in nanoseconds; the last takes the rest */
};

struct histogram {
    uint64_t n[HISTOGRAM_BUCKETS];
    uint64_t sum, max; /* of the values */
};

/* One that grows; starts from {0}. Any thread may add and load. */
struct histogram_meter {
    atomic_uint_fast64_t n[HISTOGRAM_BUCKETS];
    atomic_uint_fast64_t sum, max;
};

void histogram_add(struct histogram_meter *meter, uint64_t value);
/* What was added so far. Values that are being added right now may be in some of it only. */
void histogram_load(struct histogram_meter *meter, struct histogram *out);

/* The bucket of a value; and the first value behind a bucket. */
unsigned histogram_bucket(uint64_t value);
uint64_t histogram_bound(unsigned bucket);

uint64_t histogram_count(const struct histogram *h);

/* A value that @q (0 to 1) of all values do not exceed: up to a quarter too large, never above the
 * largest one. 0 when there are none. */
uint64_t histogram_quantile(const struct histogram *h, double q);

/* Adds @other to @h. */
void histogram_merge(struct histogram *h, const struct histogram *other);
/* Takes from @h what was in it earlier: what stays is what came since. The largest value is then
 * known to a quarter only. */
void histogram_subtract(struct histogram *h, const struct histogram *earlier);

/* Appends ` bound:n` for each bucket with something in it: n values below that bound. 0 or
 * -ENOMEM. */
int histogram_format(const struct histogram *h, struct buf *out);
/* Adds to @h what histogram_format() wrote, not sum and max. 0, or -EINVAL. */
int histogram_parse(const char *text, struct histogram *h);
