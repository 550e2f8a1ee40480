/* SPDX-License-Identifier: Apache-2.0 */
/* What a trace comes to: how much was read, of what, from where, and how fast. */
#pragma once

#include <stdio.h>

#include "read/trace.h"
#include "util/histogram.h"

enum { TRACE_ENDS = 8 };

struct trace_file {
    char *path;
    uint64_t size_bytes, n_reads, n_bytes;
    uint64_t n_in_sequence;    /* reads that began where one of the last few ended */
    uint64_t ends[TRACE_ENDS]; /* where those did, around; n_reads says how many there are */
};

/* Of one source, or of all. */
struct trace_share {
    uint64_t n_reads, n_bytes;
    struct histogram latencies_us; /* without their sum */
};

/* Start from {0}, end with trace_summary_deinit(). */
struct trace_summary {
    struct trace_file *files;
    size_t n_files, n_allocated;
    size_t n_files_read;
    uint64_t n_lost;
    int64_t ended_us; /* when the last read ended, since the start */
    struct trace_share sources[READ_N_SOURCES], all;
    bool has_end;
};

void trace_summary_deinit(struct trace_summary *summary);

/* Counts a record: a trace_record_fn. 0 or -ENOMEM. */
int trace_summary_add(void *ctx, const struct trace_record *record);

/* How many of a hundred reads of @file began where one of the last few had ended; -1: it was read
 * once at most. */
int trace_file_sequential(const struct trace_file *file);

/* Prints the sums: reads, bytes and files, and a line for each source. 0 or -errno. */
int trace_summary_print(const struct trace_summary *summary, const char *name, FILE *out);
/* A line for each file that was read. 0 or -errno. */
int trace_summary_print_files(const struct trace_summary *summary, FILE *out);
