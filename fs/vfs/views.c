/* SPDX-License-Identifier: Apache-2.0 */
/* A model's directory, made from one listing:
 *
 *   ckpt-<step>/, export-<version>/   a checkpoint's files, and a TensorFlow state file that names
 *                                     just this checkpoint
 *       .modelfs/                     metrics/<name>, metrics.json, info.json, tensors/<name>.npy
 *   files/                            all that belongs to no checkpoint, at its own path
 *   latest, best-<metric>             links
 *   .modelfs/                         files/ (the registry's own layout), metrics/<name>,
 *                                     metrics.json, info.json, metrics.csv, history/<name>.csv,
 *                                     summary.json, detail.json
 *
 * Every byte is listed once: `.modelfs` is found by name and not listed. */
#include "vfs/views.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "model/formats.h"
#include "read/study_contents.h"
#include "registry/curves.h"
#include "registry/describe.h"
#include "registry/detail.h"
#include "util/cleanup.h"
#include "util/json.h"

enum {
    /* Up to so many files of a model, and rows and values of its metrics, what it tells is made
     * before somebody asks, so that it has a size: that costs 4 us and 300 bytes a file, three
     * times all the rest. */
    MANY_FILES = 1000,
    MANY_ROWS = 10000,
};

/* JSON for people: indented, ending with a newline; NULL passes. Frees @json. */
static char *format_json(json_t *json)
{
    BUF_CLEANUP struct buf out = {0};
    CLEANUP(cleanup_free)
    char *text = json ? json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
    json_decref(json);
    if (!text || buf_printf(&out, "%s\n", text) < 0)
        return NULL;
    return buf_steal(&out);
}

static bool is_large(const struct outline *o)
{
    return o->listing->n_entries > MANY_FILES || o->listing->n_rows > MANY_ROWS ||
           o->n_metrics * o->checkpoints.n > MANY_ROWS;
}

/* What a `.modelfs` tells of. */
struct view_subject {
    const struct layout_place *place;
    size_t checkpoint; /* SIZE_MAX: the model itself */
    int64_t mtime_ns;
};

/* The text of one of the files that tell of a model or a checkpoint; NULL when memory is short. */
static char *format_view(const struct outline *o, const struct view_subject *of, uint32_t view)
{
    BUF_CLEANUP struct buf csv = {0};
    JSON_CLEANUP json_t *detail = NULL;
    int r = 0;
    switch ((enum view_live)view) {
    case VIEW_INFO:
        return format_json(of->checkpoint == SIZE_MAX
                               ? describe_model(o, of->place->origin, of->place->project_name)
                               : describe_checkpoint(o, of->checkpoint));
    case VIEW_METRICS:
        return format_json(describe_metrics(o, of->checkpoint));
    case VIEW_SUMMARY:
        detail = detail_make(o);
        json_t *summary = detail ? detail_summarize(detail) : NULL;
        return format_json(summary || !detail ? summary : json_object());
    case VIEW_DETAIL:
        return format_json(detail_make(o));
    case VIEW_METRICS_CSV:
        r = curves_format_checkpoints(o, &csv);
        break;
    default:
        r = curves_format_history(o, view - VIEW_HISTORY, &csv);
    }
    return r == 0 ? buf_steal(&csv) : NULL;
}

/* Adds such a file: as a text, or made when it is opened. */
static void add_view(struct layout_builder *b, uint32_t dir, const char *name, uint32_t view,
                     const struct view_subject *of)
{
    const struct outline *o = layout_outline(b);
    if (is_large(o) || (view == VIEW_INFO && of->checkpoint != SIZE_MAX))
        layout_add_live(b, dir, name, view);
    else
        layout_add_text(b, dir, name, format_view(o, of, view), of->mtime_ns);
}

/* metrics/<name> and metrics.json. */
static void add_metrics(struct layout_builder *b, uint32_t hidden, const struct view_subject *of)
{
    const struct outline *o = layout_outline(b);
    uint32_t dir = layout_add_dir(b, hidden, "metrics", of->mtime_ns);
    for (size_t m = 0; m < o->n_metrics; m++) {
        const struct metric_row *row = of->checkpoint == SIZE_MAX
                                           ? outline_model_value(o, m)
                                           : outline_value(o, of->checkpoint, m);
        char value[METRIC_TEXT_BYTES + 1];
        if (!row)
            continue;
        metric_format(row->value, value);
        layout_add_text(b, dir, row->name, strdup(strcat(value, "\n")), of->mtime_ns);
    }
    add_view(b, hidden, "metrics.json", VIEW_METRICS, of);
}

