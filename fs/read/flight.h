/* SPDX-License-Identifier: Apache-2.0 */
/* A flight: one block of a blob on its way, shared by everybody who wants a piece of it, and the
 * reads that wait for it. All calls are under the blob's lock unless said otherwise. Pure: no I/O,
 * no threads of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/blocks.h"
#include "read/answer.h"
#include "read/blob.h"

enum {
    WAIT_MAX_BLOCKS = 2, /* a read is at most a block long: it touches two */
    WAIT_MAX_BYTES = 1 << 20,
};

/* A read that waits. */
struct wait {
    uint64_t off;
    size_t len;
    read_done_fn *done;
    void *ctx;
    int n_pending; /* flights that still lack one of its pieces */
    int err;
    enum read_source source;
    int n_flights;
    struct flight *flights[WAIT_MAX_BLOCKS]; /* a reference each */
    struct wait_link {
        struct wait *wait;
        struct wait_link *next; /* in the flight's list */
        uint16_t need;          /* pieces of that flight */
    } links[WAIT_MAX_BLOCKS];
    struct wait *next; /* in a list of finished reads, or in the backlog */
};

struct kept;

struct flight {
    struct flight *next; /* in its chain of blob->flights */
    int refs;            /* atomic */
    struct block_buf *buf;
    uint32_t block;
    uint16_t requested; /* pieces that are here or that a span brings */
    uint16_t lost;      /* of those, pieces for which memory for a span was short */
    uint16_t filled;    /* pieces that are here; their bytes are constant */
    uint16_t taken;     /* of those, pieces that were read up to their end */
    bool sealed;        /* takes no further requests: it is with the cache, or kept */
    bool in_table;
    struct wait_link *waits;
    struct kept *kept; /* landing.c's; NULL: not kept */
};

/* Bit i for piece i of [off, off + len) within block @block. */
uint16_t flight_pieces(uint32_t block, uint64_t off, uint64_t len);
/* All pieces that block @block of a blob of @size bytes has. */
uint16_t flight_all_pieces(uint32_t block, uint64_t size);

/* A flight around @buf (its reference is taken over), in the blob's table. NULL when memory is
 * short (then @buf is unchanged). */
struct flight *flight_new(struct blob *blob, uint32_t block, struct block_buf *buf);
struct flight *flight_ref(struct flight *flight);
void flight_unref(struct flight *flight); /* any thread, no lock; NULL is fine */
/* Takes it out of the blob's table, where it holds a reference: returns that reference, or NULL
 * when it was out already. */
struct flight *flight_remove(struct blob *blob, struct flight *flight);

/* The flight of a block that has all of @need here or coming, else one that can still be asked,
 * else NULL. */
struct flight *flight_find(const struct blob *blob, uint32_t block, uint16_t need);

/* Whether all that is here was read, so that nobody is likely to ask for it again soon. */
bool flight_is_taken(const struct flight *flight);

/* Makes @wait wait for pieces @need of @flight, unless they are here. */
void flight_join(struct flight *flight, struct wait *wait, uint16_t need);

/* Pieces have arrived, or (@err != 0) will not come: reads that wait for nothing more are put
 * before *finished. */
void flight_settle(struct flight *flight, uint16_t pieces, int err, struct wait **finished);

/* Ends each read of a list: calls done with its bytes, frees it. No lock may be held. */
void waits_finish(struct wait *finished);
