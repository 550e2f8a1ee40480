/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus gets a bucket for each doubling from a microsecond to a minute: four times fewer than
 * there are, for it keeps a series of each. */
#include "cmd/mount_latency.h"

#include <inttypes.h>

enum { FIRST_EXPONENT = 10, LAST_EXPONENT = 36 };
#define NS_PER_S 1e9

static const char *const kinds[OPS_N_KINDS] = {
    [OPS_LOOKUP] = "lookup",   [OPS_GETATTR] = "getattr", [OPS_READLINK] = "readlink",
    [OPS_OPEN] = "open",       [OPS_OPENDIR] = "opendir", [OPS_READ] = "read",
    [OPS_READDIR] = "readdir", [OPS_XATTR] = "xattr",
};

static const char *const sources[READ_N_SOURCES] = {
    [READ_CACHED] = "cached",
    [READ_JOINED] = "joined",
    [READ_FETCHED] = "fetched",
    [READ_NOWHERE] = "other",
};

static int format_flat(const char *kind, const char *source, const struct histogram *h,
                       struct buf *out)
{
    const char *dash = source ? "_" : "";
    source = source ? source : "";
    int r = buf_printf(out, "latency_%s%s%s_ns %" PRIu64, kind, dash, source, histogram_count(h));
    if (r == 0)
        r = histogram_format(h, out);
    if (r == 0)
        r = buf_printf(out,
                       "\nlatency_%s%s%s_sum_ns %" PRIu64 "\nlatency_%s%s%s_max_ns %" PRIu64 "\n",
                       kind, dash, source, h->sum, kind, dash, source, h->max);
    return r;
}

/* Values below 2^@exponent. */
static uint64_t count_below(const struct histogram *h, unsigned exponent)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < histogram_bucket(UINT64_C(1) << exponent); i++)
        n += h->n[i];
    return n;
}

static int format_prometheus(const char *labels, const struct histogram *h, struct buf *out)
{
    uint64_t n = histogram_count(h);
    int r = 0;
    for (unsigned e = FIRST_EXPONENT; r == 0 && e <= LAST_EXPONENT; e++)
        r = buf_printf(out, "modelfs_latency_seconds_bucket{%s,le=\"%.9f\"} %" PRIu64 "\n", labels,
                       (double)((UINT64_C(1) << e) - 1) / NS_PER_S, count_below(h, e));
    if (r == 0)
        r = buf_printf(out,
                       "modelfs_latency_seconds_bucket{%s,le=\"+Inf\"} %" PRIu64
                       "\nmodelfs_latency_seconds_sum{%s} %.9f"
                       "\nmodelfs_latency_seconds_count{%s} %" PRIu64 "\n",
                       labels, n, labels, (double)h->sum / NS_PER_S, labels, n);
    return r;
}

static int format_one(const char *kind, const char *source, const struct histogram *h,
                      bool prometheus, struct buf *out)
{
    BUF_CLEANUP struct buf labels = {0};
    if (!prometheus)
        return format_flat(kind, source, h, out);
    int r = buf_printf(&labels, "op=\"%s\"", kind);
    if (r == 0 && source)
        r = buf_printf(&labels, ",source=\"%s\"", source);
    return r < 0 ? r : format_prometheus(labels.data, h, out);
}

int mount_latency_format(const struct ops_stats *stats, bool prometheus, struct buf *out)
{
    int r = prometheus ? buf_puts(out, "# TYPE modelfs_latency_seconds histogram\n") : 0;
    for (int i = 0; r == 0 && i < OPS_N_KINDS; i++)
        if (i != OPS_READ)
            r = format_one(kinds[i], NULL, &stats->took[i], prometheus, out);
    for (int i = 0; r == 0 && i < READ_N_SOURCES; i++)
        r = format_one(kinds[OPS_READ], sources[i], &stats->took_read[i], prometheus, out);
    return r;
}
