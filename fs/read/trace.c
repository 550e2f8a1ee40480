/* SPDX-License-Identifier: Apache-2.0 */
/* The coder's state moves when a record is whole, and not before: an append that finds no memory,
 * and bytes that end within a record, change nothing and can be tried again. */
#include "read/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    KIND_FILE,
    KIND_READ,
    KIND_LOST,
    KIND_END,
    KIND_MASK = 3,
    SOURCE_SHIFT = 2,
    SOURCE_MASK = 7,
    FLAG_SAME_FILE = 1 << 5,
    FLAG_SAME_SIZE = 1 << 6,
    FLAG_SHORT = 1 << 7,

    VARINT_BYTES = 10,
    READ_BYTES = 1 + 7 * VARINT_BYTES, /* the longest record of a read */
    ERRNO_MAX = 4095,
};

/* Where a file was read last. */
struct trace_place {
    uint64_t end;
    uint32_t size;
};

void trace_coder_deinit(struct trace_coder *coder)
{
    free(coder->files);
    *coder = (struct trace_coder){0};
}

/* Room for one more file. */
static int grow(struct trace_coder *coder)
{
    if (coder->n_files < coder->n_allocated)
        return 0;
    uint32_t n = coder->n_allocated ? coder->n_allocated * 2 : 16;
    struct trace_place *files = reallocarray(coder->files, n, sizeof(*files));
    if (!files)
        return -ENOMEM;
    coder->files = files;
    coder->n_allocated = n;
    return 0;
}

static void add_file(struct trace_coder *coder)
{
    coder->files[coder->n_files++] = (struct trace_place){0};
}

static void note_read(struct trace_coder *coder, const struct trace_read *read)
{
    coder->files[read->file] = (struct trace_place){read->off + read->size, read->size};
    coder->last_file = read->file;
    coder->last_began_us = read->began_us;
}

/* --- encoding --- */

struct record_bytes {
    uint8_t data[READ_BYTES];
    size_t len;
};

static void put_varint(struct record_bytes *b, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        b->data[b->len++] = (uint8_t)(value | 0x80);
    b->data[b->len++] = (uint8_t)value;
}

