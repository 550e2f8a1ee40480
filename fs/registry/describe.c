/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/describe.h"

#include <math.h>

#include "util/clock.h"
#include "util/json.h"

/* All here are 0, or -1 when memory is short: then nothing is described, rather than a part. A name
 * may be any bytes; people's JSON has U+FFFD for what is no character. */
static int set_text(json_t *o, const char *key, const char *text)
{
    return json_object_set_new(o, key, text ? json_new_text(text) : json_null());
}

static int set_time(json_t *o, const char *key, int64_t ns)
{
    char text[CLOCK_ISO_BYTES];
    clock_format_iso(ns, text);
    return set_text(o, key, ns ? text : NULL);
}

static int set_size(json_t *o, uint64_t bytes)
{
    return json_object_set_new(o, "size", json_integer((json_int_t)bytes));
}

static int set_digest(json_t *o, const struct listing_entry *entry)
{
    char hex[DIGEST_HEX_BYTES];
    if (!entry->has_digest)
        return 0;
    digest_format_hex(&entry->digest, hex);
    return set_text(o, "digest", hex);
}

static json_t *describe_entry(const struct listing *listing, size_t i)
{
    JSON_CLEANUP json_t *o = json_object();
    struct listing_entry entry;
    listing_get(listing, i, &entry);
    int r = set_text(o, "id", entry.id);
    r |= set_text(o, "name", entry.name);
    r |= set_text(o, "type", entry.type);
    r |= set_time(o, "modified", entry.mtime_ns);
    return r == 0 ? steal_ptr(o) : NULL;
}

static int set_entries(json_t *o, const struct listing *listing)
{
    json_t *entries = json_array();
    int r = 0;
    for (size_t i = 0; i < listing->n_entries; i++)
        r |= json_array_append_new(entries, describe_entry(listing, i));
    return r | json_object_set_new(o, "entries", entries);
}

json_t *describe_listing(const struct listing *listing, const char *origin, const char *project)
{
    JSON_CLEANUP json_t *o = json_object();
    int r = set_text(o, "kind", listing->kind == LISTING_PROJECTS ? "registry" : "project");
    r |= set_text(o, "registry", origin);
    if (project)
        r |= set_text(o, "project", project);
    r |= set_entries(o, listing);
    return r == 0 ? steal_ptr(o) : NULL;
}

/* A file without the first @cut_bytes of its path. */
static json_t *describe_file(const struct listing *listing, size_t file, size_t cut_bytes)
{
    JSON_CLEANUP json_t *o = json_object();
    struct listing_entry entry;
    listing_get(listing, file, &entry);
    int r = set_text(o, "path", entry.id + cut_bytes);
    r |= set_size(o, entry.size_bytes);
    r |= set_time(o, "modified", entry.mtime_ns);
    r |= set_digest(o, &entry);
    return r == 0 ? steal_ptr(o) : NULL;
}

static json_t *describe_value(double value)
{
    char text[METRIC_TEXT_BYTES];
    if (isfinite(value))
        return json_real(value);
    metric_format(value, text);
    return json_string(text);
}

json_t *describe_metrics(const struct outline *o, size_t checkpoint)
{
    JSON_CLEANUP json_t *metrics = json_object();
    int r = metrics ? 0 : -1;
    for (size_t m = 0; m < o->n_metrics; m++) {
        const struct metric_row *row =
            checkpoint == SIZE_MAX ? outline_model_value(o, m) : outline_value(o, checkpoint, m);
        if (row)
            r |= json_object_set_new(metrics, row->name, describe_value(row->value));
    }
    return r == 0 ? steal_ptr(metrics) : NULL;
}

static int set_checkpoint_files(json_t *out, const struct outline *o, const struct checkpoint *c)
{
    json_t *files = json_array();
    int r = 0;
    for (size_t i = 0; i < c->n_files; i++) {
        const char *id = listing_id(o->listing, c->files[i]);
        size_t cut_bytes = (size_t)(checkpoint_inner_path(c, id) - id);
        r |= json_array_append_new(files, describe_file(o->listing, c->files[i], cut_bytes));
    }
    return r | json_object_set_new(out, "files", files);
}

json_t *describe_checkpoint(const struct outline *o, size_t index)
{
    const struct checkpoint *c = &o->checkpoints.items[index];
    JSON_CLEANUP json_t *out = json_object();
    int r = set_text(out, "name", c->name);
    r |= set_text(out, "framework", c->framework);
    r |= set_text(out, "format", c->format);
    r |= json_object_set_new(out, "step", c->step >= 0 ? json_integer(c->step) : json_null());
    r |= json_object_set_new(out, "complete", json_boolean(!c->missing));
    if (c->missing)
        r |= set_text(out, "missing", c->missing);
    r |= set_size(out, outline_size_bytes(o, c));
    r |= set_time(out, "modified", outline_mtime_ns(o, c));
    r |= json_object_set_new(out, "metrics", describe_metrics(o, index));
    r |= set_checkpoint_files(out, o, c);
    return r == 0 ? steal_ptr(out) : NULL;
}

static int set_best(json_t *out, const struct outline *o)
{
    json_t *best = json_object();
    int r = 0;
    for (size_t i = 0; i < o->n_best; i++) {
        const char *name = o->checkpoints.items[o->best[i].checkpoint].name;
        r |= set_text(best, o->best[i].metric, name);
    }
    return r | json_object_set_new(out, "best", best);
}

static int set_checkpoints(json_t *out, const struct outline *o)
{
    json_t *checkpoints = json_array();
    int r = 0;
    for (size_t i = 0; i < o->checkpoints.n; i++)
        r |= json_array_append_new(checkpoints, describe_checkpoint(o, i));
    return r | json_object_set_new(out, "checkpoints", checkpoints);
}

static int set_files(json_t *out, const struct outline *o)
{
    json_t *files = json_array();
    int r = 0;
    for (size_t i = 0; i < o->listing->n_entries; i++)
        r |= json_array_append_new(files, describe_file(o->listing, i, 0));
    r |= set_size(out, outline_model_size_bytes(o));
    return r | json_object_set_new(out, "files", files);
}

json_t *describe_model(const struct outline *o, const char *origin, const char *project)
{
    JSON_CLEANUP json_t *out = json_object();
    const struct listing_entry *self = &o->listing->self;
    int r = set_text(out, "kind", "model");
    r |= set_text(out, "registry", origin);
    r |= set_text(out, "project", project);
    r |= set_text(out, "id", self->id);
    r |= set_text(out, "name", self->name);
    r |= set_text(out, "type", self->type);
    r |= set_time(out, "modified", self->mtime_ns);
    r |= set_text(out, "latest", o->latest ? o->latest->name : NULL);
    r |= set_best(out, o);
    r |= json_object_set_new(out, "metrics", describe_metrics(o, SIZE_MAX));
    r |= set_checkpoints(out, o);
    r |= set_files(out, o);
    return r == 0 ? steal_ptr(out) : NULL;
}
