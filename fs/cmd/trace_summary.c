/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/trace_summary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/human.h"
#include "cmd/table.h"

void trace_summary_deinit(struct trace_summary *summary)
{
    for (size_t i = 0; i < summary->n_files; i++)
        free(summary->files[i].path);
    free(summary->files);
    *summary = (struct trace_summary){0};
}

/* --- counting --- */

static int add_file(struct trace_summary *summary, const struct trace_record *record)
{
    if (summary->n_files == summary->n_allocated) {
        size_t n = summary->n_allocated ? summary->n_allocated * 2 : 16;
        struct trace_file *files = reallocarray(summary->files, n, sizeof(*files));
        if (!files)
            return -ENOMEM;
        summary->files = files;
        summary->n_allocated = n;
    }
    char *path = strndup(record->file.path, record->file.path_len);
    if (!path)
        return -ENOMEM;
    summary->files[summary->n_files++] =
        (struct trace_file){.path = path, .size_bytes = record->file.size_bytes};
    return 0;
}

static bool follows(const struct trace_file *file, uint64_t off)
{
    for (size_t i = 0; i < TRACE_ENDS && i < file->n_reads; i++)
        if (file->ends[i] == off)
            return true;
    return false;
}

static void add_share(struct trace_share *share, const struct trace_read *read)
{
    share->n_reads++;
    share->n_bytes += read->got;
    share->latencies_us.n[histogram_bucket(read->took_us)]++;
    if (read->took_us > share->latencies_us.max)
        share->latencies_us.max = read->took_us;
}

static void add_read(struct trace_summary *summary, const struct trace_read *read)
{
    struct trace_file *file = &summary->files[read->file];
    int64_t ended_us;
    if (!__builtin_add_overflow(read->began_us, (int64_t)read->took_us, &ended_us) &&
        ended_us > summary->ended_us)
        summary->ended_us = ended_us;
    summary->n_files_read += file->n_reads == 0;
    file->n_in_sequence += follows(file, read->off);
    file->ends[file->n_reads++ % TRACE_ENDS] = read->off + read->got;
    file->n_bytes += read->got;
    add_share(&summary->sources[read->source], read);
    add_share(&summary->all, read);
}

int trace_summary_add(void *ctx, const struct trace_record *record)
{
    struct trace_summary *summary = ctx;
    if (record->kind == TRACE_FILE)
        return add_file(summary, record);
    if (record->kind == TRACE_READ)
        add_read(summary, &record->read);
    if (record->kind == TRACE_LOST)
        summary->n_lost += record->n_lost;
    summary->has_end |= record->kind == TRACE_END;
    return 0;
}

int trace_file_sequential(const struct trace_file *file)
{
    return file->n_reads < 2 ? -1 : (int)(file->n_in_sequence * 100 / (file->n_reads - 1));
}

/* --- printing --- */

__attribute__((format(printf, 2, 3))) static void add_cell(struct table *table, const char *fmt,
                                                           ...)
{
    char text[48];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    table_add(table, text);
}

static void add_latency(struct table *table, const struct trace_share *share, double q)
{
    char text[HUMAN_BYTES];
    human_latency(histogram_quantile(&share->latencies_us, q) * 1000, text);
    table_add(table, text);
}

static void add_share_row(struct table *table, const char *name, const struct trace_share *share,
                          const struct trace_share *all)
{
    if (!share->n_reads)
        return;
    table_add(table, name);
    add_cell(table, "%" PRIu64, share->n_reads);
    add_cell(table, "%.0f%%", 100 * (double)share->n_reads / (double)all->n_reads);
    table_add_size(table, share->n_bytes);
    add_latency(table, share, 0.5);
    add_latency(table, share, 0.99);
}

static int print_shares(const struct trace_summary *summary, FILE *out)
{
    static const char *const heads[] = {"READS", "SHARE", "BYTES", "P50", "P99"};
    TABLE_CLEANUP struct table *table = table_new();
    if (!table)
        return -ENOMEM;
    table_add_column(table, "SOURCE", TABLE_LEFT);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        table_add_column(table, heads[i], TABLE_RIGHT);
    for (int i = READ_N_SOURCES - 1; i >= 0; i--)
        add_share_row(table, trace_source_name((enum read_source)i), &summary->sources[i],
                      &summary->all);
    add_share_row(table, "all", &summary->all, &summary->all);
    return table_print(table, out);
}

int trace_summary_print(const struct trace_summary *summary, const char *name, FILE *out)
{
    char size[HUMAN_BYTES];
    const struct trace_share *all = &summary->all;
    human_size(all->n_bytes, size);
    fprintf(out, "%s: %" PRIu64 " read%s of %zu file%s, %s, in %.1f s\n", name, all->n_reads,
            all->n_reads == 1 ? "" : "s", summary->n_files_read,
            summary->n_files_read == 1 ? "" : "s", size, (double)summary->ended_us / 1e6);
    if (summary->n_lost)
        fprintf(out, "%" PRIu64 " more were lost: the recorder was too slow\n", summary->n_lost);
    return all->n_reads ? print_shares(summary, out) : 0;
}

int trace_summary_print_files(const struct trace_summary *summary, FILE *out)
{
    static const char *const heads[] = {"SIZE", "READS", "BYTES", "SEQUENTIAL"};
    TABLE_CLEANUP struct table *table = table_new();
    if (!table)
        return -ENOMEM;
    table_add_column(table, "FILE", TABLE_LEFT);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        table_add_column(table, heads[i], TABLE_RIGHT);
    for (size_t i = 0; i < summary->n_files; i++) {
        const struct trace_file *file = &summary->files[i];
        if (!file->n_reads)
            continue;
        table_add(table, file->path);
        table_add_size(table, file->size_bytes);
        add_cell(table, "%" PRIu64, file->n_reads);
        table_add_size(table, file->n_bytes);
        if (file->n_reads < 2)
            table_add(table, "-");
        else
            add_cell(table, "%d%%", trace_file_sequential(file));
    }
    return table_print(table, out);
}