static void put_signed(struct record_bytes *b, int64_t value)
{
    put_varint(b, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

int trace_put_start(struct trace_coder *coder, int64_t started_us, struct buf *out)
{
    struct record_bytes b = {.len = TRACE_MAGIC_BYTES};
    memcpy(b.data, TRACE_MAGIC, TRACE_MAGIC_BYTES);
    put_varint(&b, started_us > 0 ? (uint64_t)started_us : 0);
    int r = buf_append(out, b.data, b.len);
    coder->has_started = r == 0;
    return r;
}

int trace_put_file(struct trace_coder *coder, uint64_t size_bytes, const char *path,
                   struct buf *out)
{
    struct record_bytes b = {0};
    size_t len = strnlen(path, TRACE_PATH_MAX);
    put_varint(&b, KIND_FILE);
    put_varint(&b, size_bytes);
    put_varint(&b, len);
    int r = grow(coder);
    if (r == 0)
        r = buf_reserve(out, b.len + len);
    if (r < 0)
        return r;
    add_file(coder);
    buf_append(out, b.data, b.len);
    return buf_append(out, path, len);
}

int trace_put_read(struct trace_coder *coder, const struct trace_read *read, struct buf *out)
{
    const struct trace_place *place = &coder->files[read->file];
    struct record_bytes b = {.len = 1};
    unsigned head = KIND_READ | (unsigned)read->source << SOURCE_SHIFT;
    if (read->file == coder->last_file)
        head |= FLAG_SAME_FILE;
    else
        put_varint(&b, read->file);
    put_signed(&b, (int64_t)(read->off - place->end));
    if (read->size == place->size)
        head |= FLAG_SAME_SIZE;
    else
        put_varint(&b, read->size);
    put_signed(&b, read->began_us - coder->last_began_us);
    put_varint(&b, read->took_us);
    if (read->got < read->size) {
        head |= FLAG_SHORT;
        put_varint(&b, read->got);
        if (!read->got)
            put_varint(&b, (uint64_t)read->err);
    }
    b.data[0] = (uint8_t)head;
    int r = buf_append(out, b.data, b.len);
    if (r == 0)
        note_read(coder, read);
    return r;
}

int trace_put_lost(struct trace_coder *coder, uint64_t n_lost, struct buf *out)
{
    struct record_bytes b = {0};
    (void)coder;
    put_varint(&b, KIND_LOST);
    put_varint(&b, n_lost);
    return buf_append(out, b.data, b.len);
}

int trace_put_end(struct trace_coder *coder, struct buf *out)
{
    int r = buf_putc(out, KIND_END);
    coder->has_ended = r == 0;
    return r;
}

/* --- decoding --- */

/* Bytes on the way through a decoder. What went wrong stays wrong: the values that are read then
 * are zeroes, and nobody need look before the end. */
struct cursor {
    const uint8_t *at, *end;
    bool is_short, is_bad;
};

static uint64_t get_varint(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 7 * VARINT_BYTES; shift += 7) {
        if (c->at == c->end) {
            c->is_short = true;
            return 0;
        }
        uint64_t bits = *c->at & 0x7f;
        if (shift == 63 && bits > 1)
            break;
        value |= bits << shift;
        if (!(*c->at++ & 0x80))
            return value;
    }
    c->is_bad = true;
    return 0;
}

static uint64_t get_at_most(struct cursor *c, uint64_t most)
{
    uint64_t value = get_varint(c);
    c->is_bad |= value > most;
    return value <= most ? value : 0;
}

/* @base moved by a signed number, from @least up. */
static int64_t get_moved(struct cursor *c, int64_t base, int64_t least)
{
    uint64_t coded = get_varint(c);
    int64_t move = (int64_t)(coded >> 1) ^ -(int64_t)(coded & 1), value;
    bool fits = !__builtin_add_overflow(base, move, &value) && value >= least;
    c->is_bad |= !fits;
    return fits && !c->is_short ? value : 0;
}

static void get_start(struct cursor *c, struct trace_record *out)
{
    size_t len = (size_t)(c->end - c->at);
    out->kind = TRACE_START;
    if (len > TRACE_MAGIC_BYTES)
        len = TRACE_MAGIC_BYTES;
    c->is_bad = memcmp(c->at, TRACE_MAGIC, len) != 0;
    c->is_short = len < TRACE_MAGIC_BYTES;
    c->at += len;
    out->started_us = (int64_t)get_at_most(c, INT64_MAX);
}

static void get_file(const struct trace_coder *coder, struct cursor *c, struct trace_record *out)
{
    out->kind = TRACE_FILE;
    out->file.size_bytes = get_at_most(c, INT64_MAX);
    out->file.path_len = get_at_most(c, TRACE_PATH_MAX);
    out->file.path = (const char *)c->at;
    c->is_bad |= coder->n_files == TRACE_FILES_MAX;
    c->is_short |= out->file.path_len > (size_t)(c->end - c->at);
    if (c->is_short || c->is_bad)
        return;
    c->is_bad = memchr(out->file.path, '\0', out->file.path_len) != NULL;
    c->at += out->file.path_len;
}

/* How much came, and why not more. */
static void get_shortness(struct cursor *c, unsigned head, struct trace_read *read)
{
    read->got = read->size;
    if (!(head & FLAG_SHORT))
        return;
    read->got = (uint32_t)get_at_most(c, read->size);
    if (!read->got)
        read->err = (int)get_at_most(c, ERRNO_MAX);
}

static void get_read(const struct trace_coder *coder, struct cursor *c, unsigned head,
                     struct trace_record *out)
{
    struct trace_read read = {.file = coder->last_file,
                              .source = (head >> SOURCE_SHIFT) & SOURCE_MASK};
    if (!(head & FLAG_SAME_FILE))
        read.file = (uint32_t)get_at_most(c, TRACE_FILES_MAX);
    c->is_bad |= (!c->is_short && read.file >= coder->n_files) || read.source >= READ_N_SOURCES;
    if (c->is_short || c->is_bad)
        return;
    const struct trace_place *place = &coder->files[read.file];
    read.off = (uint64_t)get_moved(c, (int64_t)place->end, 0);
    read.size = head & FLAG_SAME_SIZE ? place->size : (uint32_t)get_at_most(c, TRACE_SIZE_MAX);
    c->is_bad |= read.off > (uint64_t)(INT64_MAX - TRACE_SIZE_MAX);
    read.began_us = get_moved(c, coder->last_began_us, INT64_MIN);
    read.took_us = get_at_most(c, INT64_MAX);
    get_shortness(c, head, &read);
    out->kind = TRACE_READ;
    out->read = read;
}

static void get_record(const struct trace_coder *coder, struct cursor *c, struct trace_record *out)
{
    unsigned head = *c->at++, kind = head & KIND_MASK;
    if (kind == KIND_READ) {
        get_read(coder, c, head, out);
        return;
    }
    c->is_bad |= head != kind;
    switch (kind) {
    case KIND_FILE:
        get_file(coder, c, out);
        break;
    case KIND_LOST:
        out->kind = TRACE_LOST;
        out->n_lost = get_varint(c);
        break;
    default:
        out->kind = TRACE_END;
        break;
    }
}

/* The state behind a whole record. */
static int take(struct trace_coder *coder, const struct trace_record *record)
{
    int r = record->kind == TRACE_FILE ? grow(coder) : 0;
    if (r < 0)
        return r;
    if (record->kind == TRACE_START)
        coder->has_started = true;
    else if (record->kind == TRACE_FILE)
        add_file(coder);
    else if (record->kind == TRACE_READ)
        note_read(coder, &record->read);
    else if (record->kind == TRACE_END)
        coder->has_ended = true;
    return 1;
}

int trace_get(struct trace_coder *coder, const void *data, size_t len, struct trace_record *out,
              size_t *out_used)
{
    struct cursor c = {data, (const uint8_t *)data + len, false, false};
    *out_used = 0;
    if (!len)
        return 0;
    if (coder->has_ended)
        return -EPROTO;
    if (coder->has_started)
        get_record(coder, &c, out);
    else
        get_start(&c, out);
    if (c.is_bad)
        return -EPROTO;
    int r = c.is_short ? 0 : take(coder, out);
    if (r == 1)
        *out_used = (size_t)(c.at - (const uint8_t *)data);
    return r;
}

const char *trace_source_name(enum read_source source)
{
    static const char *const names[READ_N_SOURCES] = {
        [READ_NOWHERE] = "none",
        [READ_CACHED] = "cached",
        [READ_JOINED] = "joined",
        [READ_FETCHED] = "fetched",
    };
    return names[source];
}
