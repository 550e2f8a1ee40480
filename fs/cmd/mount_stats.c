/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/mount_stats.h"

#include <inttypes.h>
#include <stddef.h>

#include "cache/blocks.h"
#include "cmd/figure.h"
#include "cmd/mount_latency.h"
#include "net/http.h"
#include "read/fetch.h"
#include "read/survey.h"
#include "util/clock.h"
#include "vfs/ops.h"
#include "vfs/tree.h"

static int format_ops(struct ops *ops, bool prometheus, struct buf *out)
{
    struct ops_stats s = {0};
    if (ops)
        ops_get_stats(ops, &s);
    const uint64_t *n = s.n, *answered = s.answered_bytes;
    const struct figure figures[] = {
        {"lookups", true, n[OPS_LOOKUP]},
        {"getattrs", true, n[OPS_GETATTR]},
        {"readlinks", true, n[OPS_READLINK]},
        {"opens", true, n[OPS_OPEN]},
        {"opendirs", true, n[OPS_OPENDIR]},
        {"reads", true, n[OPS_READ]},
        {"readdirs", true, n[OPS_READDIR]},
        {"xattrs", true, n[OPS_XATTR]},
        {"answered_cached_bytes", true, answered[READ_CACHED]},
        {"answered_joined_bytes", true, answered[READ_JOINED]},
        {"answered_fetched_bytes", true, answered[READ_FETCHED]},
        {"answered_other_bytes", true, answered[READ_NOWHERE]},
    };
    int r = FIGURES_FORMAT(figures, prometheus, out);
    return r < 0 ? r : mount_latency_format(&s, prometheus, out);
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
    return FIGURES_FORMAT(figures, prometheus, out);
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
        {"memory_kept_bytes", false, s.memory_kept_bytes},
    };
    return FIGURES_FORMAT(figures, prometheus, out);
}

static int format_survey(struct fetch *fetch, bool prometheus, struct buf *out)
{
    struct survey s;
    int r = survey_take(fetch, &s);
    const struct figure figures[] = {
        {"files_open", false, s.n_files},      {"files_streaming", false, s.n_files_streaming},
        {"streams", false, s.n_streams},       {"window_bytes", false, s.window_bytes},
        {"ahead_bytes", false, s.ahead_bytes},
    };
    return r < 0 ? r : FIGURES_FORMAT(figures, prometheus, out);
}

static int format_http(struct http *http, bool prometheus, struct buf *out)
{
    struct http_stats s;
    http_get_stats(http, &s);
    const struct figure figures[] = {
        {"http_requests", true, s.requests},
        {"http_errors", true, s.errors},
        {"http_bytes", true, s.bytes_received},
        {"connections_opened", true, s.connections_opened},
        {"connections_open", false, (uint64_t)s.connections},
        {"transfers_active", false, (uint64_t)s.active},
        {"transfers_queued", false, (uint64_t)s.queued},
    };
    return FIGURES_FORMAT(figures, prometheus, out);
}

/* One estimate of all origins: behind the number stands whose it is. */
static int format_origins(const struct http_origin_pace *origins, int n, size_t field,
                          const char *name, bool prometheus, struct buf *out)
{
    int r = prometheus ? buf_printf(out, "# TYPE modelfs_%s gauge\n", name) : 0;
    for (int i = 0; r == 0 && i < n; i++) {
        uint64_t value = *(const uint64_t *)((const char *)&origins[i].pace + field);
        if (prometheus)
            r = buf_printf(out, "modelfs_%s{origin=\"%s\"} %" PRIu64 "\n", name, origins[i].name,
                           value);
        else
            r = buf_printf(out, "%s %" PRIu64 " %s\n", name, value, origins[i].name);
    }
    return r;
}

static int format_paces(struct http *http, bool prometheus, struct buf *out)
{
    struct http_origin_pace origins[PACE_ORIGINS];
    int n = http_list_paces(http, origins);
    static const struct {
        const char *name;
        size_t field;
    } fields[] = {
        {"origin_rtt_us", offsetof(struct pace, rtt_us)},
        {"origin_connection_bytes_per_s", offsetof(struct pace, connection_bytes_per_s)},
        {"origin_total_bytes_per_s", offsetof(struct pace, total_bytes_per_s)},
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(fields) / sizeof(fields[0]); i++)
        r = format_origins(origins, n, fields[i].field, fields[i].name, prometheus, out);
    return r;
}

static int format_uptime(uint64_t began_ms, bool prometheus, struct buf *out)
{
    const struct figure figures[] = {{"uptime_ms", false, clock_now_ms() - began_ms}};
    return FIGURES_FORMAT(figures, prometheus, out);
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
        {"cache_pending_bytes", false, s.pending_bytes},
        {"cache_works", false, !s.failed},
    };
    return FIGURES_FORMAT(figures, prometheus, out);
}

int mount_stats_format(const struct mount_stats *stats, bool prometheus, struct buf *out)
{
    int r = format_uptime(stats->began_ms, prometheus, out);
    if (r == 0)
        r = format_ops(stats->ops, prometheus, out);
    if (r == 0)
        r = format_tree(stats->tree, prometheus, out);
    if (r == 0)
        r = format_fetch(stats->fetch, prometheus, out);
    if (r == 0)
        r = format_survey(stats->fetch, prometheus, out);
    if (r == 0)
        r = format_http(stats->http, prometheus, out);
    if (r == 0)
        r = format_paces(stats->http, prometheus, out);
    if (r == 0)
        r = format_blocks(stats->blocks, prometheus, out);
    return r;
}
