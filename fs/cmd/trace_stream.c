/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/trace_stream.h"

#include <string.h>

void trace_stream_deinit(struct trace_stream *stream)
{
    trace_coder_deinit(&stream->coder);
    buf_deinit(&stream->rest);
}

int trace_stream_add(struct trace_stream *stream, const void *data, size_t len,
                     trace_record_fn *told, void *ctx)
{
    struct buf *rest = &stream->rest;
    struct trace_record record;
    size_t at = 0, used;
    int r = buf_append(rest, data, len);
    if (r < 0)
        return r;
    while ((r = trace_get(&stream->coder, rest->data + at, rest->len - at, &record, &used)) == 1) {
        at += used;
        stream->n_told_bytes += used;
        r = told(ctx, &record);
        if (r < 0)
            break;
    }
    rest->len -= at;
    memmove(rest->data, rest->data + at, rest->len);
    return r;
}
