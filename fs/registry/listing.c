/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/listing.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/json.h"

enum { FORMAT_VERSION = 1 };

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
    free(listing->entries);
    free(listing->rows);
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

int listing_add(struct listing *listing, const struct listing_entry *entry)
{
    int r = grow_array((void **)&listing->entries, listing->n_entries, sizeof(*entry));
    if (r == 0)
        r = copy_entry(listing, entry, &listing->entries[listing->n_entries]);
    if (r == 0)
        listing->n_entries++;
    return r;
}

int listing_add_row(struct listing *listing, const char *name, int64_t step, double value)
{
    int r = grow_array((void **)&listing->rows, listing->n_rows, sizeof(*listing->rows));
    if (r < 0)
        return r;
    struct metric_row row = {copy_text(listing, name, &r), step, value};
    if (r == 0)
        listing->rows[listing->n_rows++] = row;
    return r;
}

int listing_set_self(struct listing *listing, const struct listing_entry *self)
{
    return copy_entry(listing, self, &listing->self);
}

const struct listing_entry *listing_find(const struct listing *listing, const char *id_or_name)
{
    for (size_t i = 0; i < listing->n_entries; i++)
        if (strcmp(listing->entries[i].id, id_or_name) == 0)
            return &listing->entries[i];
    for (size_t i = 0; i < listing->n_entries; i++)
        if (strcmp(listing->entries[i].name, id_or_name) == 0)
            return &listing->entries[i];
    return NULL;
}

static int set_text(json_t *object, const char *key, const char *text)
{
    return text ? json_object_set_new(object, key, json_stringn_nocheck(text, strlen(text))) : 0;
}

static int set_digest(json_t *object, const struct listing_entry *entry)
{
    char hex[DIGEST_HEX_BYTES];
    if (!entry->has_digest)
        return 0;
    digest_format_hex(&entry->digest, hex);
    return set_text(object, "digest", hex);
}

/* NULL when memory is short, as for all that makes JSON here: half an entry would be kept in the
 * cache as if it were whole. */
static json_t *entry_to_json(const struct listing_entry *entry)
{
    JSON_CLEANUP json_t *o = json_object();
    int r = set_text(o, "id", entry->id);
    if (entry->id && entry->name && strcmp(entry->id, entry->name) != 0)
        r |= set_text(o, "name", entry->name);
    r |= set_text(o, "type", entry->type);
    r |= set_text(o, "url", entry->url);
    r |= set_text(o, "etag", entry->etag);
    r |= json_object_set_new(o, "size", json_integer((json_int_t)entry->size_bytes));
    r |= json_object_set_new(o, "mtime", json_integer(entry->mtime_ns));
    r |= set_digest(o, entry);
    return r == 0 ? steal_ptr(o) : NULL;
}

/* Values go as text, since JSON has no NaN. */
static json_t *row_to_json(const struct metric_row *row)
{
    char value[METRIC_TEXT_BYTES];
    metric_format(row->value, value);
    return json_pack("[s,I,s]", row->name, (json_int_t)row->step, value);
}

static json_t *listing_to_json(const struct listing *listing)
{
    JSON_CLEANUP json_t *root = json_object();
    json_t *entries = json_array(), *rows = json_array();
    int r = 0;
    for (size_t i = 0; i < listing->n_entries; i++)
        r |= json_array_append_new(entries, entry_to_json(&listing->entries[i]));
    for (size_t i = 0; i < listing->n_rows; i++)
        r |= json_array_append_new(rows, row_to_json(&listing->rows[i]));
    r |= json_object_set_new(root, "entries", entries);
    r |= json_object_set_new(root, "rows", rows);
    r |= json_object_set_new(root, "version", json_integer(FORMAT_VERSION));
    r |= json_object_set_new(root, "kind", json_integer(listing->kind));
    r |= json_object_set_new(root, "fetched", json_integer(listing->fetched_ns));
    r |= json_object_set_new(root, "self", entry_to_json(&listing->self));
    return r == 0 ? steal_ptr(root) : NULL;
}

int listing_format(const struct listing *listing, struct buf *out)
{
    JSON_CLEANUP json_t *root = listing_to_json(listing);
    CLEANUP(cleanup_free) char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    return text ? buf_puts(out, text) : -ENOMEM;
}

static void entry_from_json(const json_t *o, struct listing_entry *out)
{
    const char *digest = json_get_text(o, "digest");
    *out = (struct listing_entry){
        .id = json_get_text(o, "id"),
        .name = json_get_text(o, "name"),
        .type = json_get_text(o, "type"),
        .url = json_get_text(o, "url"),
        .etag = json_get_text(o, "etag"),
        .size_bytes = (uint64_t)json_get_int(o, "size", 0),
        .mtime_ns = json_get_int(o, "mtime", 0),
    };
    if (!out->name)
        out->name = out->id;
    out->has_digest = digest && digest_parse(digest, &out->digest) == 0;
}

static int parse_entries(struct listing *listing, const json_t *root)
{
    struct listing_entry entry;
    size_t i;
    json_t *o;
    json_array_foreach(json_get_array(root, "entries"), i, o)
    {
        entry_from_json(o, &entry);
        int r = entry.id ? listing_add(listing, &entry) : -EINVAL;
        if (r < 0)
            return r;
    }
    entry_from_json(json_get_object(root, "self"), &entry);
    return listing_set_self(listing, &entry);
}

static int parse_row(struct listing *listing, const json_t *row)
{
    const char *name = json_string_value(json_array_get(row, 0));
    const json_t *step = json_array_get(row, 1);
    const char *text = json_string_value(json_array_get(row, 2));
    char *end;
    if (!name || !json_is_integer(step) || !text || !*text)
        return -EINVAL;
    double value = strtod(text, &end);
    return *end ? -EINVAL : listing_add_row(listing, name, json_integer_value(step), value);
}

static int parse_rows(struct listing *listing, const json_t *root)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_get_array(root, "rows"), i, row)
    {
        int r = parse_row(listing, row);
        if (r < 0)
            return r;
    }
    return 0;
}

int listing_parse(const char *text, size_t len, struct listing **out)
{
    JSON_CLEANUP json_t *root = json_parse(text, len, NULL);
    int64_t kind = json_get_int(root, "kind", -1);
    if (json_get_int(root, "version", 0) != FORMAT_VERSION || kind < LISTING_PROJECTS ||
        kind > LISTING_FILES)
        return -EINVAL;
    LISTING_CLEANUP struct listing *listing = listing_new((enum listing_kind)kind);
    if (!listing)
        return -ENOMEM;
    int r = parse_entries(listing, root);
    if (r == 0)
        r = parse_rows(listing, root);
    if (r < 0)
        return r;
    listing->fetched_ns = json_get_int(root, "fetched", 0);
    *out = steal_ptr(listing);
    return 0;
}
