/* SPDX-License-Identifier: Apache-2.0 */
/* Events are walked through where they lie in the file, field by field, so that what is large is
 * stepped over and never read: graphs, images, histograms. A record is gone through twice, first
 * for the event's own numbers, which may stand anywhere in it, and a large one once more before, so
 * that all that it needs is here before any row of it is added.
 *
 * Between calls the glimpse keeps the place of the next record, and what TensorBoard carries along:
 * whether the file's version has sessions, and the last step of one that has not. */
#include "model/tfevents.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "model/crc32c.h"
#include "model/event_scalar.h"
#include "model/history.h"
#include "model/long_message.h"
#include "model/protobuf.h"
#include "util/buf.h"
#include "util/minmax.h"

enum {
    HEAD_BYTES = 12, /* of a record: its length, the length's checksum */
    TAIL_BYTES = 4,  /* the data's checksum */
    FIRST_VERSION_WITH_SESSIONS = 2,
    /* What was gone through is moved out of the way when that much is here, not at each record. */
    MAX_HELD_BYTES = 2 * TFEVENTS_CHUNK_BYTES,
    SESSION_START = 1,
};
/* glimpse->taken_state */
enum { STATE_HAS_SESSIONS, STATE_HAS_STEP, STATE_STEP };

struct event {
    int64_t step, wall_ns;
    bool has_summary, is_start, goes_back;
    bool has_version;
    double version;
};

struct reader {
    struct history *history;
    struct glimpse *glimpse;
    uint32_t file;
    struct buf session, tag;
    struct event event;
    bool is_dry; /* asks for what it needs, adds nothing */
};

static void reader_deinit(struct reader *reader)
{
    buf_deinit(&reader->session);
    buf_deinit(&reader->tag);
}

static const uint8_t *bytes_of(struct reader *reader, struct long_message span)
{
    return glimpse_ask(reader->glimpse, span.at, span.end - span.at, TFEVENTS_JUMP_BYTES);
}

/* SessionLog. */
static int read_session_log(struct reader *reader, struct long_message bytes)
{
    struct long_field field;
    int r;
    while ((r = long_message_next(reader->glimpse, &bytes, &field)) > 0)
        if (field.number == 1 && field.type == PROTOBUF_VARINT)
            reader->event.is_start = field.value == SESSION_START;
    return r;
}

/* `brain.Event:2`; what is no number there counts as an old version. */
static int read_version(struct reader *reader, struct long_message bytes)
{
    static const char prefix[] = "brain.Event:";
    char text[32] = "";
    size_t len = (size_t)(bytes.end - bytes.at);
    if (len >= sizeof(text))
        return 0;
    const uint8_t *at = bytes_of(reader, bytes);
    if (!at)
        return glimpse_error(reader->glimpse);
    memcpy(text, at, len);
    if (strncmp(text, prefix, strlen(prefix)) == 0) {
        reader->event.has_version = true;
        reader->event.version = strtod(text + strlen(prefix), NULL);
    }
    return 0;
}

static int64_t wall_ns(uint64_t bits)
{
    double seconds = protobuf_double(&(struct protobuf_field){.value = bits});
    return seconds > 0 && seconds < 9e9 ? (int64_t)(seconds * 1e9) : 0;
}

static int read_event_field(struct reader *reader, const struct long_field *field)
{
    struct event *event = &reader->event;
    if (field->type == PROTOBUF_FIXED64 && field->number == 1)
        event->wall_ns = wall_ns(field->value);
    if (field->type == PROTOBUF_VARINT && field->number == 2)
        event->step = (int64_t)field->value;
    if (field->type != PROTOBUF_BYTES)
        return 0;
    if (field->number == 5)
        event->has_summary = true;
    if (field->number == 3)
        return read_version(reader, field->bytes);
    return field->number == 7 ? read_session_log(reader, field->bytes) : 0;
}

