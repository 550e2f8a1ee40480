/* SPDX-License-Identifier: Apache-2.0 */
#include "read/flight.h"

#include <errno.h>

#include "check.h"

static void pieces_are_those_that_a_range_touches(void)
{
    static const struct {
        uint32_t block;
        uint64_t off, len;
        uint16_t pieces;
    } cases[] = {
        {0, 0, 1, 0x0001},
        {0, 0, PIECE_BYTES, 0x0001},
        {0, 0, PIECE_BYTES + 1, 0x0003},
        {0, PIECE_BYTES - 1, 2, 0x0003},
        {0, PIECE_BYTES, PIECE_BYTES, 0x0002},
        {0, 0, BLOCK_BYTES, 0xffff},
        {0, BLOCK_BYTES - 1, 1, 0x8000},
        {0, BLOCK_BYTES - 1, 2, 0x8000},
        {1, BLOCK_BYTES - 1, 2, 0x0001},
        {1, 0, 3 * BLOCK_BYTES, 0xffff},
        {2, 0, 2 * BLOCK_BYTES, 0},
        {0, BLOCK_BYTES, 10, 0},
        {0, 10, 0, 0},
        {4000000, 4000000 * BLOCK_BYTES + 15 * PIECE_BYTES, 1, 0x8000},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(flight_pieces(cases[i].block, cases[i].off, cases[i].len), cases[i].pieces);
}

static void all_pieces_end_with_the_blob(void)
{
    static const struct {
        uint32_t block;
        uint64_t size;
        uint16_t pieces;
    } cases[] = {
        {0, 0, 0},
        {0, 1, 0x0001},
        {0, BLOCK_BYTES, 0xffff},
        {0, 9 * BLOCK_BYTES, 0xffff},
        {1, BLOCK_BYTES, 0},
        {1, BLOCK_BYTES + 1, 0x0001},
        {1, BLOCK_BYTES + 3 * PIECE_BYTES, 0x0007},
        {1, BLOCK_BYTES + 3 * PIECE_BYTES + 1, 0x000f},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(flight_all_pieces(cases[i].block, cases[i].size), cases[i].pieces);
}

static int n_released;

static void release_buf(struct block_buf *buf)
{
    n_released++;
    free(buf->data);
    free(buf);
}

static struct block_buf *new_buf(void)
{
    struct block_buf *buf = calloc(1, sizeof(*buf));
    uint8_t *data = calloc(1, BLOCK_BYTES);
    if (!buf || !data) {
        free(buf);
        free(data);
        return NULL;
    }
    *buf = (struct block_buf){.release = release_buf, .refs = 1, .data = data};
    return buf;
}

static struct flight *new_flight(struct blob *blob, uint32_t block)
{
    return flight_new(blob, block, new_buf());
}

static void drop(struct blob *blob, struct flight *flight)
{
    flight_unref(flight_remove(blob, flight));
}

static void a_flight_knows_its_block(void)
{
    static const struct {
        uint32_t block, len;
    } cases[] = {{0, BLOCK_BYTES}, {1, BLOCK_BYTES}, {2, 5}};
    struct blob blob = {.size_bytes = 2 * BLOCK_BYTES + 5, .id.bytes = {7}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct flight *flight = new_flight(&blob, cases[i].block);
        CHECK_EQ(flight->buf->block, cases[i].block);
        CHECK_EQ(flight->buf->len, cases[i].len);
        CHECK_EQ(flight->buf->blob.bytes[0], 7);
        CHECK(blob.flights[cases[i].block] == flight);
        drop(&blob, flight);
        CHECK(!blob.flights[cases[i].block]);
    }
}

static void the_last_reference_brings_the_buffer_back(void)
{
    struct blob blob = {.size_bytes = BLOCK_BYTES};
    struct flight *flight = flight_ref(new_flight(&blob, 0));
    n_released = 0;
    CHECK(flight_remove(&blob, flight) == flight);
    CHECK(!flight_remove(&blob, flight));
    flight_unref(flight);
    CHECK_EQ(n_released, 0);
    flight_unref(flight);
    CHECK_EQ(n_released, 1);
    flight_unref(NULL);
}

static void any_flight_of_the_table_can_go(void)
{
    struct blob blob = {.size_bytes = 99 * BLOCK_BYTES};
    struct flight *a = new_flight(&blob, 0), *b = new_flight(&blob, BLOB_CHAINS),
                  *c = new_flight(&blob, 2 * BLOB_CHAINS);
    drop(&blob, b);
    CHECK(flight_find(&blob, 0, 0) == a && flight_find(&blob, 2 * BLOB_CHAINS, 0) == c);
    CHECK(!flight_find(&blob, BLOB_CHAINS, 0));
    drop(&blob, a);
    drop(&blob, c);
    CHECK(!flight_find(&blob, 0, 0) && !flight_find(&blob, 2 * BLOB_CHAINS, 0));
}

static void a_find_prefers_what_has_all(void)
{
    struct blob blob = {.size_bytes = 9 * BLOCK_BYTES};
    struct flight *full = new_flight(&blob, 3), *open = new_flight(&blob, 3);
    full->requested = 0x00ff;
    full->sealed = true;
    CHECK(flight_find(&blob, 3, 0x000f) == full);
    CHECK(flight_find(&blob, 3, 0x0100) == open);
    open->sealed = true;
    CHECK(!flight_find(&blob, 3, 0x0100));
    CHECK(!flight_find(&blob, 4, 0x0001));
    drop(&blob, full);
    drop(&blob, open);
}

struct heard {
    int n, err, n_iov;
    size_t len;
    uint8_t bytes[8];
};

static void note_done(void *ctx, const struct read_answer *answer)
{
    struct heard *heard = ctx;
    heard->n++;
    heard->err = answer->err;
    heard->n_iov = answer->n_iov;
    for (int i = 0; i < answer->n_iov; i++)
        for (size_t k = 0; k < answer->iov[i].iov_len; k++, heard->len++)
            if (heard->len < sizeof(heard->bytes))
                heard->bytes[heard->len] = ((const uint8_t *)answer->iov[i].iov_base)[k];
}

static struct wait *new_wait(uint64_t off, size_t len, struct heard *heard)
{
    struct wait *wait = calloc(1, sizeof(*wait));
    *wait = (struct wait){.off = off, .len = len, .done = note_done, .ctx = heard};
    return wait;
}

static void what_is_here_is_not_waited_for(void)
{
    struct blob blob = {.size_bytes = BLOCK_BYTES};
    struct flight *flight = new_flight(&blob, 0);
    struct heard heard = {.n = 0};
    struct wait *wait = new_wait(2, 4, &heard);
    memcpy(flight->buf->data, "abcdefgh", 8);
    flight->requested = flight->filled = 0x0001;
    flight_join(flight, wait, 0x0001);
    CHECK_EQ(wait->n_pending, 0);
    CHECK(!flight->waits);
    drop(&blob, flight);
    waits_finish(wait);
    CHECK(heard.n == 1 && heard.err == 0 && heard.len == 4);
    CHECK(memcmp(heard.bytes, "cdef", 4) == 0);
}

static void a_read_ends_with_its_last_piece(void)
{
    struct blob blob = {.size_bytes = BLOCK_BYTES};
    struct flight *flight = new_flight(&blob, 0);
    struct heard heard = {.n = 0};
    struct wait *finished = NULL;
    flight->requested = 0x000f;
    flight_join(flight, new_wait(0, 3 * PIECE_BYTES, &heard), 0x0007);
    flight_settle(flight, 0x0005, 0, &finished);
    CHECK(!finished);
    flight_settle(flight, 0x0008, 0, &finished);
    CHECK(!finished);
    flight_settle(flight, 0x0002, 0, &finished);
    CHECK(finished && !finished->next);
    CHECK_EQ(flight->filled, 0x000f);
    waits_finish(finished);
    CHECK(heard.n == 1 && heard.err == 0 && heard.len == 3 * PIECE_BYTES);
    drop(&blob, flight);
}

static void a_read_may_lie_in_two_blocks(void)
{
    struct blob blob = {.size_bytes = 2 * BLOCK_BYTES};
    struct flight *first = new_flight(&blob, 0), *second = new_flight(&blob, 1);
    struct heard heard = {.n = 0};
    struct wait *wait = new_wait(BLOCK_BYTES - 3, 5, &heard), *finished = NULL;
    memcpy(first->buf->data + BLOCK_BYTES - 3, "abc", 3);
    memcpy(second->buf->data, "de", 2);
    flight_join(first, wait, 0x8000);
    flight_join(second, wait, 0x0001);
    CHECK_EQ(wait->n_pending, 2);
    flight_settle(second, 0x0001, 0, &finished);
    CHECK(!finished);
    flight_settle(first, 0x8000, 0, &finished);
    drop(&blob, first);
    drop(&blob, second);
    waits_finish(finished);
    CHECK(heard.n_iov == 2 && heard.len == 5 && memcmp(heard.bytes, "abcde", 5) == 0);
}

static void all_readers_of_a_piece_hear_of_it(void)
{
    struct blob blob = {.size_bytes = BLOCK_BYTES};
    struct flight *flight = new_flight(&blob, 0);
    struct heard heard[3] = {{.n = 0}, {.n = 0}, {.n = 0}};
    struct wait *finished = NULL;
    flight_join(flight, new_wait(0, 1, &heard[0]), 0x0001);
    flight_join(flight, new_wait(PIECE_BYTES, 1, &heard[1]), 0x0002);
    flight_join(flight, new_wait(1, 1, &heard[2]), 0x0001);
    flight_settle(flight, 0x0001, 0, &finished);
    waits_finish(finished);
    CHECK(heard[0].n == 1 && heard[1].n == 0 && heard[2].n == 1);
    finished = NULL;
    flight_settle(flight, 0x0002, 0, &finished);
    waits_finish(finished);
    CHECK(heard[0].n == 1 && heard[1].n == 1 && heard[2].n == 1);
    drop(&blob, flight);
}

static void a_failure_ends_only_who_needs_the_piece(void)
{
    struct blob blob = {.size_bytes = BLOCK_BYTES};
    struct flight *flight = new_flight(&blob, 0);
    struct heard failed = {.n = 0}, waits = {.n = 0}, whole = {.n = 0};
    struct wait *finished = NULL;
    flight->requested = 0x0007;
    flight_settle(flight, 0x0004, 0, &finished);
    flight_join(flight, new_wait(0, 2 * PIECE_BYTES, &failed), 0x0003);
    flight_join(flight, new_wait(0, 1, &waits), 0x0001);
    flight_join(flight, new_wait(PIECE_BYTES, 2 * PIECE_BYTES, &whole), 0x0006);
    flight_settle(flight, 0x0006, -EIO, &finished);
    CHECK_EQ(flight->requested, 0x0005); /* what failed can be asked again; what is here stays */
    CHECK_EQ(flight->filled, 0x0004);
    waits_finish(finished);
    CHECK(failed.n == 1 && failed.err == -EIO && failed.n_iov == 0);
    CHECK(whole.n == 1 && whole.err == -EIO);
    CHECK_EQ(waits.n, 0);
    finished = NULL;
    flight_settle(flight, 0x0001, 0, &finished);
    waits_finish(finished);
    CHECK(waits.n == 1 && waits.err == 0);
    drop(&blob, flight);
}

static void one_failed_block_of_two_fails_the_read_once(void)
{
    for (int order = 0; order < 2; order++) {
        struct blob blob = {.size_bytes = 2 * BLOCK_BYTES};
        struct flight *flights[2] = {new_flight(&blob, 0), new_flight(&blob, 1)};
        struct heard heard = {.n = 0};
        struct wait *wait = new_wait(BLOCK_BYTES - 1, 2, &heard), *finished = NULL;
        flight_join(flights[0], wait, 0x8000);
        flight_join(flights[1], wait, 0x0001);
        flight_settle(flights[order], 0xffff, -ESTALE, &finished);
        CHECK(!finished);
        flight_settle(flights[!order], 0xffff, 0, &finished);
        waits_finish(finished);
        CHECK(heard.n == 1 && heard.err == -ESTALE);
        drop(&blob, flights[0]);
        drop(&blob, flights[1]);
    }
}

static void no_memory_leaves_the_buffer_alone(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        struct blob blob = {.size_bytes = BLOCK_BYTES};
        struct block_buf *buf = new_buf();
        struct flight *flight = buf ? flight_new(&blob, 0, buf) : NULL;
        n_released = 0;
        CHECK(blob.flights[0] == flight);
        if (flight)
            drop(&blob, flight);
        else
            block_buf_unref(buf);
        CHECK_EQ(n_released, buf != NULL);
    }
}

int main(void)
{
    TEST("pieces are those that a range touches", pieces_are_those_that_a_range_touches);
    TEST("all pieces end with the blob", all_pieces_end_with_the_blob);
    TEST("a flight knows its block", a_flight_knows_its_block);
    TEST("the last reference brings the buffer back", the_last_reference_brings_the_buffer_back);
    TEST("any flight of the table can go", any_flight_of_the_table_can_go);
    TEST("a find prefers what has all", a_find_prefers_what_has_all);
    TEST("what is here is not waited for", what_is_here_is_not_waited_for);
    TEST("a read ends with its last piece", a_read_ends_with_its_last_piece);
    TEST("a read may lie in two blocks", a_read_may_lie_in_two_blocks);
    TEST("all readers of a piece hear of it", all_readers_of_a_piece_hear_of_it);
    TEST("a failure ends only who needs the piece", a_failure_ends_only_who_needs_the_piece);
    TEST("a failed block fails the read once", one_failed_block_of_two_fails_the_read_once);
    TEST("no memory leaves the buffer alone", no_memory_leaves_the_buffer_alone);
    return check_done();
}
