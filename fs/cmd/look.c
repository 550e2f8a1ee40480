/* SPDX-License-Identifier: Apache-2.0 */
/* Each line is a name and a number; behind it may stand details: the buckets of a latency, or whose
 * the number is. */
#include "cmd/look.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

static const char latency_prefix[] = "latency_", origin_prefix[] = "origin_";

/* A line in its parts. */
struct line {
    char name[LOOK_NAME_BYTES];
    uint64_t value;
    const char *details; /* "" where there are none */
};

/* False for what is no line of ours. */
static bool split(const char *text, struct line *out)
{
    size_t len = strcspn(text, " ");
    char *end;
    if (!len || len >= sizeof(out->name) || text[len] != ' ' ||
        !isdigit((unsigned char)text[len + 1]))
        return false;
    memcpy(out->name, text, len);
    out->name[len] = '\0';
    errno = 0;
    out->value = strtoull(text + len + 1, &end, 10);
    out->details = *end == ' ' ? end + 1 : end;
    return errno == 0 && (*end == ' ' || *end == '\0');
}

/* Takes the ending off a name that has it. */
static bool strip(char *name, const char *ending)
{
    size_t len = strlen(name), n = strlen(ending);
    if (len <= n || strcmp(name + len - n, ending) != 0)
        return false;
    name[len - n] = '\0';
    return true;
}

static struct look_latency *find_latency(struct look *look, const char *name)
{
    for (size_t i = 0; i < look->n_latencies; i++)
        if (strcmp(look->latencies[i].name, name) == 0)
            return &look->latencies[i];
    if (look->n_latencies == LOOK_MAX_LATENCIES)
        return NULL;
    struct look_latency *latency = &look->latencies[look->n_latencies++];
    snprintf(latency->name, sizeof(latency->name), "%s", name);
    return latency;
}

static bool add_latency(struct look *look, const struct line *line)
{
    char name[LOOK_NAME_BYTES];
    strcpy(name, line->name + strlen(latency_prefix));
    bool is_sum = strip(name, "_sum_ns"), is_max = !is_sum && strip(name, "_max_ns");
    if (!is_sum && !is_max && !strip(name, "_ns"))
        return false;
    struct look_latency *latency = find_latency(look, name);
    if (latency && is_sum)
        latency->took.sum = line->value;
    else if (latency && is_max)
        latency->took.max = line->value;
    else if (latency)
        return histogram_parse(line->details, &latency->took) == 0;
    return latency != NULL;
}

static struct look_origin *find_origin(struct look *look, const char *name)
{
    for (size_t i = 0; i < look->n_origins; i++)
        if (strcmp(look->origins[i].name, name) == 0)
            return &look->origins[i];
    if (look->n_origins == LOOK_MAX_ORIGINS || strlen(name) >= LOOK_ORIGIN_BYTES)
        return NULL;
    struct look_origin *origin = &look->origins[look->n_origins++];
    strcpy(origin->name, name);
    return origin;
}

static bool add_origin(struct look *look, const struct line *line)
{
    const char *what = line->name + strlen(origin_prefix);
    struct look_origin *origin = *line->details ? find_origin(look, line->details) : NULL;
    if (origin && strcmp(what, "rtt_us") == 0)
        origin->rtt_us = line->value;
    else if (origin && strcmp(what, "connection_bytes_per_s") == 0)
        origin->connection_bytes_per_s = line->value;
    else if (origin && strcmp(what, "total_bytes_per_s") == 0)
        origin->total_bytes_per_s = line->value;
    return origin != NULL;
}

static bool add_figure(struct look *look, const struct line *line)
{
    if (look->n_figures == LOOK_MAX_FIGURES)
        return false;
    struct look_figure *figure = &look->figures[look->n_figures++];
    strcpy(figure->name, line->name);
    figure->value = line->value;
    return true;
}

static bool add_line(struct look *look, const char *text)
{
    struct line line;
    if (!split(text, &line))
        return false;
    if (strncmp(line.name, latency_prefix, strlen(latency_prefix)) == 0)
        return add_latency(look, &line);
    if (strncmp(line.name, origin_prefix, strlen(origin_prefix)) == 0)
        return add_origin(look, &line);
    return add_figure(look, &line);
}

static const struct look_figure *find_figure(const struct look *look, const char *name)
{
    for (size_t i = 0; i < look->n_figures; i++)
        if (strcmp(look->figures[i].name, name) == 0)
            return &look->figures[i];
    return NULL;
}

int look_parse(const char *text, struct look *out)
{
    CLEANUP(cleanup_free) char *copy = strdup(text);
    memset(out, 0, sizeof(*out));
    if (!copy)
        return -ENOMEM;
    for (char *at = copy, *line; (line = strsep(&at, "\n"));)
        add_line(out, line);
    return find_figure(out, "lookups") && find_figure(out, "reads") ? 0 : -EINVAL;
}

uint64_t look_get(const struct look *look, const char *name)
{
    const struct look_figure *figure = find_figure(look, name);
    return figure ? figure->value : 0;
}

uint64_t look_grew(const struct look *look, const struct look *earlier, const char *name)
{
    uint64_t now = look_get(look, name), then = earlier ? look_get(earlier, name) : 0;
    return now > then ? now - then : 0;
}

void look_latency(const struct look *look, const struct look *earlier, const char *name,
                  struct histogram *out)
{
    struct histogram before;
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < look->n_latencies; i++)
        if (strcmp(look->latencies[i].name, name) == 0)
            *out = look->latencies[i].took;
    if (!earlier)
        return;
    look_latency(earlier, NULL, name, &before);
    histogram_subtract(out, &before);
}
