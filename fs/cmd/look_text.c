/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/look_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/human.h"
#include "cmd/screen.h"
#include "cmd/table.h"

/* The rows of the table: a latency, its label, and the bytes that go with it. */
static const struct row {
    const char *latency, *label, *bytes;
} rows[] = {
    {"lookup", "lookup", NULL},
    {"getattr", "getattr", NULL},
    {"readlink", "readlink", NULL},
    {"open", "open", NULL},
    {"opendir", "opendir", NULL},
    {"readdir", "readdir", NULL},
    {"xattr", "xattr", NULL},
    {"read_cached", "read, block cache", "answered_cached_bytes"},
    {"read_joined", "read, in flight", "answered_joined_bytes"},
    {"read_fetched", "read, network", "answered_fetched_bytes"},
    {"read_other", "read, other", "answered_other_bytes"},
};

/* Sizes as texts, each good until so many others were made. */
enum { N_TEXTS = 8 };

static const char *size_text(uint64_t bytes)
{
    static _Thread_local char texts[N_TEXTS][HUMAN_BYTES];
    static _Thread_local unsigned next;
    char *text = texts[next++ % N_TEXTS];
    human_size(bytes, text);
    return text;
}

static uint64_t interval_ms(const struct look_text *t)
{
    uint64_t ms = look_grew(t->now, t->before, "uptime_ms");
    return ms ? ms : 1;
}

static uint64_t get(const struct look_text *t, const char *name)
{
    return look_get(t->now, name);
}

static uint64_t grew(const struct look_text *t, const char *name)
{
    return look_grew(t->now, t->before, name);
}

/* What a count is shown as: in all, or a second. */
static uint64_t amount(const struct look_text *t, uint64_t grown)
{
    return t->before ? (uint64_t)((double)grown * 1000 / (double)interval_ms(t)) : grown;
}

/* --- the table of requests --- */

/* Bytes that were read, but for texts made here. */
static uint64_t read_bytes(const struct look_text *t)
{
    return grew(t, "answered_cached_bytes") + grew(t, "answered_joined_bytes") +
           grew(t, "answered_fetched_bytes");
}

static void add_count(struct table *table, const struct look_text *t, uint64_t n)
{
    char text[HUMAN_BYTES];
    if (t->before)
        human_rate((double)n * 1000 / (double)interval_ms(t), text);
    else
        snprintf(text, sizeof(text), "%" PRIu64, n);
    table_add(table, text);
}

static void add_latencies(struct table *table, const struct histogram *took)
{
    static const double quantiles[] = {0.5, 0.9, 0.99, 1};
    char text[HUMAN_BYTES];
    bool is_empty = histogram_count(took) == 0;
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
        human_latency(histogram_quantile(took, quantiles[i]), text);
        table_add(table, is_empty ? NULL : text);
    }
}

static void add_bytes(struct table *table, const struct look_text *t, const char *name)
{
    char share[HUMAN_BYTES];
    uint64_t bytes = name ? grew(t, name) : 0, all = read_bytes(t);
    bool has_share = name && all && strcmp(name, "answered_other_bytes") != 0;
    if (name)
        table_add_size(table, amount(t, bytes));
    else
        table_add(table, NULL);
    snprintf(share, sizeof(share), "%.0f%%", all ? 100 * (double)bytes / (double)all : 0);
    table_add(table, has_share ? share : NULL);
}

/* A row that never had anything in it is left out. */
static void add_row(struct table *table, const struct look_text *t, const struct row *row)
{
    struct histogram all, took;
    look_latency(t->now, NULL, row->latency, &all);
    if (!histogram_count(&all))
        return;
    look_latency(t->now, t->before, row->latency, &took);
    table_add(table, row->label);
    add_count(table, t, histogram_count(&took));
    add_latencies(table, &took);
    add_bytes(table, t, row->bytes);
}

