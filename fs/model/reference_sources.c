/* SPDX-License-Identifier: Apache-2.0 */
#include "model/reference_sources.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/checkpoints.h"
#include "model/formats.h"
#include "util/cleanup.h"

static bool is_source(const char *path)
{
    return format_reference_parser(path) != NULL;
}

/* Nobody keeps weights in a README: most models have such files, and need not be read for them. */
static bool may_hold_weights(const char *path)
{
    static const char *const ends[] = {".md",    ".txt",  ".json", ".jsonl", ".yaml",   ".yml",
                                       ".csv",   ".tsv",  ".py",   ".ipynb", ".log",    ".html",
                                       ".xml",   ".toml", ".cfg",  ".ini",   ".sh",     ".png",
                                       ".jpg",   ".jpeg", ".gif",  ".svg",   ".pdf",    ".zip",
                                       ".model", ".mp4",  ".wav",  "README", "LICENSE", "NOTICE"};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t n = strlen(ends[i]);
        if (len >= n && strcasecmp(name + len - n, ends[i]) == 0)
            return false;
    }
    return *name != '.' && !format_history_parser(path);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The files of no checkpoint that may hold weights, sorted, in fresh memory; NULL when memory is
 * short. */
static const char **collect_odd(const struct checkpoints *c, const char *const *paths,
                                size_t *out_n)
{
    const char **odd = calloc(c->n_rest + 1, sizeof(*odd));
    *out_n = 0;
    for (size_t i = 0; odd && i < c->n_rest; i++)
        if (may_hold_weights(paths[c->rest[i]]))
            odd[(*out_n)++] = paths[c->rest[i]];
    if (odd)
        qsort(odd, *out_n, sizeof(*odd), compare_paths);
    return odd;
}

/* Whether one of the sorted @paths is below @directory. */
static bool has_below(const char *const *paths, size_t n, const char *directory)
{
    size_t low = 0, high = n, len = strlen(directory);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strncmp(paths[middle], directory, len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && strncmp(paths[low], directory, len) == 0;
}

static int compare_indices(const void *a, const void *b, void *ctx)
{
    const char *const *paths = (const char *const *)ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = strcmp(paths[x], paths[y]);
    return order ? order : (x > y) - (x < y);
}

static int pick(const struct checkpoints *c, const char *const *paths, uint32_t *out, size_t *out_n)
{
    size_t n_odd, n = 0;
    CLEANUP(cleanup_free) const char **odd = collect_odd(c, paths, &n_odd);
    if (!odd)
        return -ENOMEM;
    for (size_t i = 0; n_odd && i < c->n; i++) {
        const struct checkpoint *item = &c->items[i];
        if (item->n_files == 1 && is_source(paths[item->files[0]]) &&
            has_below(odd, n_odd, item->directory))
            out[n++] = item->files[0];
    }
    qsort_r(out, n, sizeof(*out), compare_indices, (void *)paths);
    *out_n = n < REFERENCE_SOURCES_MAX ? n : REFERENCE_SOURCES_MAX;
    return 0;
}

static int find_and_pick(const char *const *paths, size_t n, uint32_t *out, size_t *out_n)
{
    CLEANUP(checkpoints_deinit) struct checkpoints c = {0};
    CLEANUP(cleanup_free) struct checkpoint_file *files = calloc(n + 1, sizeof(*files));
    if (!files)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        files[i] = (struct checkpoint_file){paths[i], 1};
    int r = checkpoints_find(files, n, &c);
    return r == 0 ? pick(&c, paths, out, out_n) : r;
}

int reference_sources_pick(const char *const *paths, size_t n, uint32_t **out, size_t *out_n)
{
    size_t n_sources = 0;
    for (size_t i = 0; i < n; i++)
        n_sources += is_source(paths[i]);
    uint32_t *picked = calloc(n_sources + 1, sizeof(*picked));
    int r = picked ? 0 : -ENOMEM;
    *out_n = 0;
    if (r == 0 && n_sources)
        r = find_and_pick(paths, n, picked, out_n);
    *out = r == 0 ? picked : NULL;
    if (r < 0)
        free(picked);
    return r;
}