/* The event's own numbers. */
static int read_event(struct reader *reader, struct long_message record)
{
    struct long_field field;
    int r;
    reader->event = (struct event){0};
    while ((r = long_message_next(reader->glimpse, &record, &field)) > 0) {
        r = read_event_field(reader, &field);
        if (r < 0)
            return r;
    }
    return r;
}

static int add_row(struct reader *reader, const struct event_scalar *scalar)
{
    const struct event *event = &reader->event;
    if (!scalar->tag_len || memchr(scalar->tag, '\0', scalar->tag_len) || event->step < 0)
        return 0;
    reader->tag.len = 0;
    int r = buf_append(&reader->tag, scalar->tag, scalar->tag_len);
    if (r < 0)
        return r;
    return history_add(reader->history, &(struct history_row){.name = reader->tag.data,
                                                              .session = reader->session.data,
                                                              .step = event->step,
                                                              .wall_ns = event->wall_ns,
                                                              .value = scalar->number,
                                                              .file = reader->file,
                                                              .goes_back = event->goes_back});
}

/* A value of a summary. One that is no message is passed over; so is a large one. */
static int take_value(struct reader *reader, struct long_message bytes)
{
    struct event_scalar scalar;
    if (bytes.end - bytes.at > TFEVENTS_WHOLE_BYTES)
        return 0;
    const uint8_t *at = bytes_of(reader, bytes);
    if (!at)
        return glimpse_error(reader->glimpse);
    if (reader->is_dry || !event_scalar_read(at, (size_t)(bytes.end - bytes.at), &scalar))
        return 0;
    return add_row(reader, &scalar);
}

/* Every message that is field @number of @message. */
static int each_part(struct reader *reader, struct long_message message, uint32_t number,
                     int (*fn)(struct reader *reader, struct long_message bytes))
{
    struct long_field field;
    int r;
    while ((r = long_message_next(reader->glimpse, &message, &field)) > 0) {
        if (field.number != number || field.type != PROTOBUF_BYTES)
            continue;
        r = fn(reader, field.bytes);
        if (r < 0)
            return r;
    }
    return r;
}

static int take_summary(struct reader *reader, struct long_message bytes)
{
    return each_part(reader, bytes, 1, take_value);
}

static int take_summaries(struct reader *reader, struct long_message record)
{
    return each_part(reader, record, 5, take_summary);
}

/* An event of an old file (_CheckForOutOfOrderStepAndMaybePurge()): one with a summary whose step
 * is less than the last one's goes back; every other one becomes the last. A file's first counts as
 * one that goes back: behind another file it may, and else there is nothing to void. */
static void note_step(uint64_t *state, struct event *event)
{
    bool is_less = !state[STATE_HAS_STEP] || event->step < (int64_t)state[STATE_STEP];
    event->goes_back = event->has_summary && is_less;
    if (!event->goes_back || !state[STATE_HAS_STEP])
        state[STATE_STEP] = (uint64_t)event->step;
    state[STATE_HAS_STEP] = 1;
}

/* What TensorBoard's _MaybePurgeOrphanedData() finds. */
static int note_restart(struct reader *reader)
{
    uint64_t *state = reader->glimpse->taken_state;
    struct event *event = &reader->event;
    if (event->has_version)
        state[STATE_HAS_SESSIONS] = event->version >= FIRST_VERSION_WITH_SESSIONS;
    if (!state[STATE_HAS_SESSIONS])
        note_step(state, event);
    else if (event->is_start)
        return history_add(reader->history, &(struct history_row){.session = reader->session.data,
                                                                  .step = event->step,
                                                                  .wall_ns = event->wall_ns,
                                                                  .file = reader->file});
    return 0;
}

