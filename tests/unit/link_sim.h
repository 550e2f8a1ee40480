/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated link and file, for what reads ahead: virtual time in milliseconds, no threads, no
 * noise. Ranges are brought whole, over connections that each have a rate and together have one;
 * urgent ranges before others, as net/http_queue does. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SIM_PIECE_BYTES (UINT64_C(64) << 10)

enum { SIM_MAX_RANGES = 65536 };

struct sim_link {
    double rtt_ms;
    double connection_rate; /* bytes a millisecond, on the average */
    double total_rate;
    int connections, for_bulk; /* ranges at a time; of these, other than urgent */
};

struct sim_range {
    uint64_t off, end, got;
    bool urgent, sent, done;
    double flows_ms; /* its first byte comes then */
    double rate;     /* of its connection alone */
};

struct sim {
    struct sim_link link;
    uint64_t size, n_pieces;
    double now_ms;
    bool *asked, *here; /* by piece */
    uint64_t bytes_fetched, in_flight_bytes, most_in_flight_bytes;
    size_t n_ranges, first_open;
    struct sim_range *ranges;
};

static inline struct sim *sim_new(const struct sim_link *link, uint64_t size)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    assert(sim);
    sim->link = *link;
    sim->size = size;
    sim->n_pieces = (size + SIM_PIECE_BYTES - 1) / SIM_PIECE_BYTES;
    sim->asked = calloc(sim->n_pieces + 1, sizeof(bool));
    sim->here = calloc(sim->n_pieces + 1, sizeof(bool));
    sim->ranges = calloc(SIM_MAX_RANGES, sizeof(*sim->ranges));
    assert(sim->asked && sim->here && sim->ranges);
    return sim;
}

static inline void sim_free(struct sim *sim)
{
    free(sim->asked);
    free(sim->here);
    free(sim->ranges);
    free(sim);
}

static inline void sim_add_range(struct sim *sim, uint64_t off, uint64_t end, bool urgent)
{
    assert(sim->n_ranges < SIM_MAX_RANGES);
    sim->ranges[sim->n_ranges++] = (struct sim_range){
        .off = off,
        .end = end,
        .got = off,
        .urgent = urgent,
        /* No two connections are equal; if they were, all ranges would end at the same moment. */
        .rate =
            sim->link.connection_rate * (0.75 + 0.5 * (double)(sim->n_ranges * 7919 % 101) / 101),
    };
    sim->in_flight_bytes += end - off;
    if (sim->in_flight_bytes > sim->most_in_flight_bytes)
        sim->most_in_flight_bytes = sim->in_flight_bytes;
}

/* Asks for the pieces of [off, off + len) that nobody asked for, each run of them a range. */
static inline void sim_ask(struct sim *sim, uint64_t off, uint64_t len, bool urgent)
{
    uint64_t end = off + len < sim->size ? off + len : sim->size;
    uint64_t first = off / SIM_PIECE_BYTES, last = (end + SIM_PIECE_BYTES - 1) / SIM_PIECE_BYTES;
    for (uint64_t i = first; i < last; i++) {
        uint64_t from = i;
        while (i < last && !sim->asked[i])
            sim->asked[i++] = true;
        uint64_t to = i * SIM_PIECE_BYTES < sim->size ? i * SIM_PIECE_BYTES : sim->size;
        if (from < i)
            sim_add_range(sim, from * SIM_PIECE_BYTES, to, urgent);
    }
}

static inline bool sim_has(const struct sim *sim, uint64_t off, uint64_t len)
{
    uint64_t end = off + len < sim->size ? off + len : sim->size;
    for (uint64_t i = off / SIM_PIECE_BYTES; i * SIM_PIECE_BYTES < end; i++)
        if (!sim->here[i])
            return false;
    return true;
}

/* Sends what a connection is free for. */
static inline void sim_send(struct sim *sim)
{
    int n_sent = 0;
    for (size_t i = sim->first_open; i < sim->n_ranges; i++)
        n_sent += sim->ranges[i].sent && !sim->ranges[i].done;
    for (int urgent = 1; urgent >= 0; urgent--)
        for (size_t i = sim->first_open; i < sim->n_ranges; i++) {
            struct sim_range *range = &sim->ranges[i];
            int most = urgent ? sim->link.connections : sim->link.for_bulk;
            if (range->sent || range->urgent != urgent || n_sent >= most)
                continue;
            range->sent = true;
            range->flows_ms = sim->now_ms + sim->link.rtt_ms;
            n_sent++;
        }
}

static inline void sim_bring(struct sim *sim, struct sim_range *range, double bytes)
{
    uint64_t left = range->end - range->got, n = bytes < (double)left ? (uint64_t)bytes : left;
    range->got += n;
    sim->bytes_fetched += n;
    sim->in_flight_bytes -= n;
    range->done = range->got == range->end;
    for (uint64_t i = range->off / SIM_PIECE_BYTES; i * SIM_PIECE_BYTES < range->end; i++) {
        uint64_t end = (i + 1) * SIM_PIECE_BYTES;
        sim->here[i] |= range->got >= (end < range->end ? end : range->end);
    }
}

static inline bool sim_flows(const struct sim *sim, const struct sim_range *range)
{
    return range->sent && !range->done && range->flows_ms <= sim->now_ms;
}

/* A millisecond goes by. */
static inline void sim_step(struct sim *sim)
{
    double rates = 1;
    sim_send(sim);
    sim->now_ms += 1;
    for (size_t i = sim->first_open; i < sim->n_ranges; i++)
        rates += sim_flows(sim, &sim->ranges[i]) ? sim->ranges[i].rate : 0;
    double part = sim->link.total_rate < rates ? sim->link.total_rate / rates : 1;
    for (size_t i = sim->first_open; i < sim->n_ranges; i++)
        if (sim_flows(sim, &sim->ranges[i]))
            sim_bring(sim, &sim->ranges[i], sim->ranges[i].rate * part);
    while (sim->first_open < sim->n_ranges && sim->ranges[sim->first_open].done)
        sim->first_open++;
}
