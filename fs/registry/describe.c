/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/describe.h"

#include <math.h>
#include <string.h>

#include "util/clock.h"

static void set_text(json_t *o, const char *key, const char *text)
{
    json_object_set_new(o, key, text ? json_stringn_nocheck(text, strlen(text)) : json_null());
}

static void set_time(json_t *o, const char *key, int64_t ns)
{
    char text[CLOCK_ISO_BYTES];
    clock_format_iso(ns, text);
    set_text(o, key, ns ? text : NULL);
}

static json_t *describe_entry(const struct listing_entry *entry)
{
    json_t *o = json_object();
    set_text(o, "id", entry->id);
    set_text(o, "name", entry->name);
    set_text(o, "type", entry->type);
    set_time(o, "modified", entry->mtime_ns);
    return o;
}

json_t *describe_listing(const struct listing *listing, const char *origin, const char *project)
{
    json_t *o = json_object(), *entries = json_array();
    set_text(o, "kind", listing->kind == LISTING_PROJECTS ? "registry" : "project");
    set_text(o, "registry", origin);
    if (project)
        set_text(o, "project", project);
    for (size_t i = 0; i < listing->n_entries; i++)
        json_array_append_new(entries, describe_entry(&listing->entries[i]));
    json_object_set_new(o, "entries", entries);
    return o;
}

static json_t *describe_file(const struct listing_entry *entry, const char *path)
{
    json_t *o = json_object();
    char hex[DIGEST_HEX_BYTES];
    set_text(o, "path", path);
    json_object_set_new(o, "size", json_integer((json_int_t)entry->size_bytes));
    set_time(o, "modified", entry->mtime_ns);
    if (entry->has_digest) {
        digest_format_hex(&entry->digest, hex);
        set_text(o, "digest", hex);
    }
    return o;
}

json_t *describe_metrics(const struct outline *o, size_t checkpoint)
{
    json_t *metrics = json_object();
    for (size_t m = 0; m < o->n_metrics; m++) {
        const struct metric_row *row =
            checkpoint == SIZE_MAX ? outline_model_value(o, m) : outline_value(o, checkpoint, m);
        char text[METRIC_TEXT_BYTES];
        if (!row)
            continue;
        metric_format(row->value, text);
        json_object_set_new(metrics, row->name,
                            isfinite(row->value) ? json_real(row->value) : json_string(text));
    }
    return metrics;
}

json_t *describe_checkpoint(const struct outline *o, size_t index)
{
    const struct checkpoint *c = &o->checkpoints.items[index];
    json_t *out = json_object(), *files = json_array();
    set_text(out, "name", c->name);
    set_text(out, "format", c->format);
    json_object_set_new(out, "step", c->step >= 0 ? json_integer(c->step) : json_null());
    json_object_set_new(out, "complete", json_boolean(!c->missing));
    if (c->missing)
        set_text(out, "missing", c->missing);
    json_object_set_new(out, "size", json_integer((json_int_t)outline_size_bytes(o, c)));
    set_time(out, "modified", outline_mtime_ns(o, c));
    json_object_set_new(out, "metrics", describe_metrics(o, index));
    for (size_t i = 0; i < c->n_files; i++) {
        const struct listing_entry *entry = &o->listing->entries[c->files[i]];
        json_array_append_new(files, describe_file(entry, checkpoint_inner_path(c, entry->id)));
    }
    json_object_set_new(out, "files", files);
    return out;
}

static json_t *describe_best(const struct outline *o)
{
    json_t *best = json_object();
    for (size_t i = 0; i < o->n_best; i++)
        set_text(best, o->best[i].metric, o->checkpoints.items[o->best[i].checkpoint].name);
    return best;
}

static void add_files(const struct outline *o, json_t *out)
{
    json_t *files = json_array();
    uint64_t size = 0;
    for (size_t i = 0; i < o->listing->n_entries; i++) {
        const struct listing_entry *entry = &o->listing->entries[i];
        json_array_append_new(files, describe_file(entry, entry->id));
        size += entry->size_bytes;
    }
    json_object_set_new(out, "size", json_integer((json_int_t)size));
    json_object_set_new(out, "files", files);
}

json_t *describe_model(const struct outline *o, const char *origin, const char *project)
{
    json_t *out = json_object(), *checkpoints = json_array();
    const struct listing_entry *self = &o->listing->self;
    set_text(out, "kind", "model");
    set_text(out, "registry", origin);
    set_text(out, "project", project);
    set_text(out, "id", self->id);
    set_text(out, "name", self->name);
    set_text(out, "type", self->type);
    set_time(out, "modified", self->mtime_ns);
    set_text(out, "latest", o->latest ? o->latest->name : NULL);
    json_object_set_new(out, "best", describe_best(o));
    json_object_set_new(out, "metrics", describe_metrics(o, SIZE_MAX));
    for (size_t i = 0; i < o->checkpoints.n; i++)
        json_array_append_new(checkpoints, describe_checkpoint(o, i));
    json_object_set_new(out, "checkpoints", checkpoints);
    add_files(o, out);
    return out;
}
