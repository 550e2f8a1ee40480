/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_STATIC_LINKING_ONLY /* a hash state as a local */
#include "registry/outline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "util/cleanup.h"

/* Each checkpoint could have each metric: a hostile model, millions of millions. */
enum { VALUES_MAX = 1 << 24 };

static int find_checkpoints(struct outline *o)
{
    size_t n = o->listing->n_entries;
    CLEANUP(cleanup_free) struct checkpoint_file *files = calloc(n + 1, sizeof(*files));
    struct listing_entry entry;
    if (!files)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        listing_get(o->listing, i, &entry);
        files[i] = (struct checkpoint_file){entry.id, entry.size_bytes};
    }
    return checkpoints_find_referred(files, n, o->listing->references, o->listing->n_references,
                                     &o->checkpoints);
}

/* By metric and step, equal ones in the listing's order. */
static int compare_rows(const void *a, const void *b)
{
    const struct metric_row *const *x = a, *const *y = b;
    int order = metric_compare(*x, *y);
    return order ? order : (*x > *y) - (*x < *y);
}

/* Copies the listing's rows: those of one metric stand together, in the order of steps. */
static int sort_rows(struct outline *o)
{
    size_t n = o->listing->n_rows;
    CLEANUP(cleanup_free) const struct metric_row **sorted = calloc(n + 1, sizeof(*sorted));
    o->rows = calloc(n + 1, sizeof(*o->rows));
    if (!sorted || !o->rows)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &o->listing->rows[i];
    qsort(sorted, n, sizeof(*sorted), compare_rows);
    for (size_t i = 0; i < n; i++)
        o->rows[i] = *sorted[i];
    return 0;
}

static int collect_metrics(struct outline *o)
{
    size_t n = 0, n_rows = o->listing->n_rows;
    int r = sort_rows(o);
    o->metrics = calloc(n_rows + 1, sizeof(*o->metrics));
    o->first_rows = calloc(n_rows + 1, sizeof(*o->first_rows));
    if (r < 0 || !o->metrics || !o->first_rows)
        return -ENOMEM;
    for (size_t i = 0; i < n_rows; i++) {
        if (n && strcmp(o->metrics[n - 1], o->rows[i].name) == 0)
            continue;
        o->first_rows[n] = i;
        o->metrics[n++] = o->rows[i].name;
    }
    o->first_rows[n] = n_rows;
    o->n_metrics = n;
    return 0;
}

static struct metric_series series_of(const struct outline *o, size_t metric)
{
    size_t first = o->first_rows[metric];
    return (struct metric_series){o->rows + first, o->first_rows[metric + 1] - first};
}

static const struct metric_row *find_value(const struct outline *o, const struct checkpoint *c,
                                           struct metric_span span, size_t metric)
{
    struct metric_series series = series_of(o, metric);
    if (c->kind == CHECKPOINT_EXPORT)
        return c == o->latest ? metric_newest(series) : NULL;
    const struct metric_row *row = metric_at(series, span);
    return row || c != o->latest ? row : metric_summary(series);
}

/* The steps of the next checkpoint before and behind, past those of the same step; exports stand
 * behind all and have none. */
static void fill_spans(const struct checkpoints *c, struct metric_span *spans)
{
    size_t n = 0;
    while (n < c->n && c->items[n].kind == CHECKPOINT_STEP)
        n++;
    for (size_t i = 0; i < n; i++) {
        bool is_first = i == 0, is_twin = !is_first && c->items[i].step == c->items[i - 1].step;
        spans[i].step = c->items[i].step;
        spans[i].previous_step = is_first  ? METRIC_LAST_STEP
                                 : is_twin ? spans[i - 1].previous_step
                                           : c->items[i - 1].step;
    }
    for (size_t i = n; i-- > 0;) {
        bool is_last = i + 1 == n, is_twin = !is_last && c->items[i].step == c->items[i + 1].step;
        spans[i].next_step = is_last   ? INT64_MAX
                             : is_twin ? spans[i + 1].next_step
                                       : c->items[i + 1].step;
    }
}

static int fill_values(struct outline *o)
{
    const struct checkpoint *items = o->checkpoints.items;
    CLEANUP(cleanup_free)
    struct metric_span *spans = calloc(o->checkpoints.n + 1, sizeof(*spans));
    if (o->n_metrics && o->checkpoints.n <= VALUES_MAX / o->n_metrics)
        o->values = calloc(o->checkpoints.n * o->n_metrics, sizeof(*o->values));
    else if (!o->n_metrics)
        o->values = calloc(1, sizeof(*o->values));
    if (!o->values || !spans)
        return -ENOMEM;
    fill_spans(&o->checkpoints, spans);
    for (size_t c = 0; c < o->checkpoints.n; c++)
        for (size_t m = 0; m < o->n_metrics; m++)
            o->values[c * o->n_metrics + m] = find_value(o, &items[c], spans[c], m);
    return 0;
}

