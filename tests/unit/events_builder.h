/* SPDX-License-Identifier: Apache-2.0 */
/* Writes TensorFlow's event files: records with right checksums around events. */
#pragma once

#include "model/crc32c.h"
#include "protobuf_builder.h"

static inline void put_record(struct buf *out, const void *data, size_t len)
{
    uint64_t length = htole64(len);
    buf_append(out, &length, sizeof(length));
    put_little(out, crc32c_mask(crc32c(0, &length, sizeof(length))), 4);
    buf_append(out, data, len);
    put_little(out, crc32c_mask(crc32c(0, data, len)), 4);
}

/* An event as a record; @event is emptied. */
static inline void put_event(struct buf *out, struct buf *event)
{
    put_record(out, event->data, event->len);
    buf_deinit(event);
}

/* An event's time and step. */
static inline void begin_event(struct buf *event, double wall_time, int64_t step)
{
    put_double(event, 1, wall_time);
    if (step)
        put_number(event, 2, (uint64_t)step);
}

static inline void put_version(struct buf *out, const char *text)
{
    struct buf event = {0};
    begin_event(&event, 1, 0);
    put_text(&event, 3, text);
    put_event(out, &event);
}

/* A SessionLog with @status: 1 is START. */
static inline void put_session(struct buf *out, int64_t step, uint64_t status)
{
    struct buf event = {0}, log = {0};
    begin_event(&event, 1, step);
    put_number(&log, 1, status);
    put_message(&event, 7, &log);
    put_event(out, &event);
}

/* A value of a summary by simple_value. */
static inline void put_value(struct buf *summary, const char *tag, float number)
{
    struct buf value = {0};
    put_text(&value, 1, tag);
    put_float(&value, 2, number);
    put_message(summary, 1, &value);
}

/* An event with one such value. */
static inline void put_scalar(struct buf *out, int64_t step, const char *tag, float number)
{
    struct buf event = {0}, summary = {0};
    begin_event(&event, 1557442800, step);
    put_value(&summary, tag, number);
    put_message(&event, 5, &summary);
    put_event(out, &event);
}
