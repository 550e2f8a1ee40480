/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/mount_stats.h"

#include <inttypes.h>

#include "cache/blocks.h"
#include "read/fetch.h"
#include "vfs/ops.h"
#include "vfs/tree.h"

struct figure {
    const char *name;
    bool is_counter; /* only grows; else a gauge */
    uint64_t value;
};

static int format_figure(const struct figure *f, bool prometheus, struct buf *out)
{
    if (!prometheus)
        return buf_printf(out, "%s %" PRIu64 "\n", f->name, f->value);
    return buf_printf(out, "# TYPE modelfs_%s%s %s\nmodelfs_%s%s %" PRIu64 "\n", f->name,
                      f->is_counter ? "_total" : "", f->is_counter ? "counter" : "gauge", f->name,
                      f->is_counter ? "_total" : "", f->value);
}

static int format_all(const struct figure *figures, size_t n, bool prometheus, struct buf *out)
{
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = format_figure(&figures[i], prometheus, out);
    return r;
}

#define FORMAT_ALL(figures, prometheus, out)                                                       \
    format_all(figures, sizeof(figures) / sizeof((figures)[0]), prometheus, out)

static int format_ops(struct ops *ops, bool prometheus, struct buf *out)
{
    struct ops_stats s = {0};
    if (ops)
        ops_get_stats(ops, &s);
    const uint64_t *n = s.n;
    const struct figure figures[] = {
        {"lookups", true, n[OPS_LOOKUP]},     {"getattrs", true, n[OPS_GETATTR]},
        {"readlinks", true, n[OPS_READLINK]}, {"opens", true, n[OPS_OPEN]},
        {"opendirs", true, n[OPS_OPENDIR]},   {"reads", true, n[OPS_READ]},
        {"readdirs", true, n[OPS_READDIR]},   {"xattrs", true, n[OPS_XATTR]},
    };
    return FORMAT_ALL(figures, prometheus, out);
}

static int format_tree(struct tree *tree, bool prometheus, struct buf *out)
{
    struct tree_stats s;
    tree_get_stats(tree, &s);
    const struct figure figures[] = {
        {"inodes", false, s.n_inodes},
        {"listings_fetched", true, s.n_listings_fetched},
        {"listings_failed", true, s.n_listings_failed},
        {"listings_stale_served", true, s.n_stale_served},
    };
    return FORMAT_ALL(figures, prometheus, out);
}

static int format_fetch(struct fetch *fetch, bool prometheus, struct buf *out)
{
    struct fetch_stats s;
    fetch_get_stats(fetch, &s);
    const struct figure figures[] = {
        {"fetch_reads", true, s.n_reads},
        {"fetch_hits", true, s.n_hits},
        {"bytes_asked", true, s.bytes_asked},
        {"bytes_hit", true, s.bytes_hit},
        {"bytes_fetched", true, s.bytes_fetched},
        {"requests", true, s.n_spans},
        {"retries", true, s.n_retries},
        {"failures", true, s.n_failures},
        {"requests_now", false, (uint64_t)s.n_spans_now},
        {"memory_used_bytes", false, s.memory_used_bytes},
        {"memory_limit_bytes", false, s.memory_limit_bytes},
    };
    return FORMAT_ALL(figures, prometheus, out);
}

static int format_blocks(struct blocks *blocks, bool prometheus, struct buf *out)
{
    struct blocks_stats s = {.failed = true};
    if (blocks)
        blocks_get_stats(blocks, &s);
    const struct figure figures[] = {
        {"cache_used_bytes", false, s.used_bytes},
        {"cache_limit_bytes", false, s.limit_bytes},
        {"cache_file_bytes", false, s.file_bytes},
        {"cache_blocks", false, s.n_blocks},
        {"cache_hits", true, s.hits},
        {"cache_misses", true, s.misses},
        {"cache_written_blocks", true, s.written},
        {"cache_dropped_blocks", true, s.dropped_offers},
        {"cache_evicted_blocks", true, s.evicted},
        {"cache_damaged_blocks", true, s.damaged},
        {"cache_works", false, !s.failed},
    };
    return FORMAT_ALL(figures, prometheus, out);
}

int mount_stats_format(const struct mount_stats *stats, bool prometheus, struct buf *out)
{
    int r = format_ops(stats->ops, prometheus, out);
    if (r == 0)
        r = format_tree(stats->tree, prometheus, out);
    if (r == 0)
        r = format_fetch(stats->fetch, prometheus, out);
    if (r == 0)
        r = format_blocks(stats->blocks, prometheus, out);
    return r;
}
