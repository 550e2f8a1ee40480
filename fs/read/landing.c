/* SPDX-License-Identifier: Apache-2.0 */
/* A flight with nothing more to come is sealed: it takes no further requests, so its buffer is
 * constant and can be shared with the cache. It leaves the blob's table only after the cache has
 * it, so that at any moment a reader finds the bytes in one of the two.
 *
 * A block that the cache did not take (there is none, or its queue is full) is kept in the table
 * for those who will read it, and let go when all of it was read, for the kernel has it then. The
 * oldest go first when more than half of the budget is kept or memory is asked for. Buffers that
 * come back early are still in the processor's cache when they are filled again. */
#include "read/landing.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "read/verify.h"
#include "util/cleanup.h"

struct kept {
    TAILQ_ENTRY(kept) link; /* in fetch->kept, oldest first */
    struct blob *blob;      /* references */
    struct flight *flight;
};

/* Takes the flight out of its blob's table. */
static void leave_table(struct blob *blob, struct flight *flight)
{
    pthread_mutex_lock(&blob->lock);
    struct flight *was = flight_remove(blob, flight);
    pthread_mutex_unlock(&blob->lock);
    flight_unref(was);
}

/* Under fetch->lock. */
static void unlink_kept(struct fetch *fetch, struct kept *kept)
{
    TAILQ_REMOVE(&fetch->kept, kept, link);
    fetch->kept_bytes -= kept->flight->buf->len;
    kept->flight->kept = NULL;
}

/* Of what is in no list any more. */
static void let_go(struct kept *kept)
{
    leave_table(kept->blob, kept->flight);
    flight_unref(kept->flight);
    blob_unref(kept->blob);
    free(kept);
}

bool landing_drop_kept(struct fetch *fetch)
{
    pthread_mutex_lock(&fetch->lock);
    struct kept *kept = TAILQ_FIRST(&fetch->kept);
    if (kept)
        unlink_kept(fetch, kept);
    pthread_mutex_unlock(&fetch->lock);
    if (kept)
        let_go(kept);
    return kept != NULL;
}

static bool is_taken(struct blob *blob, const struct flight *flight)
{
    pthread_mutex_lock(&blob->lock);
    bool taken = flight_is_taken(flight);
    pthread_mutex_unlock(&blob->lock);
    return taken;
}

void landing_note_read(struct blob *blob, struct flight *flight)
{
    struct fetch *fetch = blob->fetch;
    if (!is_taken(blob, flight))
        return;
    pthread_mutex_lock(&fetch->lock);
    struct kept *kept = flight->kept;
    if (kept)
        unlink_kept(fetch, kept);
    pthread_mutex_unlock(&fetch->lock);
    if (kept)
        let_go(kept);
}

/* True when it is kept. */
static bool keep(struct blob *blob, struct flight *flight)
{
    struct fetch *fetch = blob->fetch;
    uint64_t max = budget_limit_bytes(fetch->budget) / 2;
    struct kept *kept = atomic_load(&fetch->stopping) ? NULL : malloc(sizeof(*kept));
    if (!kept)
        return false;
    *kept = (struct kept){.blob = blob_ref(blob), .flight = flight_ref(flight)};
    pthread_mutex_lock(&fetch->lock);
    TAILQ_INSERT_TAIL(&fetch->kept, kept, link);
    flight->kept = kept;
    fetch->kept_bytes += flight->buf->len;
    bool full = fetch->kept_bytes > max;
    pthread_mutex_unlock(&fetch->lock);
    landing_note_read(blob, flight); /* who read the last of it may have come too early to see it */
    if (full)
        landing_drop_kept(fetch);
    return true;
}

static bool is_whole(const struct blob *blob, const struct flight *flight)
{
    return flight->filled == flight_all_pieces(flight->block, blob->size_bytes);
}

/* Gives a sealed flight to the cache. */
static void hand_over(struct blob *blob, struct flight *flight)
{
    struct blocks *blocks = blob->fetch->options.blocks;
    bool good = flight->filled && (!verify_is_at_once(blob) || is_whole(blob, flight));
    flight->buf->present = flight->filled;
    if (good && blocks && blocks_offer(blocks, flight->buf)) {
        verify_note_offer(blob, flight->buf->len);
        leave_table(blob, flight);
    } else if (!good || !keep(blob, flight)) {
        leave_table(blob, flight);
    }
}

void landing_settle(struct blob *blob, struct flight *flight, uint16_t pieces, int err)
{
    struct wait *finished = NULL;
    pthread_mutex_lock(&blob->lock);
    flight_settle(flight, pieces, err, &finished);
    bool ended = !flight->sealed && flight->requested == flight->filled;
    if (ended)
        flight->sealed = true;
    pthread_mutex_unlock(&blob->lock);
    waits_finish(finished);
    if (ended)
        hand_over(blob, flight);
}
