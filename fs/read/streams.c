/* SPDX-License-Identifier: Apache-2.0 */
#include "read/streams.h"

#include <stddef.h>

#include "util/minmax.h"

enum {
    ACTIVE_READS = 64
}; /* a stream that was not read in so many reads no longer counts for the share of the rest */
#define LEAST_SLACK_BYTES (UINT64_C(64) << 10)

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* As far as it has read, up to a limit: of random reads many happen to lie near another, and would
 * be taken for a sequence. */
static uint64_t slack_of(const struct stream *stream)
{
    return min_u64(max_u64(stream->run_bytes, LEAST_SLACK_BYTES), STREAMS_SLACK_BYTES);
}

/* Whether a read at @off belongs to @stream: near to where it stands, or within what it read and
 * reads ahead. So several readers that work through a file side by side are one stream. */
static bool takes(const struct stream *stream, uint64_t off)
{
    uint64_t slack = slack_of(stream), back = max_u64(stream->window.bytes, 2 * slack);
    uint64_t first = stream->next > back ? stream->next - back : 0;
    uint64_t last = max_u64(stream->window.ahead_end, stream->next + slack);
    return off + slack >= stream->begin && off >= first && off <= last;
}

/* The stream that stands nearest to @off, of those that take it. */
static struct stream *find(struct streams *s, uint64_t off)
{
    struct stream *best = NULL;
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct stream *stream = &s->items[i];
        if (!stream->used_at || !takes(stream, off))
            continue;
        if (!best || distance(stream->next, off) < distance(best->next, off))
            best = stream;
    }
    return best;
}

static struct stream *replace_oldest(struct streams *s, uint64_t off)
{
    struct stream *oldest = &s->items[0];
    for (size_t i = 1; i < STREAMS_MAX; i++)
        if (s->items[i].used_at < oldest->used_at)
            oldest = &s->items[i];
    *oldest = (struct stream){.begin = off,
                              .next = off,
                              .window = {.ahead_end = off, .least = off ? 0 : WINDOW_FIRST_BYTES}};
    return oldest;
}

static uint64_t n_active(const struct streams *s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < STREAMS_MAX; i++)
        n += s->items[i].used_at && s->clock - s->items[i].used_at < ACTIVE_READS &&
             s->items[i].window.bytes;
    return n ? n : 1;
}

struct window_range streams_note(struct streams *s, uint64_t off, uint64_t len, uint64_t size,
                                 const struct window_limits *limits, struct stream **out_stream)
{
    struct window_range none = {0, 0};
    struct stream *stream = find(s, off);
    bool sequential = stream != NULL || off == 0;
    if (!stream)
        stream = replace_oldest(s, off);
    stream->used_at = ++s->clock;
    stream->run_bytes += len;
    if (off + len > stream->next)
        stream->next = off + len;
    *out_stream = stream;
    if (!sequential)
        return none;
    const struct window_limits share = {limits->max_bytes / n_active(s), limits->range_bytes};
    return window_advance(&stream->window, stream->next, stream->run_bytes, size, &share);
}
