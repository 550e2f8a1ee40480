/* SPDX-License-Identifier: Apache-2.0 */
#include "read/plan.h"

#include <errno.h>

#include "read/flight.h"
#include "read/landing.h"
#include "read/verify.h"

void plan_close(struct plan *plan)
{
    if (!plan->n_flights)
        return;
    struct span *span =
        span_new(plan->blob, plan->off, plan->end, plan->flights, plan->n_flights, plan->urgent);
    if (span)
        plan->spans = span_chain(plan->spans, span);
    for (int i = 0; !span && i < plan->n_flights; i++)
        plan->flights[i]->lost |=
            flight_pieces(plan->flights[i]->block, plan->off, plan->end - plan->off);
    plan->lost |= !span;
    plan->n_flights = 0;
}

/* Whether what begins at @from goes into a span of its own. Spans end at multiples of their size,
 * wherever they begin, so that two plans leave no scraps. */
static bool is_apart(const struct plan *plan, uint64_t from)
{
    const struct reach *reach = &plan->blob->reach;
    uint64_t most = plan->urgent ? reach->urgent_bytes : reach->ahead_bytes;
    if (verify_is_at_once(plan->blob))
        return false;
    return plan->end != from || from % most == 0;
}

/* Adds [from, to) of @flight to the plan. */
static void plan_add(struct plan *plan, struct flight *flight, uint64_t from, uint64_t to)
{
    bool same = plan->n_flights && plan->flights[plan->n_flights - 1] == flight;
    if (is_apart(plan, from) || (!same && plan->n_flights == SPAN_MAX_BLOCKS))
        plan_close(plan);
    if (!plan->n_flights)
        plan->off = from;
    if (!plan->n_flights || !same)
        plan->flights[plan->n_flights++] = flight;
    plan->end = to;
}

void plan_request(struct plan *plan, struct flight *flight, uint16_t need)
{
    uint64_t start = flight->block * BLOCK_BYTES, size = plan->blob->size_bytes;
    if (verify_is_at_once(plan->blob))
        need = flight_all_pieces(flight->block, size);
    uint16_t missing = (uint16_t)(need & ~flight->requested);
    flight->requested |= missing;
    for (unsigned i = 0; i < BLOCK_PIECES; i++) {
        if (!(missing & (1u << i)))
            continue;
        uint64_t from = start + i * PIECE_BYTES, to = from + PIECE_BYTES;
        plan_add(plan, flight, from, to < size ? to : size);
    }
}

/* The first flight with lost pieces, and those, with a reference. */
static struct flight *take_lost(struct blob *blob, uint16_t *out_pieces)
{
    struct flight *flight = NULL;
    pthread_mutex_lock(&blob->lock);
    for (int i = 0; !flight && i < BLOB_CHAINS; i++)
        for (flight = blob->flights[i]; flight && !flight->lost;)
            flight = flight->next;
    if (flight) {
        flight_ref(flight);
        *out_pieces = flight->lost;
        flight->lost = 0;
    }
    pthread_mutex_unlock(&blob->lock);
    return flight;
}

void plan_run(struct plan *plan)
{
    struct flight *flight;
    uint16_t pieces;
    span_start_all(plan->spans);
    while (plan->lost && (flight = take_lost(plan->blob, &pieces))) {
        landing_settle(plan->blob, flight, pieces, -ENOMEM);
        flight_unref(flight);
    }
}