/* history/<name>.csv of each metric that has steps. */
static void add_history(struct layout_builder *b, uint32_t hidden, const struct view_subject *of)
{
    const struct outline *o = layout_outline(b);
    uint32_t dir = layout_add_dir(b, hidden, "history", of->mtime_ns);
    for (size_t m = 0; m < o->n_metrics; m++) {
        BUF_CLEANUP struct buf name = {0};
        if (o->rows[o->first_rows[m + 1] - 1].step != METRIC_LAST_STEP &&
            buf_printf(&name, "%s.csv", o->metrics[m]) == 0)
            add_view(b, dir, name.data, VIEW_HISTORY + (uint32_t)m, of);
    }
}

static int append_quoted(struct buf *out, const char *text)
{
    int r = 0;
    for (; r == 0 && *text; text++) {
        if (*text == '"' || *text == '\\')
            r = buf_putc(out, '\\');
        if (r == 0)
            r = buf_putc(out, *text);
    }
    return r;
}

/* TensorFlow's state file for a directory that holds one checkpoint; NULL when memory is short. */
static char *format_state(const char *prefix)
{
    static const char *const keys[] = {"model_checkpoint_path", "all_model_checkpoint_paths"};
    BUF_CLEANUP struct buf out = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < 2; i++) {
        r = buf_printf(&out, "%s: \"", keys[i]);
        if (r == 0)
            r = append_quoted(&out, prefix);
        if (r == 0)
            r = buf_puts(&out, "\"\n");
    }
    return r == 0 ? buf_steal(&out) : NULL;
}

struct sort_item {
    const char *path;
    uint32_t entry;
};

static int compare_items(const void *a, const void *b)
{
    const struct sort_item *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : (x->entry > y->entry) - (x->entry < y->entry);
}

/* A registry mostly lists its files in order: then a look is enough. */
static void sort_items(struct sort_item *items, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (compare_items(&items[i - 1], &items[i]) > 0) {
            qsort(items, n, sizeof(*items), compare_items);
            return;
        }
}

/* Adds files below @dir in the order of their paths, each cut by @cut_bytes. @files NULL: all of
 * the listing. */
static int add_files(struct layout_builder *b, const struct listing *listing, uint32_t dir,
                     const uint32_t *files, size_t n, size_t cut_bytes)
{
    CLEANUP(cleanup_free) struct sort_item *items = calloc(n + 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        size_t entry = files ? files[i] : i;
        items[i] = (struct sort_item){listing_id(listing, entry) + cut_bytes, (uint32_t)entry};
    }
    sort_items(items, n);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(items[i].path, items[i - 1].path) != 0) /* listed twice: one file */
            layout_add_file(b, dir, items[i].path, items[i].entry);
    return 0;
}

static bool has_tensors(const struct listing *listing, const struct checkpoint *c)
{
    for (size_t i = 0; i < c->n_files; i++)
        if (format_has_tensors(listing_id(listing, c->files[i])))
            return true;
    return false;
}

static int add_checkpoint(struct layout_builder *b, const struct listing *listing,
                          const struct layout_place *place, size_t index)
{
    const struct outline *o = layout_outline(b);
    const struct checkpoint *c = &o->checkpoints.items[index];
    int64_t mtime_ns = outline_mtime_ns(o, c);
    layout_enter_checkpoint(b, (int32_t)index);
    uint32_t dir = layout_add_dir(b, 0, c->name, mtime_ns);
    int r = add_files(b, listing, dir, c->files, c->n_files, strlen(c->directory));
    if (c->state_prefix)
        layout_add_text(b, dir, "checkpoint", format_state(c->state_prefix), mtime_ns);
    uint32_t hidden = layout_add_hidden(b, dir);
    const struct view_subject of = {place, index, mtime_ns};
    add_metrics(b, hidden, &of);
    add_view(b, hidden, "info.json", VIEW_INFO, &of);
    if (has_tensors(listing, c))
        layout_add_contents(b, hidden, "tensors", (uint32_t)index);
    layout_enter_checkpoint(b, -1);
    return r;
}

static void add_links(struct layout_builder *b)
{
    const struct outline *o = layout_outline(b);
    if (o->latest)
        layout_add_link(b, 0, "latest", o->latest->name);
    for (size_t i = 0; i < o->n_best; i++) {
        BUF_CLEANUP struct buf name = {0};
        if (buf_printf(&name, "best-%s", o->best[i].metric) == 0)
            layout_add_link(b, 0, name.data, o->checkpoints.items[o->best[i].checkpoint].name);
    }
}