/* Takes what a record holds. 0, also where it is no event; -EAGAIN before anything was taken. */
static int take_record(struct reader *reader, struct long_message record)
{
    bool is_large = record.end - record.at > TFEVENTS_WHOLE_BYTES;
    int r = read_event(reader, record);
    for (int dry = is_large; r == 0 && dry >= 0; dry--) {
        reader->is_dry = dry;
        if (!dry)
            r = note_restart(reader);
        if (r == 0)
            r = take_summaries(reader, record);
    }
    return r == -EBADMSG || r == -EFBIG ? 0 : r;
}

static uint32_t read_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

static uint64_t read_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return le64toh(value);
}

/* The @n bytes at @at of the record there. What lies before goes now and then. */
static const uint8_t *ask(struct reader *reader, uint64_t at, uint64_t n, bool is_jump)
{
    uint64_t guess = is_jump ? TFEVENTS_JUMP_BYTES : TFEVENTS_CHUNK_BYTES;
    if (reader->glimpse->held_bytes > MAX_HELD_BYTES)
        glimpse_drop(reader->glimpse, at);
    const uint8_t *bytes = glimpse_ask(reader->glimpse, at, n, guess);
    if (!bytes)
        glimpse_drop(reader->glimpse, at);
    return bytes;
}

/* The length of the data of the record at @at: 1, 0 when the file ends there; -EAGAIN. */
static int record_length(struct reader *reader, uint64_t at, bool is_jump, uint64_t *out)
{
    uint64_t left = reader->glimpse->size_bytes - at;
    if (left < HEAD_BYTES + TAIL_BYTES)
        return 0;
    const uint8_t *head = ask(reader, at, HEAD_BYTES, is_jump);
    if (!head)
        return glimpse_error(reader->glimpse);
    *out = read_u64(head);
    return crc32c_mask(crc32c(0, head, sizeof(*out))) == read_u32(head + sizeof(*out)) &&
           *out <= left - HEAD_BYTES - TAIL_BYTES;
}

/* Takes the record at @at, of @len bytes: 1, 0 when its checksum is wrong; negative. */
static int take_checked(struct reader *reader, uint64_t at, uint64_t len, bool is_jump)
{
    const uint8_t *head = ask(reader, at, HEAD_BYTES + len + TAIL_BYTES, is_jump);
    if (!head)
        return glimpse_error(reader->glimpse);
    const uint8_t *data = head + HEAD_BYTES;
    if (crc32c_mask(crc32c(0, data, len)) != read_u32(data + len))
        return 0;
    int r = take_record(reader, (struct long_message){at + HEAD_BYTES, at + HEAD_BYTES + len});
    return r < 0 ? r : 1;
}

/* Goes on to the next record: 1, 0 at the end of the file, negative. */
static int next_record(struct reader *reader, bool *is_jump)
{
    uint64_t *place = &reader->glimpse->taken_bytes, at = *place, len = 0;
    int r = record_length(reader, at, *is_jump, &len);
    if (r <= 0)
        return r;
    if (len <= TFEVENTS_WHOLE_BYTES)
        r = take_checked(reader, at, len, *is_jump);
    else if (len <= TFEVENTS_WALKED_BYTES)
        r = take_record(reader, (struct long_message){at + HEAD_BYTES, at + HEAD_BYTES + len});
    *is_jump = len > TFEVENTS_WHOLE_BYTES;
    if (r >= 0 && (r > 0 || *is_jump))
        *place = at + HEAD_BYTES + len + TAIL_BYTES;
    return r == 0 && *is_jump ? 1 : r;
}

int tfevents_parse(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    CLEANUP(reader_deinit)
    struct reader reader = {.history = (struct history *)ctx, .glimpse = glimpse, .file = file};
    const char *path = reader.history->files[file].path, *slash = strrchr(path, '/');
    bool is_jump = glimpse->taken_bytes == 0;
    int r = buf_append(&reader.session, path, slash ? (size_t)(slash - path) : 0);
    if (r == 0)
        r = buf_reserve(&reader.session, 1);
    if (r < 0)
        return r;
    do
        r = next_record(&reader, &is_jump);
    while (r > 0);
    return r;
}
