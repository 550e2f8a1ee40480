/* SPDX-License-Identifier: Apache-2.0 */
/* Values below HISTOGRAM_PARTS have a bucket each; above, a bucket is told by the position of the
 * highest bit and the two bits below it:
 *
 *     value      0  1  2  3  4  5  6  7  8-9  10-11  12-13  14-15  16-19 ...
 *     bucket     0  1  2  3  4  5  6  7  8    9      10     11     12    ...
 */
#include "util/histogram.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { PART_BITS = 2 };
_Static_assert(1 << PART_BITS == HISTOGRAM_PARTS, "the bits below the highest");

unsigned histogram_bucket(uint64_t value)
{
    if (value < HISTOGRAM_PARTS)
        return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - PART_BITS;
    unsigned bucket = (shift << PART_BITS) + (unsigned)(value >> shift);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

uint64_t histogram_bound(unsigned bucket)
{
    if (bucket < HISTOGRAM_PARTS)
        return bucket + 1;
    unsigned shift = (bucket >> PART_BITS) - 1;
    uint64_t first = HISTOGRAM_PARTS + bucket % HISTOGRAM_PARTS;
    return (first + 1) << shift;
}

static void raise_max(atomic_uint_fast64_t *max, uint64_t value)
{
    uint_fast64_t seen = atomic_load_explicit(max, memory_order_relaxed);
    while (seen < value && !atomic_compare_exchange_weak_explicit(
                               max, &seen, value, memory_order_relaxed, memory_order_relaxed))
        continue;
}

void histogram_add(struct histogram_meter *meter, uint64_t value)
{
    atomic_fetch_add_explicit(&meter->n[histogram_bucket(value)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&meter->sum, value, memory_order_relaxed);
    raise_max(&meter->max, value);
}

void histogram_load(struct histogram_meter *meter, struct histogram *out)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        out->n[i] = atomic_load_explicit(&meter->n[i], memory_order_relaxed);
    out->sum = atomic_load_explicit(&meter->sum, memory_order_relaxed);
    out->max = atomic_load_explicit(&meter->max, memory_order_relaxed);
}

uint64_t histogram_count(const struct histogram *h)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        n += h->n[i];
    return n;
}

/* The largest value of a bucket, as far as that is known. */
static uint64_t largest_of(const struct histogram *h, unsigned bucket)
{
    uint64_t most = histogram_bound(bucket) - 1;
    return most < h->max && bucket < HISTOGRAM_BUCKETS - 1 ? most : h->max;
}

uint64_t histogram_quantile(const struct histogram *h, double q)
{
    uint64_t n = histogram_count(h), passed = 0;
    double rank = q * (double)n;
    unsigned last = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (!h->n[i])
            continue;
        last = i;
        passed += h->n[i];
        if ((double)passed >= rank)
            break;
    }
    return n ? largest_of(h, last) : 0;
}

void histogram_merge(struct histogram *h, const struct histogram *other)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        h->n[i] += other->n[i];
    h->sum += other->sum;
    h->max = h->max > other->max ? h->max : other->max;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

void histogram_subtract(struct histogram *h, const struct histogram *earlier)
{
    unsigned last = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        h->n[i] = less(h->n[i], earlier->n[i]);
        if (h->n[i])
            last = i;
    }
    h->sum = less(h->sum, earlier->sum);
    h->max = h->n[last] ? largest_of(h, last) : 0;
}

int histogram_format(const struct histogram *h, struct buf *out)
{
    int r = 0;
    for (unsigned i = 0; r == 0 && i < HISTOGRAM_BUCKETS; i++)
        if (h->n[i])
            r = buf_printf(out, " %" PRIu64 ":%" PRIu64, histogram_bound(i), h->n[i]);
    return r;
}

/* `bound:n`; moves *text behind the number. */
static int parse_pair(const char **text, uint64_t *out_bound, uint64_t *out_n)
{
    char *end;
    if (**text < '0' || **text > '9')
        return -EINVAL;
    *out_bound = strtoull(*text, &end, 10);
    if (*end != ':' || end[1] < '0' || end[1] > '9' || !*out_bound)
        return -EINVAL;
    *out_n = strtoull(end + 1, &end, 10);
    *text = end;
    return 0;
}

int histogram_parse(const char *text, struct histogram *h)
{
    uint64_t bound, n;
    for (;;) {
        while (*text == ' ')
            text++;
        if (*text == '\0')
            return 0;
        if (parse_pair(&text, &bound, &n) < 0)
            return -EINVAL;
        h->n[histogram_bucket(bound - 1)] += n;
    }
}