static int build_model(struct layout_builder *b, const struct listing *listing,
                       const struct layout_place *place, const struct views_options *options,
                       uint32_t hidden)
{
    struct outline *o = layout_outline(b);
    const struct outline_hints hints = {place->directions, options->flaws, options->n_flaws};
    int64_t mtime_ns = listing->self.mtime_ns;
    int r = outline_init(o, listing, &hints);
    for (size_t i = 0; r == 0 && i < o->checkpoints.n; i++)
        r = add_checkpoint(b, listing, place, i);
    if (r == 0 && (o->checkpoints.n_rest || !o->checkpoints.n)) {
        uint32_t files = layout_add_dir(b, 0, "files", mtime_ns);
        r = add_files(b, listing, files, o->checkpoints.rest, o->checkpoints.n_rest, 0);
    }
    if (r == 0)
        r = add_files(b, listing, layout_add_dir(b, hidden, "files", mtime_ns), NULL,
                      listing->n_entries, 0);
    if (r < 0)
        return r;
    const struct view_subject of = {place, SIZE_MAX, mtime_ns};
    add_links(b);
    add_metrics(b, hidden, &of);
    add_history(b, hidden, &of);
    add_view(b, hidden, "info.json", VIEW_INFO, &of);
    add_view(b, hidden, "metrics.csv", VIEW_METRICS_CSV, &of);
    add_view(b, hidden, "summary.json", VIEW_SUMMARY, &of);
    add_view(b, hidden, "detail.json", VIEW_DETAIL, &of);
    return 0;
}

static void build_folders(struct layout_builder *b, const struct listing *listing,
                          const struct layout_place *place, uint32_t hidden)
{
    for (size_t i = 0; i < listing->n_entries; i++)
        layout_add_place(b, 0, (uint32_t)i);
    json_t *info = describe_listing(listing, place->origin, place->project_name);
    layout_add_text(b, hidden, "info.json", format_json(info), listing->self.mtime_ns);
}

int views_build(struct listing *listing, const struct layout_place *place,
                const struct views_options *options, struct layout **out)
{
    static const struct views_options none;
    struct layout_builder *b = layout_begin(listing, place);
    int r = 0;
    if (!b)
        return -ENOMEM;
    uint32_t hidden = layout_add_hidden(b, 0);
    if (listing->kind == LISTING_FILES)
        r = build_model(b, listing, place, options ? options : &none, hidden);
    else
        build_folders(b, listing, place, hidden);
    if (options && options->is_root) {
        layout_add_live(b, hidden, "stats", VIEW_STATS);
        layout_add_live(b, hidden, "stats.prom", VIEW_STATS_PROM);
        layout_add_live(b, hidden, "config", VIEW_CONFIG);
        layout_add_live(b, hidden, LAYOUT_STREAM_NAME, VIEW_TRACE);
    }
    struct layout *layout = NULL;
    int ended = layout_end(b, &layout);
    if (r == 0 && ended == 0)
        *out = layout;
    else
        layout_unref(layout);
    return r < 0 ? r : ended;
}

bool views_is_own_live(const struct layout *layout, uint32_t node)
{
    return layout->nodes[node].ref >= VIEW_INFO;
}

/* A checkpoint's info.json with what its files hold, or that they could not be read. */
static char *format_contents(const struct layout *layout, size_t checkpoint,
                             const struct layout *contents)
{
    const struct outline *o = &layout->outline;
    JSON_CLEANUP json_t *info = describe_checkpoint(o, checkpoint);
    int r = !info      ? -ENOMEM
            : contents ? describe_contents(info, &contents->contents->contents)
                       : json_object_set_new(info, "unread", json_true());
    if (r < 0)
        return NULL;
    return format_json(steal_ptr(info));
}

int views_live_text(const struct layout *layout, uint32_t node, const struct layout *contents,
                    struct buf *out)
{
    int32_t checkpoint = layout_checkpoint(layout, node);
    const struct view_subject of = {.place = &layout->place,
                                    .checkpoint = checkpoint < 0 ? SIZE_MAX : (size_t)checkpoint};
    CLEANUP(cleanup_free)
    char *text = views_tells_contents(layout, node)
                     ? format_contents(layout, of.checkpoint, contents)
                     : format_view(&layout->outline, &of, layout->nodes[node].ref);
    return text ? buf_puts(out, text) : -ENOMEM;
}
