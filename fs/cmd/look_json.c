/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/look_json.h"

#include <string.h>

static json_t *new_int(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

/* @part of @all, or null. */
static json_t *new_ratio(uint64_t part, uint64_t all)
{
    return all ? json_real((double)part / (double)all) : json_null();
}

static json_t *new_latency(const struct histogram *h)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "count", new_int(histogram_count(h)),
                     "sum_ns", new_int(h->sum), "max_ns", new_int(h->max), "p50_ns",
                     new_int(histogram_quantile(h, 0.5)), "p90_ns",
                     new_int(histogram_quantile(h, 0.9)), "p99_ns",
                     new_int(histogram_quantile(h, 0.99)));
}

/* Reads of files by source, and all of them together. */
static json_t *new_latencies(const struct look *look)
{
    JSON_CLEANUP json_t *all = json_object();
    struct histogram reads = {0};
    for (size_t i = 0; i < look->n_latencies; i++) {
        const struct look_latency *latency = &look->latencies[i];
        json_object_set_new(all, latency->name, new_latency(&latency->took));
        if (strncmp(latency->name, "read_", 5) == 0 && strcmp(latency->name, "read_other") != 0)
            histogram_merge(&reads, &latency->took);
    }
    return json_object_set_new(all, "read", new_latency(&reads)) < 0 ? NULL : steal_ptr(all);
}

static json_t *new_origins(const struct look *look)
{
    json_t *all = json_array();
    for (size_t i = 0; i < look->n_origins; i++) {
        const struct look_origin *o = &look->origins[i];
        json_array_append_new(all, json_pack("{s:s, s:o, s:o, s:o}", "origin", o->name, "rtt_us",
                                             new_int(o->rtt_us), "connection_bytes_per_s",
                                             new_int(o->connection_bytes_per_s),
                                             "total_bytes_per_s", new_int(o->total_bytes_per_s)));
    }
    return all;
}

json_t *look_json(const struct look_text *text)
{
    const struct look *look = text->now;
    uint64_t cached = look_get(look, "answered_cached_bytes");
    uint64_t read =
        cached + look_get(look, "answered_joined_bytes") + look_get(look, "answered_fetched_bytes");
    JSON_CLEANUP json_t *all = json_object();
    json_object_set_new(all, "dir", json_new_text(text->dir));
    json_object_set_new(all, "source", json_new_text(text->source));
    for (size_t i = 0; i < look->n_figures; i++)
        json_object_set_new(all, look->figures[i].name, new_int(look->figures[i].value));
    json_object_set_new(all, "hit_rate", new_ratio(cached, read));
    json_object_set_new(all, "amplification",
                        new_ratio(look_get(look, "bytes_fetched"), look_get(look, "bytes_asked")));
    json_object_set_new(all, "latency", new_latencies(look));
    return json_object_set_new(all, "origins", new_origins(look)) < 0 ? NULL : steal_ptr(all);
}
