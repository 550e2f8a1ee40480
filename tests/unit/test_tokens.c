/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/tokens.h"

#include <pthread.h>

#include "check.h"

static const uint64_t sum = UINT64_C(0xfedcba9876543210);

static void key_of(uint32_t n, uint8_t out[BLOCK_KEY_BYTES])
{
    struct blob_id blob = {{9}};
    block_key_format(&blob, n, out);
}

static void a_piece_is_verified_once_said_so(void)
{
    struct tokens *tokens = tokens_new();
    CHECK(!tokens_is_verified(tokens, sum, 3));
    tokens_set_verified(tokens, sum, 3);
    CHECK(tokens_is_verified(tokens, sum, 3));
    CHECK(!tokens_is_verified(tokens, sum, 2));
    tokens_set_verified(tokens, sum, 15);
    CHECK(tokens_is_verified(tokens, sum, 3));
    CHECK(tokens_is_verified(tokens, sum, 15));
    tokens_free(tokens);
}

/* What is lost is verified again; what was never verified must not seem to be. */
static void another_record_in_the_same_slot_is_not_taken_for_it(void)
{
    uint64_t neighbour = sum + (UINT64_C(1) << 16);
    struct tokens *tokens = tokens_new();
    tokens_set_verified(tokens, sum, 3);
    CHECK(!tokens_is_verified(tokens, neighbour, 3));
    tokens_set_verified(tokens, neighbour, 5);
    CHECK(!tokens_is_verified(tokens, neighbour, 3));
    CHECK(!tokens_is_verified(tokens, sum, 3));
    CHECK(tokens_is_verified(tokens, neighbour, 5));
    tokens_free(tokens);
}

static void any_one_bit_makes_another_record(void)
{
    struct tokens *tokens = tokens_new();
    tokens_set_verified(tokens, sum, 0);
    for (int bit = 0; bit < 64; bit++)
        CHECK(!tokens_is_verified(tokens, sum ^ UINT64_C(1) << bit, 0));
    CHECK(tokens_is_verified(tokens, sum, 0));
    tokens_free(tokens);
}

static void a_use_is_taken_out_once(void)
{
    struct tokens *tokens = tokens_new();
    uint8_t key[BLOCK_KEY_BYTES], out[BLOCK_KEY_BYTES];
    key_of(5, key);
    CHECK(!tokens_has_touched(tokens));
    CHECK(!tokens_take_touched(tokens, out));
    tokens_touch(tokens, key);
    tokens_touch(tokens, key);
    CHECK(tokens_has_touched(tokens));
    CHECK(tokens_take_touched(tokens, out));
    CHECK(memcmp(out, key, sizeof(key)) == 0);
    CHECK(!tokens_has_touched(tokens));
    CHECK(!tokens_take_touched(tokens, out));
    tokens_free(tokens);
}

static void many_uses_come_out_each_once_and_too_many_are_forgotten(void)
{
    enum { MANY = 8192, MORE = 500 };
    struct tokens *tokens = tokens_new();
    uint8_t key[BLOCK_KEY_BYTES];
    static bool seen[MANY + MORE];
    for (uint32_t i = 0; i < MANY + MORE; i++) {
        key_of(i, key);
        tokens_touch(tokens, key);
    }
    int n = 0;
    while (tokens_take_touched(tokens, key)) {
        struct blob_id blob;
        uint32_t block;
        block_key_parse(key, &blob, &block);
        CHECK(block < MANY + MORE && !seen[block]);
        seen[block] = true;
        n++;
    }
    CHECK_EQ(n, MANY);
    tokens_free(tokens);
}

static void *work(void *ctx)
{
    uint8_t key[BLOCK_KEY_BYTES];
    for (uint32_t i = 0; i < 20000; i++) {
        key_of(i % 3000, key);
        tokens_touch(ctx, key);
        tokens_set_verified(ctx, i * UINT64_C(0x9e3779b97f4a7c15), i % 16);
        if (i % 7 == 0)
            tokens_take_touched(ctx, key);
    }
    return NULL;
}

static void threads_may_work_at_once(void)
{
    struct tokens *tokens = tokens_new();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, work, tokens), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    uint8_t key[BLOCK_KEY_BYTES];
    int n = 0;
    while (tokens_take_touched(tokens, key))
        n++;
    CHECK(n <= 3000);
    CHECK(!tokens_has_touched(tokens));
    tokens_free(tokens);
}

int main(void)
{
    TEST("a piece is verified once said so", a_piece_is_verified_once_said_so);
    TEST("another record in the same slot is not taken for it",
         another_record_in_the_same_slot_is_not_taken_for_it);
    TEST("any one bit makes another record", any_one_bit_makes_another_record);
    TEST("a use is taken out once", a_use_is_taken_out_once);
    TEST("many uses come out each once, and too many are forgotten",
         many_uses_come_out_each_once_and_too_many_are_forgotten);
    TEST("threads may work at once", threads_may_work_at_once);
    tokens_free(NULL);
    return check_done();
}