static void find_best(struct outline *o, const struct metric_directions *directions, size_t metric)
{
    struct outline_best best = {.metric = o->metrics[metric], .checkpoint = SIZE_MAX};
    double best_value = strtod("NaN", NULL);
    for (size_t c = 0; c < o->checkpoints.n; c++) {
        const struct metric_row *row = outline_value(o, c, metric);
        if (!row || o->checkpoints.items[c].missing ||
            !metric_beats(directions, best.metric, row->value, best_value))
            continue;
        best.checkpoint = c;
        best_value = row->value;
    }
    if (best.checkpoint != SIZE_MAX)
        o->best[o->n_best++] = best;
}

static int find_all_best(struct outline *o, const struct metric_directions *directions)
{
    o->best = calloc(o->n_metrics + 1, sizeof(*o->best));
    if (!o->best)
        return -ENOMEM;
    for (size_t m = 0; m < o->n_metrics; m++)
        if (metric_rates(directions, o->metrics[m]))
            find_best(o, directions, m);
    return 0;
}

static void hash_text(XXH3_state_t *h, const char *text)
{
    if (text)
        XXH3_64bits_update(h, text, strlen(text));
    XXH3_64bits_update(h, "", 1);
}

uint64_t outline_files_hash(const struct outline *o, const struct checkpoint *c)
{
    XXH3_state_t h;
    XXH3_64bits_reset(&h);
    for (size_t i = 0; i < c->n_files; i++) {
        struct listing_entry entry;
        listing_get(o->listing, c->files[i], &entry);
        int64_t mtime_ns = entry.etag || entry.has_digest ? 0 : entry.mtime_ns;
        hash_text(&h, entry.id);
        hash_text(&h, entry.etag);
        XXH3_64bits_update(&h, &mtime_ns, sizeof(mtime_ns));
        XXH3_64bits_update(&h, &entry.size_bytes, sizeof(entry.size_bytes));
        if (entry.has_digest)
            XXH3_64bits_update(&h, entry.digest.bytes, sizeof(entry.digest.bytes));
    }
    return XXH3_64bits_digest(&h);
}

/* Flaws are few: those of the checkpoints that somebody looked into. */
static int note_flaws(struct outline *o, const struct outline_hints *hints)
{
    for (size_t i = 0; hints->n_flaws && i < o->checkpoints.n; i++) {
        struct checkpoint *c = &o->checkpoints.items[i];
        uint64_t files = c->missing ? 0 : outline_files_hash(o, c);
        for (size_t k = 0; !c->missing && k < hints->n_flaws; k++)
            if (hints->flaws[k].files == files && !(c->missing = strdup(hints->flaws[k].missing)))
                return -ENOMEM;
    }
    return 0;
}

int outline_init(struct outline *o, const struct listing *listing,
                 const struct outline_hints *hints)
{
    static const struct outline_hints none;
    *o = (struct outline){.listing = listing};
    hints = hints ? hints : &none;
    int r = find_checkpoints(o);
    if (r == 0)
        r = note_flaws(o, hints);
    o->latest = r == 0 ? checkpoints_latest(&o->checkpoints, listing->latest) : NULL;
    if (r == 0)
        r = collect_metrics(o);
    if (r == 0)
        r = fill_values(o);
    if (r == 0)
        r = find_all_best(o, hints->directions);
    if (r < 0)
        outline_deinit(o);
    return r;
}

void outline_deinit(struct outline *o)
{
    checkpoints_deinit(&o->checkpoints);
    free(o->rows);
    free(o->first_rows);
    free(o->metrics);
    free(o->values);
    free(o->best);
    *o = (struct outline){0};
}

const struct metric_row *outline_value(const struct outline *o, size_t checkpoint, size_t metric)
{
    return o->values[checkpoint * o->n_metrics + metric];
}

const struct metric_row *outline_model_value(const struct outline *o, size_t metric)
{
    if (!o->latest)
        return metric_newest(series_of(o, metric));
    return outline_value(o, (size_t)(o->latest - o->checkpoints.items), metric);
}

/* Sizes are what the registry says: such as overflow are lies, and their sum stays one that JSON
 * can hold. */
static uint64_t add_size(uint64_t sum, const struct listing *listing, size_t file)
{
    struct listing_entry entry;
    listing_get(listing, file, &entry);
    bool overflow = __builtin_add_overflow(sum, entry.size_bytes, &sum);
    return overflow || sum > INT64_MAX ? INT64_MAX : sum;
}

uint64_t outline_size_bytes(const struct outline *o, const struct checkpoint *c)
{
    uint64_t size = 0;
    for (size_t i = 0; i < c->n_files; i++)
        size = add_size(size, o->listing, c->files[i]);
    return size;
}

uint64_t outline_model_size_bytes(const struct outline *o)
{
    uint64_t size = 0;
    for (size_t i = 0; i < o->listing->n_entries; i++)
        size = add_size(size, o->listing, i);
    return size;
}

int64_t outline_mtime_ns(const struct outline *o, const struct checkpoint *c)
{
    struct listing_entry entry;
    int64_t newest = 0;
    for (size_t i = 0; i < c->n_files; i++) {
        listing_get(o->listing, c->files[i], &entry);
        if (entry.mtime_ns > newest)
            newest = entry.mtime_ns;
    }
    return newest ? newest : o->listing->self.mtime_ns;
}
