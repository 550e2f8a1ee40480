/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a registry, named as a mount names them and read by the engine that a mount reads by.
 *
 * A stream keeps several reads under way, in a ring of slots: the oldest is handed out next, and
 * when it comes back it is sent for the bytes behind the newest. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "cmd/interrupt.h"
#include "cmd/subject.h"
#include "cmd/supply.h"
#include "read/reader.h"
#include "util/buf.h"
#include "vfs/views.h"

enum {
    N_SLOTS = 8,
    SLOT_BYTES = WAIT_MAX_BYTES,
    PATIENCE_MS = 3000, /* for the listing */
    LOOK_MS = 100,      /* between looks for an interrupt */
};

struct registry_supply {
    struct subject *subject;
    struct layout_place place;
    struct layout *layout;
};

struct slot {
    struct supply_stream *stream;
    char *data;
    size_t len;
    int err;
    bool is_done; /* of a read that was sent; under the stream's lock */
};

struct supply_stream {
    struct registry_supply *supply;
    struct reader *reader;    /* NULL for a text of ours */
    const char *text;         /* that text, from its first byte; borrowed */
    uint64_t size_bytes, off; /* of the next read to be sent, or the text's next byte */
    struct slot slots[N_SLOTS];
    size_t n_sent, n_taken; /* reads so far: slot i % N_SLOTS has read i */
    pthread_mutex_t lock;
    pthread_cond_t is_done_changed;
};

/* --- a stream --- */

static void on_read(void *ctx, const struct read_answer *answer)
{
    struct slot *slot = ctx;
    const struct iovec *iov = answer->iov;
    size_t len = 0;
    int err = answer->err;
    for (int i = 0; err == 0 && i < answer->n_iov; len += iov[i++].iov_len) {
        if (iov[i].iov_len > slot->len - len) {
            err = -EPROTO;
            break;
        }
        memcpy(slot->data + len, iov[i].iov_base, iov[i].iov_len);
    }
    pthread_mutex_lock(&slot->stream->lock);
    slot->err = err == 0 && len != slot->len ? -ESTALE : err;
    slot->is_done = true;
    pthread_cond_signal(&slot->stream->is_done_changed);
    pthread_mutex_unlock(&slot->stream->lock);
}

/* Sends for the next bytes, up to where a slot's worth ends, so that later reads are whole ones. */
static void send_one(struct supply_stream *stream)
{
    struct slot *slot = &stream->slots[stream->n_sent++ % N_SLOTS];
    uint64_t left = stream->size_bytes - stream->off, room = SLOT_BYTES - stream->off % SLOT_BYTES;
    uint64_t off = stream->off;
    slot->len = (size_t)(left < room ? left : room);
    slot->is_done = false;
    stream->off += slot->len;
    reader_read(stream->reader, off, slot->len, on_read, slot);
}

/* Waits for a slot; -EINTR when an interrupt was seen and @may_end. */
static int wait_slot(struct slot *slot, bool may_end)
{
    struct supply_stream *stream = slot->stream;
    int r = 0;
    pthread_mutex_lock(&stream->lock);
    while (!slot->is_done && r == 0) {
        struct timespec at;
        clock_gettime(CLOCK_REALTIME, &at);
        at.tv_nsec += LOOK_MS * 1000000;
        at.tv_sec += at.tv_nsec / 1000000000;
        at.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&stream->is_done_changed, &stream->lock, &at);
        r = may_end && interrupt_seen() ? -EINTR : 0;
    }
    r = r == 0 ? slot->err : r;
    pthread_mutex_unlock(&stream->lock);
    return r;
}

static ssize_t next_text(struct supply_stream *stream, const void **out_data)
{
    *out_data = stream->text + stream->off;
    ssize_t n = (ssize_t)(stream->size_bytes - stream->off);
    stream->off = stream->size_bytes;
    return n;
}

static ssize_t next(struct supply_stream *stream, const void **out_data)
{
    if (stream->text)
        return next_text(stream, out_data);
    while (stream->off < stream->size_bytes && stream->n_sent < stream->n_taken + N_SLOTS)
        send_one(stream);
    if (stream->n_taken == stream->n_sent)
        return 0;
    struct slot *slot = &stream->slots[stream->n_taken % N_SLOTS];
    int r = interrupt_seen() ? -EINTR : wait_slot(slot, true);
    if (r < 0)
        return r;
    stream->n_taken++;
    *out_data = slot->data;
    return (ssize_t)slot->len;
}

/* Reads under way write into the slots: they are waited for, which a stopped engine makes short. */
static void close_stream(struct supply_stream *stream)
{
    if (interrupt_seen())
        engine_cancel(&stream->supply->subject->engine);
    for (; stream->n_taken < stream->n_sent; stream->n_taken++)
        wait_slot(&stream->slots[stream->n_taken % N_SLOTS], false);
    reader_close(stream->reader);
    for (size_t i = 0; i < N_SLOTS; i++)
        free(stream->slots[i].data);
    pthread_cond_destroy(&stream->is_done_changed);
    pthread_mutex_destroy(&stream->lock);
    free(stream);
}

DEFINE_CLEANUP(struct supply_stream *, cleanup_stream, close_stream)

static int open_reader(struct supply_stream *stream, const struct layout_node *node)
{
    struct registry_supply *supply = stream->supply;
    BUF_CLEANUP struct buf texts = {0};
    struct listing_entry entry;
    const struct blob_source source = {
        .origin = supply->place.origin,
        .place = {supply->place.project_id, supply->place.model_id},
        .entry = &entry,
    };
    int r = listing_get_whole(supply->layout->listing, node->ref, &texts, &entry);
    if (r < 0)
        return r;
    for (size_t i = 0; i < N_SLOTS; i++) {
        stream->slots[i].stream = stream;
        stream->slots[i].data = malloc(SLOT_BYTES);
        if (!stream->slots[i].data)
            return -ENOMEM;
    }
    return reader_open(supply->subject->engine.fetch, &source, &stream->reader);
}