/* As wide as what they usually hold, so that a live screen does not waver. */
static void add_columns(struct table *table, const struct look_text *t)
{
    char span[HUMAN_BYTES] = "since the mount  ";
    if (t->before)
        snprintf(span, sizeof(span), "the last %.1f s   ", (double)interval_ms(t) / 1000);
    table_add_column(table, span, TABLE_LEFT);
    table_add_column(table, t->before ? "      /s" : "  number", TABLE_RIGHT);
    table_add_column(table, "   p50", TABLE_RIGHT);
    table_add_column(table, "   p90", TABLE_RIGHT);
    table_add_column(table, "   p99", TABLE_RIGHT);
    table_add_column(table, "   max", TABLE_RIGHT);
    table_add_column(table, t->before ? "  bytes/s" : "    bytes", TABLE_RIGHT);
    table_add_column(table, "share", TABLE_RIGHT);
}

static int append_table(const struct look_text *t, struct buf *out)
{
    TABLE_CLEANUP struct table *table = table_new();
    BUF_CLEANUP struct buf text = {0};
    if (!table)
        return -ENOMEM;
    add_columns(table, t);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        add_row(table, t, &rows[i]);
    int r = table_format(table, &text);
    size_t heading = r == 0 ? strcspn(text.data, "\n") : 0;
    if (r == 0)
        r = buf_printf(out, SCREEN_BOLD "%.*s" SCREEN_NORMAL "%s\n", (int)heading, text.data,
                       text.data + heading);
    return r;
}

/* --- the lines below it --- */

/* A line with its label. */
__attribute__((format(printf, 3, 4))) static int line(struct buf *out, const char *label,
                                                      const char *fmt, ...)
{
    va_list args;
    int r = buf_printf(out, SCREEN_BOLD "%-11s" SCREEN_NORMAL "  ", label);
    va_start(args, fmt);
    if (r == 0)
        r = buf_vprintf(out, fmt, args);
    va_end(args);
    return r < 0 ? r : buf_putc(out, '\n');
}

/* Marks around what should not happen and did. */
static const char *alarm_on(uint64_t n)
{
    return n ? SCREEN_RED : "";
}

static const char *alarm_off(uint64_t n)
{
    return n ? SCREEN_NORMAL : "";
}

static int append_read_ahead(const struct look_text *t, struct buf *out)
{
    int r = line(out, "read-ahead",
                 "in %" PRIu64 " of %" PRIu64 " open files: %" PRIu64
                 " streams, %s ahead, windows of %s",
                 get(t, "files_streaming"), get(t, "files_open"), get(t, "streams"),
                 size_text(get(t, "ahead_bytes")), size_text(get(t, "window_bytes")));
    if (r < 0)
        return r;
    return line(out, "memory", "%s of %s in use, %s kept for reuse",
                size_text(get(t, "memory_used_bytes")), size_text(get(t, "memory_limit_bytes")),
                size_text(get(t, "memory_kept_bytes")));
}

static int append_network(const struct look_text *t, struct buf *out)
{
    const char *per = t->before ? "/s" : "";
    uint64_t asked = grew(t, "bytes_asked"), fetched = grew(t, "bytes_fetched");
    uint64_t failures = get(t, "failures");
    double ratio = asked ? (double)fetched / (double)asked : 0;
    int r =
        line(out, "network",
             "%s%s fetched for %s%s asked (%.2f), %" PRIu64 " retries, %s%" PRIu64 " failures%s",
             size_text(amount(t, fetched)), per, size_text(amount(t, asked)), per, ratio,
             get(t, "retries"), alarm_on(failures), failures, alarm_off(failures));
    if (r < 0)
        return r;
    return line(out, "connections",
                "%" PRIu64 " open, %" PRIu64 " busy, %" PRIu64 " requests queued; %" PRIu64
                " requests so far",
                get(t, "connections_open"), get(t, "transfers_active"), get(t, "transfers_queued"),
                get(t, "http_requests"));
}

static int append_origins(const struct look_text *t, struct buf *out)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < t->now->n_origins; i++) {
        const struct look_origin *o = &t->now->origins[i];
        char rtt[HUMAN_BYTES];
        human_latency(o->rtt_us * 1000, rtt);
        r = buf_printf(out, "  %s  %s away, %s/s a connection, %s/s in all\n", o->name, rtt,
                       size_text(o->connection_bytes_per_s), size_text(o->total_bytes_per_s));
    }
    return r;
}

