/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/record.h"

#include <errno.h>

#include "check.h"

static const struct blob_id blob = {{1, 2, 3}}, other = {{1, 2, 4}};
static uint8_t data[BLOCK_BYTES], stored[BLOCK_BYTES + sizeof(struct record_header)];

static void fill(void)
{
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 31 + i / PIECE_BYTES);
}

static struct record_draft draft_of(uint32_t len, uint16_t present)
{
    return (struct record_draft){
        .blob = blob, .block = 7, .len = len, .present = present, .data = data};
}

/* Writes it to `stored` and opens that. */
static size_t write_and_open(const struct record_draft *draft, struct record *out)
{
    size_t n = record_bytes(draft);
    record_write(draft, stored);
    CHECK_EQ(record_open(stored, n, &draft->blob, draft->block, out), 0);
    return n;
}

static void check_piece(const struct record *record, unsigned piece)
{
    size_t len = piece_len(record->header.len, piece);
    CHECK(record_has(record, piece));
    CHECK(record_piece_is_sound(record, piece));
    CHECK(memcmp(record_piece(record, piece), data + piece * PIECE_BYTES, len) == 0);
}

static void the_last_piece_may_be_short(void)
{
    static const struct {
        uint32_t len;
        unsigned piece;
        size_t bytes;
    } cases[] = {
        {BLOCK_BYTES, 0, PIECE_BYTES},
        {BLOCK_BYTES, 15, PIECE_BYTES},
        {1, 0, 1},
        {1, 1, 0},
        {PIECE_BYTES, 0, PIECE_BYTES},
        {PIECE_BYTES, 1, 0},
        {PIECE_BYTES + 1, 1, 1},
        {BLOCK_BYTES - 1, 15, PIECE_BYTES - 1},
        {0, 0, 0},
        {5 * PIECE_BYTES + 9, 5, 9},
        {9, 15, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(piece_len(cases[i].len, cases[i].piece), cases[i].bytes);
}

static void pieces_lie_without_gaps(void)
{
    static const struct {
        uint32_t len;
        uint16_t present;
        size_t bytes;
    } cases[] = {
        {BLOCK_BYTES, 0xffff, BLOCK_BYTES},
        {BLOCK_BYTES, 0x8001, 2 * PIECE_BYTES},
        {BLOCK_BYTES, 0, 0},
        {1, 1, 1},
        {PIECE_BYTES + 5, 3, PIECE_BYTES + 5},
        {PIECE_BYTES + 5, 2, 5},
        {BLOCK_BYTES - 3, 0xa0a0, 4 * PIECE_BYTES - 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record_draft draft = draft_of(cases[i].len, cases[i].present);
        struct record record;
        CHECK_EQ(write_and_open(&draft, &record), sizeof(struct record_header) + cases[i].bytes);
        for (unsigned piece = 0; piece < BLOCK_PIECES; piece++)
            if (cases[i].present >> piece & 1)
                check_piece(&record, piece);
            else
                CHECK(!record_has(&record, piece));
    }
}

static void every_flipped_bit_of_the_header_is_noticed(void)
{
    struct record_draft draft = draft_of(BLOCK_BYTES, 0x0101);
    struct record record;
    size_t n = write_and_open(&draft, &record);
    for (size_t bit = 0; bit < 8 * sizeof(struct record_header); bit++) {
        stored[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (record_open(stored, n, &blob, 7, &record) != -EIO)
            printf("# bit %zu\n", bit);
        CHECK_EQ(record_open(stored, n, &blob, 7, &record), -EIO);
        stored[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_EQ(record_open(stored, n, &blob, 7, &record), 0);
}

static void a_flipped_bit_of_a_piece_spoils_that_piece(void)
{
    struct record_draft draft = draft_of(3 * PIECE_BYTES + 100, 0xd); /* pieces 0, 2, 3 */
    struct record record;
    write_and_open(&draft, &record);
    uint8_t *third = stored + sizeof(struct record_header) + PIECE_BYTES;
    static const size_t places[] = {0, 1, 4095, PIECE_BYTES / 2, PIECE_BYTES - 1};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        third[places[i]] ^= 0x10;
        CHECK(!record_piece_is_sound(&record, 2));
        CHECK(record_piece_is_sound(&record, 0));
        CHECK(record_piece_is_sound(&record, 3));
        third[places[i]] ^= 0x10;
        CHECK(record_piece_is_sound(&record, 2));
    }
}

static void only_the_record_of_this_block_opens(void)
{
    struct record_draft draft = draft_of(PIECE_BYTES * 2, 3);
    struct record record;
    size_t n = write_and_open(&draft, &record);
    CHECK_EQ(record_open(stored, n, &other, 7, &record), -EXDEV);
    CHECK_EQ(record_open(stored, n, &blob, 8, &record), -EXDEV);
    CHECK_EQ(record_open(stored, n - 1, &blob, 7, &record), -EIO);
    CHECK_EQ(record_open(stored, n + 1, &blob, 7, &record), -EIO);
    CHECK_EQ(record_open(stored, sizeof(struct record_header) - 1, &blob, 7, &record), -EIO);
    CHECK_EQ(record_open(stored, 0, &blob, 7, &record), -EIO);
}

static void an_unaligned_record_opens(void)
{
    struct record_draft draft = draft_of(PIECE_BYTES, 1);
    struct record record;
    size_t n = record_bytes(&draft);
    record_write(&draft, stored + 3);
    CHECK_EQ(record_open(stored + 3, n, &blob, 7, &record), 0);
    check_piece(&record, 0);
}

/* New pieces go beside those that were stored, and in their place where both have them. */
static void old_pieces_are_kept_beside_new_ones(void)
{
    static uint8_t before[sizeof(stored)];
    struct record_draft first = draft_of(BLOCK_BYTES, 0x00ff);
    struct record old, merged;
    size_t n = record_bytes(&first);
    record_write(&first, before);
    CHECK_EQ(record_open(before, n, &blob, 7, &old), 0);
    data[4 * PIECE_BYTES] ^= 1; /* piece 4 changed */
    struct record_draft both = draft_of(BLOCK_BYTES, 0x0fff);
    both.from_old = 0x000f;
    both.old = &old;
    write_and_open(&both, &merged);
    for (unsigned piece = 0; piece < 12; piece++)
        check_piece(&merged, piece);
    CHECK(!record_has(&merged, 12));
    data[4 * PIECE_BYTES] ^= 1;
}

/* A sum that was not computed anew goes on saying what the bytes were. */
static void damage_does_not_get_a_new_checksum(void)
{
    static uint8_t before[sizeof(stored)];
    struct record_draft first = draft_of(BLOCK_BYTES, 0x1);
    struct record old, merged;
    size_t n = record_bytes(&first);
    record_write(&first, before);
    before[sizeof(struct record_header) + 50] ^= 4;
    CHECK_EQ(record_open(before, n, &blob, 7, &old), 0);
    struct record_draft both = draft_of(BLOCK_BYTES, 0x3);
    both.from_old = 0x1;
    both.old = &old;
    write_and_open(&both, &merged);
    CHECK(!record_piece_is_sound(&merged, 0));
    CHECK(record_piece_is_sound(&merged, 1));
}

int main(void)
{
    fill();
    TEST("the last piece may be short", the_last_piece_may_be_short);
    TEST("pieces lie without gaps", pieces_lie_without_gaps);
    TEST("every flipped bit of the header is noticed", every_flipped_bit_of_the_header_is_noticed);
    TEST("a flipped bit of a piece spoils that piece", a_flipped_bit_of_a_piece_spoils_that_piece);
    TEST("only the record of this block opens", only_the_record_of_this_block_opens);
    TEST("an unaligned record opens", an_unaligned_record_opens);
    TEST("old pieces are kept beside new ones", old_pieces_are_kept_beside_new_ones);
    TEST("damage does not get a new checksum", damage_does_not_get_a_new_checksum);
    return check_done();
}
