/* SPDX-License-Identifier: Apache-2.0 */
#include "model/history_sources.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/formats.h"

/* A file, and what it repeats: a trainer state the one before it in the same directory. */
struct source {
    const char *path;
    size_t group_len; /* of the path: up to `checkpoint-`; all of it where nothing is repeated */
    uint64_t step;
    uint32_t index;
};

static const char state_dir[] = "checkpoint-", state_name[] = "/trainer_state.json";

/* Reads `<directory>/checkpoint-<step>/trainer_state.json`. */
static bool is_trainer_state(struct source *source)
{
    const char *end = source->path + strlen(source->path) - strlen(state_name), *at = end;
    if (end <= source->path || strcmp(end, state_name) != 0)
        return false;
    while (at > source->path && isdigit((unsigned char)at[-1]))
        at--;
    size_t before = (size_t)(at - source->path), n = strlen(state_dir);
    if (at == end || end - at > 18 || before < n || memcmp(at - n, state_dir, n) != 0 ||
        (before > n && at[-(ptrdiff_t)n - 1] != '/'))
        return false;
    source->group_len = before - n;
    source->step = strtoull(at, NULL, 10);
    return true;
}

/* By group, those of one by step. */
static int compare_sources(const void *a, const void *b)
{
    const struct source *x = a, *y = b;
    size_t n = x->group_len < y->group_len ? x->group_len : y->group_len;
    int order = memcmp(x->path, y->path, n);
    if (!order)
        order = (x->group_len > y->group_len) - (x->group_len < y->group_len);
    if (!order)
        order = (x->step > y->step) - (x->step < y->step);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const struct source *)a)->path, ((const struct source *)b)->path);
}

/* Leaves of each group the last. How many are left. */
static size_t drop_repeated(struct source *sources, size_t n)
{
    size_t kept = 0;
    qsort(sources, n, sizeof(*sources), compare_sources);
    for (size_t i = 0; i < n; i++) {
        bool repeated = i + 1 < n && sources[i].group_len == sources[i + 1].group_len &&
                        memcmp(sources[i].path, sources[i + 1].path, sources[i].group_len) == 0;
        if (!repeated)
            sources[kept++] = sources[i];
    }
    return kept;
}

/* Moves the trainer states to the front; how many there are. */
static size_t part_states(struct source *sources, size_t n)
{
    size_t n_states = 0;
    for (size_t i = 0; i < n; i++) {
        struct source source = sources[i];
        if (!is_trainer_state(&source))
            continue;
        sources[i] = sources[n_states];
        sources[n_states++] = source;
    }
    return n_states;
}

static size_t collect(const char *const *paths, size_t n, struct source *out)
{
    size_t n_out = 0;
    for (size_t i = 0; i < n; i++)
        if (format_history_parser(paths[i]))
            out[n_out++] = (struct source){.path = paths[i], .index = (uint32_t)i};
    return n_out;
}

int history_sources_pick(const char *const *paths, size_t n, uint32_t **out, size_t *out_n)
{
    struct source *sources = calloc(n + 1, sizeof(*sources));
    uint32_t *picked = calloc(n + 1, sizeof(*picked));
    if (!sources || !picked) {
        free(sources);
        free(picked);
        return -ENOMEM;
    }
    size_t found = collect(paths, n, sources), n_states = part_states(sources, found);
    size_t kept = drop_repeated(sources, n_states);
    memmove(sources + kept, sources + n_states, (found - n_states) * sizeof(*sources));
    kept += found - n_states;
    qsort(sources, kept, sizeof(*sources), compare_paths);
    kept = kept < HISTORY_MAX_SOURCES ? kept : HISTORY_MAX_SOURCES;
    for (size_t i = 0; i < kept; i++)
        picked[i] = sources[i].index;
    free(sources);
    *out = picked;
    *out_n = kept;
    return 0;
}
