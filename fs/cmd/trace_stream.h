/* SPDX-License-Identifier: Apache-2.0 */
/* A trace as it comes, in pieces of any size, told record by record. */
#pragma once

#include "read/trace.h"

/* Embedded by value: start from {0}, end with trace_stream_deinit(). */
struct trace_stream {
    struct trace_coder coder;
    struct buf rest; /* the begin of a record that is not whole yet */
    uint64_t n_told_bytes;
};

void trace_stream_deinit(struct trace_stream *stream);

/* Is told of each record; 0 to go on, or -errno. */
typedef int trace_record_fn(void *ctx, const struct trace_record *record);

/* Takes the next @len bytes. 0; -EPROTO: from the byte stream->n_told_bytes on it is no trace;
 * -ENOMEM; or what @told returned. */
int trace_stream_add(struct trace_stream *stream, const void *data, size_t len,
                     trace_record_fn *told, void *ctx);
