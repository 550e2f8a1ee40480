/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/listing.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Another form has another first line. */
static const char magic[] = "modelfs listing 3\n";

struct listing *listing_new(enum listing_kind kind)
{
    struct listing *listing = calloc(1, sizeof(*listing));
    if (!listing)
        return NULL;
    listing->refs = 1;
    listing->kind = kind;
    return listing;
}

struct listing *listing_ref(struct listing *listing)
{
    __atomic_add_fetch(&listing->refs, 1, __ATOMIC_RELAXED);
    return listing;
}

void listing_unref(struct listing *listing)
{
    if (!listing || __atomic_sub_fetch(&listing->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    arena_free(&listing->texts);
    buf_deinit(&listing->records);
    free(listing->offsets);
    free(listing->links);
    free(listing->rows);
    free(listing->references);
    free(listing);
}

/* Copies @text into the listing's memory; NULL for NULL, and *out_err = -ENOMEM when memory is
 * short. */
static const char *copy_text(struct listing *listing, const char *text, int *out_err)
{
    if (!text)
        return NULL;
    const char *copy = arena_copy(&listing->texts, text, strlen(text));
    if (!copy)
        *out_err = -ENOMEM;
    return copy;
}

/* Room for one more item in an array that doubles at powers of two. */
static int grow_array(void **items, size_t n, size_t item_bytes)
{
    if (n & (n - 1) || (n && n < 8))
        return 0;
    size_t cap = n ? n * 2 : 8;
    void *grown = reallocarray(*items, cap, item_bytes);
    if (!grown)
        return -ENOMEM;
    *items = grown;
    return 0;
}

static int copy_entry(struct listing *listing, const struct listing_entry *from,
                      struct listing_entry *to)
{
    int err = 0;
    *to = *from;
    to->id = copy_text(listing, from->id, &err);
    to->name = from->name == from->id ? to->id : copy_text(listing, from->name, &err);
    to->type = copy_text(listing, from->type, &err);
    to->url = copy_text(listing, from->url, &err);
    to->etag = copy_text(listing, from->etag, &err);
    return err;
}

/* Notes that an entry begins at @offset of the records. */
static int add_offset(struct listing *listing, size_t offset)
{
    if (offset > UINT32_MAX)
        return -ENOMEM;
    int r = grow_array((void **)&listing->offsets, listing->n_entries, sizeof(*listing->offsets));
    if (r == 0)
        listing->offsets[listing->n_entries++] = (uint32_t)offset;
    return r;
}

int listing_add(struct listing *listing, const struct listing_entry *entry)
{
    size_t offset = listing->records.len;
    if (entry->url && !listing->links && !(listing->links = links_of(entry->url, entry->id)))
        return -ENOMEM;
    int r = packed_append(&listing->records, listing->links, entry);
    if (r == 0)
        r = add_offset(listing, offset);
    if (r < 0)
        listing->records.len = offset;
    return r;
}

int listing_add_row(struct listing *listing, const char *name, int64_t step, double value,
                    int64_t wall_ns)
{
    int r = grow_array((void **)&listing->rows, listing->n_rows, sizeof(*listing->rows));
    if (r < 0)
        return r;
    /* rows of a metric mostly come one after another */
    const struct metric_row *last = listing->n_rows ? &listing->rows[listing->n_rows - 1] : NULL;
    bool same = last && strcmp(last->name, name) == 0;
    struct metric_row row = {same ? last->name : copy_text(listing, name, &r), step, value,
                             wall_ns};
    if (r == 0)
        listing->rows[listing->n_rows++] = row;
    return r;
}

int listing_set_latest(struct listing *listing, const char *latest)
{
    int err = 0;
    listing->latest = copy_text(listing, latest, &err);
    return err;
}

int listing_add_reference(struct listing *listing, const struct reference *reference)
{
    size_t n = listing->n_references;
    int r = grow_array((void **)&listing->references, n, sizeof(*listing->references));
    if (r < 0)
        return r;
    const struct reference *last = n ? &listing->references[n - 1] : NULL;
    bool is_known = last && strcmp(last->from, reference->from) == 0;
    struct reference kept = {
        .from = is_known ? last->from : copy_text(listing, reference->from, &r),
        .to = copy_text(listing, reference->to, &r),
    };
    if (r == 0)
        listing->references[listing->n_references++] = kept;
    return r;
}

int listing_set_self(struct listing *listing, const struct listing_entry *self)
{
    return copy_entry(listing, self, &listing->self);
}

static const char *record_of(const struct listing *listing, size_t i)
{
    assert(i < listing->n_entries);
    return listing->records.data + listing->offsets[i];
}

static const char *end_of(const struct listing *listing)
{
    return listing->records.data + listing->records.len;
}

void listing_get(const struct listing *listing, size_t i, struct listing_entry *out)
{
    packed_read(record_of(listing, i), end_of(listing), out);
}

int listing_get_whole(const struct listing *listing, size_t i, struct buf *texts,
                      struct listing_entry *out)
{
    int r = packed_read_whole(record_of(listing, i), end_of(listing), listing->links, texts, out);
    assert(r != -EINVAL); /* each record was read once when it came */
    return r;
}

const char *listing_id(const struct listing *listing, size_t i)
{
    return record_of(listing, i) + 1; /* behind the flags */
}

size_t listing_find(const struct listing *listing, const char *id_or_name)
{
    struct listing_entry entry;
    for (size_t i = 0; i < listing->n_entries; i++)
        if (strcmp(listing_id(listing, i), id_or_name) == 0)
            return i;
    for (size_t i = 0; i < listing->n_entries; i++) {
        listing_get(listing, i, &entry);
        if (entry.name && strcmp(entry.name, id_or_name) == 0)
            return i;
    }
    return LISTING_NONE;
}

/* What stands before the records, in the cache. */
struct head {
    uint64_t kind, n_entries, n_rows;
    int64_t fetched_ns;
    uint64_t links; /* 0: none, 1, 2: with the id */
};

static int put_text(struct buf *out, const char *text)
{
    return buf_append(out, text, strlen(text) + 1);
}

static int format_links(const struct links *links, struct buf *out)
{
    int r = put_text(out, links->head);
    return r < 0 ? r : put_text(out, links->tail);
}

static int format_rows(const struct listing *listing, struct buf *out)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < listing->n_rows; i++) {
        const struct metric_row *row = &listing->rows[i];
        r = put_text(out, row->name);
        if (r == 0)
            r = buf_append(out, &row->step, sizeof(row->step));
        if (r == 0)
            r = buf_append(out, &row->value, sizeof(row->value));
        if (r == 0)
            r = buf_append(out, &row->wall_ns, sizeof(row->wall_ns));
    }
    return r;
}

