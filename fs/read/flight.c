/* SPDX-License-Identifier: Apache-2.0 */
#include "read/flight.h"

#include <assert.h>
#include <stdlib.h>

uint16_t flight_pieces(uint32_t block, uint64_t off, uint64_t len)
{
    uint64_t start = block * BLOCK_BYTES, end = start + BLOCK_BYTES;
    uint64_t from = off > start ? off : start, to = off + len < end ? off + len : end;
    if (from >= to)
        return 0;
    unsigned first = (unsigned)((from - start) / PIECE_BYTES),
             last = (unsigned)((to - 1 - start) / PIECE_BYTES);
    return (uint16_t)((UINT32_C(2) << last) - (UINT32_C(1) << first));
}

uint16_t flight_all_pieces(uint32_t block, uint64_t size)
{
    uint64_t start = block * BLOCK_BYTES;
    return size > start ? flight_pieces(block, start, size - start) : 0;
}

static struct flight **chain_of(struct blob *blob, uint32_t block)
{
    return &blob->flights[block % BLOB_CHAINS];
}

struct flight *flight_new(struct blob *blob, uint32_t block, struct block_buf *buf)
{
    struct flight *flight = calloc(1, sizeof(*flight));
    if (!flight)
        return NULL;
    struct flight **chain = chain_of(blob, block);
    *flight =
        (struct flight){.next = *chain, .refs = 1, .buf = buf, .block = block, .in_table = true};
    buf->blob = blob->id;
    buf->block = block;
    buf->len = blob_block_bytes(blob, block);
    *chain = flight;
    return flight;
}

struct flight *flight_ref(struct flight *flight)
{
    __atomic_add_fetch(&flight->refs, 1, __ATOMIC_RELAXED);
    return flight;
}

void flight_unref(struct flight *flight)
{
    if (!flight || __atomic_sub_fetch(&flight->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    assert(!flight->waits);
    block_buf_unref(flight->buf);
    free(flight);
}

struct flight *flight_remove(struct blob *blob, struct flight *flight)
{
    if (!flight->in_table)
        return NULL;
    struct flight **at = chain_of(blob, flight->block);
    while (*at != flight)
        at = &(*at)->next;
    *at = flight->next;
    flight->in_table = false;
    return flight;
}

struct flight *flight_find(const struct blob *blob, uint32_t block, uint16_t need)
{
    struct flight *open = NULL;
    for (struct flight *flight = blob->flights[block % BLOB_CHAINS]; flight;
         flight = flight->next) {
        if (flight->block != block)
            continue;
        if ((need & ~flight->requested) == 0)
            return flight;
        if (!flight->sealed)
            open = flight;
    }
    return open;
}

/* A read of pieces @need is answered. Of its last one more may be wanted. */
static void take_pieces(struct flight *flight, const struct wait *wait, uint16_t need)
{
    uint64_t end = wait->off + wait->len, start = flight->block * BLOCK_BYTES;
    bool ends_inside = end % PIECE_BYTES != 0 && end > start && end < start + flight->buf->len;
    if (ends_inside)
        need &= (uint16_t) ~(1u << ((end - start) / PIECE_BYTES));
    flight->taken |= need;
}

bool flight_is_taken(const struct flight *flight)
{
    return flight->filled && flight->taken == flight->filled;
}

void flight_join(struct flight *flight, struct wait *wait, uint16_t need)
{
    int i = wait->n_flights++;
    assert(i < WAIT_MAX_BLOCKS);
    wait->flights[i] = flight_ref(flight);
    if ((need & ~flight->filled) == 0) {
        take_pieces(flight, wait, need);
        return;
    }
    wait->links[i] = (struct wait_link){.wait = wait, .next = flight->waits, .need = need};
    flight->waits = &wait->links[i];
    wait->n_pending++;
}

/* Whether a link has an answer: its pieces are here, or one of them failed. */
static bool is_settled(const struct flight *flight, const struct wait_link *link, uint16_t pieces,
                       int err)
{
    if ((link->need & ~flight->filled) == 0)
        return true;
    return err && (link->need & pieces);
}

void flight_settle(struct flight *flight, uint16_t pieces, int err, struct wait **finished)
{
    if (!err)
        flight->filled |= pieces;
    else
        flight->requested &= (uint16_t) ~(pieces & ~flight->filled);
    for (struct wait_link **at = &flight->waits; *at;) {
        struct wait_link *link = *at;
        struct wait *wait = link->wait;
        if (!is_settled(flight, link, pieces, err)) {
            at = &link->next;
            continue;
        }
        *at = link->next;
        if (link->need & ~flight->filled)
            wait->err = err;
        else
            take_pieces(flight, wait, link->need);
        if (--wait->n_pending == 0) {
            wait->next = *finished;
            *finished = wait;
        }
    }
}

/* The read's bytes as they lie in its blocks' buffers. */
static int gather(const struct wait *wait, struct iovec iov[WAIT_MAX_BLOCKS])
{
    uint64_t off = wait->off, end = wait->off + wait->len;
    int n = 0;
    for (; off < end; n++) {
        uint64_t within = off % BLOCK_BYTES, run = BLOCK_BYTES - within;
        if (run > end - off)
            run = end - off;
        iov[n] = (struct iovec){wait->flights[n]->buf->data + within, run};
        off += run;
    }
    return n;
}

void waits_finish(struct wait *finished)
{
    struct iovec iov[WAIT_MAX_BLOCKS];
    while (finished) {
        struct wait *wait = finished;
        finished = wait->next;
        struct read_answer answer = {.err = wait->err, .source = wait->source, .iov = iov};
        if (!answer.err)
            answer.n_iov = gather(wait, iov);
        wait->done(wait->ctx, &answer);
        for (int i = 0; i < wait->n_flights; i++)
            flight_unref(wait->flights[i]);
        free(wait);
    }
}