static int append_cache(const struct look_text *t, struct buf *out)
{
    uint64_t damaged = get(t, "cache_damaged_blocks"), limit = get(t, "cache_limit_bytes");
    if (!get(t, "cache_works"))
        return line(out, "cache", SCREEN_RED "%s" SCREEN_NORMAL,
                    limit ? "it does not work: the log says why" : "none");
    int r = line(out, "cache", "%s of %s, %s pending; %" PRIu64 " hits, %" PRIu64 " misses",
                 size_text(get(t, "cache_used_bytes")), size_text(limit),
                 size_text(get(t, "cache_pending_bytes")), get(t, "cache_hits"),
                 get(t, "cache_misses"));
    if (r < 0)
        return r;
    return line(out, "",
                "%" PRIu64 " blocks; %" PRIu64 " written, %" PRIu64 " evicted, %" PRIu64
                " dropped, %s%" PRIu64 " damaged%s",
                get(t, "cache_blocks"), get(t, "cache_written_blocks"),
                get(t, "cache_evicted_blocks"), get(t, "cache_dropped_blocks"), alarm_on(damaged),
                damaged, alarm_off(damaged));
}

static int append_listings(const struct look_text *t, struct buf *out)
{
    uint64_t failed = get(t, "listings_failed");
    return line(out, "listings",
                "%" PRIu64 " fetched, %s%" PRIu64 " failed%s, %" PRIu64 " stale ones used; %" PRIu64
                " inodes",
                get(t, "listings_fetched"), alarm_on(failed), failed, alarm_off(failed),
                get(t, "listings_stale_served"), get(t, "inodes"));
}

/* --- all of it --- */

/* Text from elsewhere, fit for a terminal. */
static int append_clean(const char *text, struct buf *out)
{
    int r = 0;
    for (; r == 0 && *text; text++)
        r = buf_putc(out, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
    return r;
}

/* What may be long comes last. */
static int append_title(const struct look_text *t, struct buf *out)
{
    char up[HUMAN_BYTES];
    human_duration(get(t, "uptime_ms") / 1000, up);
    int r = buf_printf(out, "up %s  " SCREEN_BOLD, up);
    if (r == 0)
        r = append_clean(t->dir, out);
    if (r == 0)
        r = buf_puts(out, SCREEN_NORMAL "  ");
    if (r == 0)
        r = append_clean(t->source, out);
    return r < 0 ? r : buf_puts(out, "\n\n");
}

int look_text_format(const struct look_text *text, struct buf *out)
{
    static int (*const parts[])(const struct look_text *t, struct buf *out) = {
        append_title,   append_table, append_read_ahead, append_network,
        append_origins, append_cache, append_listings,
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
        r = parts[i](text, out);
    return r;
}

/* --- one line --- */

const char look_line_heading[] =
    "   reads/s       cache/s   in flight/s     network/s   hit     p50     p99     fetched/s\n";

/* All reads of files together. */
static void merge_reads(const struct look_text *t, struct histogram *out)
{
    static const char *const names[] = {"read_cached", "read_joined", "read_fetched"};
    struct histogram one;
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        look_latency(t->now, t->before, names[i], &one);
        histogram_merge(out, &one);
    }
}

int look_line_format(const struct look_text *t, struct buf *out)
{
    char per_s[HUMAN_BYTES], hit[HUMAN_BYTES] = "-", p50[HUMAN_BYTES] = "-", p99[HUMAN_BYTES] = "-";
    struct histogram reads;
    merge_reads(t, &reads);
    uint64_t n = histogram_count(&reads), bytes = read_bytes(t);
    uint64_t cached = grew(t, "answered_cached_bytes");
    human_rate((double)n * 1000 / (double)interval_ms(t), per_s);
    if (bytes)
        snprintf(hit, sizeof(hit), "%.0f%%", 100 * (double)cached / (double)bytes);
    if (n) {
        human_latency(histogram_quantile(&reads, 0.5), p50);
        human_latency(histogram_quantile(&reads, 0.99), p99);
    }
    return buf_printf(out, "%10s  %12s  %12s  %12s  %4s  %6s  %6s  %12s\n", per_s,
                      size_text(amount(t, cached)),
                      size_text(amount(t, grew(t, "answered_joined_bytes"))),
                      size_text(amount(t, grew(t, "answered_fetched_bytes"))), hit, p50, p99,
                      size_text(amount(t, grew(t, "bytes_fetched"))));
}