static int open_stream(void *self, const struct supply_item *item, uint64_t off,
                       struct supply_stream **out)
{
    struct registry_supply *supply = self;
    const struct layout_node *node = &supply->layout->nodes[item->ref];
    struct supply_stream *fresh = calloc(1, sizeof(*fresh));
    if (!fresh)
        return -ENOMEM;
    pthread_mutex_init(&fresh->lock, NULL);
    pthread_cond_init(&fresh->is_done_changed, NULL);
    CLEANUP(cleanup_stream) struct supply_stream *stream = fresh;
    stream->supply = supply;
    stream->size_bytes = item->size_bytes;
    stream->off = off;
    if (node->kind == NODE_TEXT)
        stream->text = supply->layout->texts[node->ref].data;
    int r = stream->text ? 0 : open_reader(stream, node);
    if (r == 0)
        *out = steal_ptr(stream);
    return r;
}

/* --- the supply --- */

static void free_supply(void *self)
{
    struct registry_supply *supply = self;
    layout_unref(supply->layout);
    free(supply);
}

static const struct supply_ops ops = {open_stream, next, close_stream, free_supply};

static int add_node(struct supply *out, const struct layout *layout, uint32_t index,
                    const char *path)
{
    const struct layout_node *node = &layout->nodes[index];
    struct supply_item item = {
        .path = path, .mtime_ns = layout_mtime_ns(layout, index), .ref = index};
    if (node->kind == NODE_FILE) {
        struct listing_entry entry;
        listing_get(layout->listing, node->ref, &entry);
        item.size_bytes = entry.size_bytes;
        item.has_digest = entry.has_digest;
        item.digest = entry.digest;
    } else if (node->kind == NODE_TEXT) {
        const struct layout_text *text = &layout->texts[node->ref];
        item.size_bytes = text->len;
        item.has_digest = true;
        digest_of(text->data, text->len, &item.digest);
    } else {
        return 0;
    }
    return supply_add(out, &item);
}

/* Adds all that is listed below directory @dir. */
static int add_below(struct supply *out, const struct layout *layout, uint32_t dir,
                     const char *path)
{
    int r = 0;
    for (uint64_t i = 0; r == 0; i++) {
        struct buf inner BUF_CLEANUP = {0};
        uint32_t child = layout_listed(layout, dir, i);
        if (child == LAYOUT_NONE)
            break;
        const struct layout_node *node = &layout->nodes[child];
        r = buf_printf(&inner, "%s%s%s", path, *path ? "/" : "", node->name);
        if (r == 0)
            r = node->kind == NODE_DIR ? add_below(out, layout, child, inner.data)
                                       : add_node(out, layout, child, inner.data);
    }
    return r;
}

/* The directory to copy: a model's own layout is a hidden one; a link such as `latest` stands for
 * what it names. LAYOUT_NONE where there is none. */
static uint32_t find_root(const struct layout *layout, const char *checkpoint)
{
    uint32_t dir = layout_find(layout, 0, checkpoint ? checkpoint : ".modelfs");
    if (dir != LAYOUT_NONE && layout->nodes[dir].kind == NODE_LINK)
        dir = layout_find(layout, 0, layout->texts[layout->nodes[dir].ref].data);
    if (dir != LAYOUT_NONE && !checkpoint)
        dir = layout_find(layout, dir, "files");
    return dir != LAYOUT_NONE && layout->nodes[dir].kind == NODE_DIR ? dir : LAYOUT_NONE;
}

static int lay_out(struct registry_supply *supply)
{
    LISTING_CLEANUP struct listing *listing = NULL;
    struct source *source = &supply->subject->source;
    const struct registry_place place = {source->project_id, source->model_id};
    supply->place = (struct layout_place){
        .origin = registry_origin(source->registry),
        .project_id = source->project_id,
        .model_id = source->model_id,
        .project_name = source->project_name,
    };
    int r = catalog_get(source->catalog, &place, PATIENCE_MS, &listing);
    if (r == 0)
        r = engine_read_history(&supply->subject->engine, source->model_id, listing);
    return r < 0 ? r : views_build(listing, &supply->place, NULL, &supply->layout);
}

static int fill(struct registry_supply *supply, struct supply *out)
{
    const struct subject *s = supply->subject;
    int r = lay_out(supply);
    if (r < 0)
        return source_complain(s->command, s->text, r);
    uint32_t root = find_root(supply->layout, s->url.checkpoint);
    if (root == LAYOUT_NONE) {
        fprintf(stderr,
                "modelfs %s: %s: the model has no checkpoint `%s`; `modelfs ls` shows them\n",
                s->command, s->text, s->url.checkpoint ? s->url.checkpoint : "");
        return EX_NOINPUT;
    }
    r = add_below(out, supply->layout, root, "");
    supply_sort(out);
    return r < 0 ? source_complain(s->command, s->text, r) : EX_OK;
}

int supply_open_url(struct subject *subject, struct supply *out)
{
    if (!subject->source.model_id) {
        fprintf(stderr,
                "modelfs %s: %s names no model: add /PROJECT/MODEL; `modelfs ls` lists them\n",
                subject->command, subject->text);
        return EX_USAGE;
    }
    struct registry_supply *supply = calloc(1, sizeof(*supply));
    if (!supply)
        return EX_OSERR;
    supply->subject = subject;
    *out = (struct supply){.ops = &ops, .self = supply};
    return fill(supply, out);
}