int listing_format(const struct listing *listing, struct buf *out)
{
    const struct links *links = listing->links;
    const struct head head = {listing->kind, listing->n_entries, listing->n_rows,
                              listing->fetched_ns, links ? 1 + (uint64_t)links->has_id : 0};
    int r = buf_reserve(out, listing->records.len + sizeof(magic) + sizeof(head));
    if (r == 0)
        r = buf_append(out, magic, sizeof(magic));
    if (r == 0)
        r = buf_append(out, &head, sizeof(head));
    if (r == 0 && links)
        r = format_links(links, out);
    if (r == 0)
        r = packed_append(out, NULL, &listing->self);
    if (r == 0)
        r = format_rows(listing, out);
    return r == 0 ? buf_append(out, listing->records.data, listing->records.len) : r;
}

/* The text at *at, which goes behind it; NULL when none ends before @end. */
static const char *take_text(const char **at, const char *end)
{
    const char *text = *at, *nul = memchr(text, '\0', (size_t)(end - text));
    if (nul)
        *at = nul + 1;
    return nul ? text : NULL;
}

static int parse_links(struct listing *listing, uint64_t how, const char **at, const char *end)
{
    if (how == 0)
        return 0;
    const char *head = take_text(at, end), *tail = head ? take_text(at, end) : NULL;
    if (!tail || how > 2)
        return -EINVAL;
    listing->links = links_new(head, tail, how == 2);
    return listing->links ? 0 : -ENOMEM;
}

static int parse_self(struct listing *listing, const char **at, const char *end)
{
    BUF_CLEANUP struct buf texts = {0};
    struct listing_entry self;
    const char *next = packed_read(*at, end, &self);
    if (!next)
        return -EINVAL;
    int r = packed_read_whole(*at, end, NULL, &texts, &self);
    *at = next;
    return r < 0 ? r : listing_set_self(listing, &self);
}

static int parse_rows(struct listing *listing, uint64_t n, const char **at, const char *end)
{
    int64_t step, wall_ns;
    double value;
    int r = 0;
    for (; r == 0 && n > 0; n--) {
        const char *name = take_text(at, end);
        if (!name || (size_t)(end - *at) < sizeof(step) + sizeof(value) + sizeof(wall_ns))
            return -EINVAL;
        memcpy(&step, *at, sizeof(step));
        memcpy(&value, *at + sizeof(step), sizeof(value));
        memcpy(&wall_ns, *at + sizeof(step) + sizeof(value), sizeof(wall_ns));
        *at += sizeof(step) + sizeof(value) + sizeof(wall_ns);
        r = listing_add_row(listing, name, step, value, wall_ns);
    }
    return r;
}

/* Each record is read here once: later readers need not look out for broken ones. */
static int parse_records(struct listing *listing, uint64_t n, const char *at, const char *end)
{
    BUF_CLEANUP struct buf texts = {0};
    struct listing_entry entry;
    int r = buf_append(&listing->records, at, (size_t)(end - at));
    at = listing->records.data;
    for (; r == 0 && n > 0 && at; n--) {
        size_t offset = (size_t)(at - listing->records.data);
        texts.len = 0;
        r = packed_read_whole(at, end_of(listing), listing->links, &texts, &entry);
        at = packed_read(at, end_of(listing), &entry);
        if (r == 0)
            r = entry.id ? add_offset(listing, offset) : -EINVAL;
    }
    return r < 0 ? r : n || at != end_of(listing) ? -EINVAL : 0;
}

static int parse_all(struct listing *listing, const struct head *head, const char *at,
                     const char *end)
{
    int r = parse_links(listing, head->links, &at, end);
    if (r == 0)
        r = parse_self(listing, &at, end);
    if (r == 0)
        r = parse_rows(listing, head->n_rows, &at, end);
    return r == 0 ? parse_records(listing, head->n_entries, at, end) : r;
}

int listing_parse(const char *data, size_t len, struct listing **out)
{
    struct head head;
    if (len < sizeof(magic) + sizeof(head) || memcmp(data, magic, sizeof(magic)) != 0)
        return -EINVAL;
    memcpy(&head, data + sizeof(magic), sizeof(head));
    if (head.kind > LISTING_FILES)
        return -EINVAL;
    LISTING_CLEANUP struct listing *listing = listing_new((enum listing_kind)head.kind);
    if (!listing)
        return -ENOMEM;
    listing->fetched_ns = head.fetched_ns;
    int r = parse_all(listing, &head, data + sizeof(magic) + sizeof(head), data + len);
    if (r == 0)
        *out = steal_ptr(listing);
    return r;
}
