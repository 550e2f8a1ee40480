/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/key.h"

#include <stdint.h>

#include "check.h"

static struct blob_id id_of(uint8_t first, uint8_t last)
{
    struct blob_id id = {{0}};
    id.bytes[0] = first;
    id.bytes[BLOB_ID_BYTES - 1] = last;
    return id;
}

static void what_is_formatted_is_parsed(void)
{
    static const uint32_t blocks[] = {0, 1, 255, 256, 65535, 1u << 24, INT32_MAX, UINT32_MAX};
    struct blob_id id = id_of(0xab, 0xcd);
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        uint8_t key[BLOCK_KEY_BYTES];
        struct blob_id out_id = {{0}};
        uint32_t out_block = 77;
        block_key_format(&id, blocks[i], key);
        block_key_parse(key, &out_id, &out_block);
        CHECK_EQ(out_block, blocks[i]);
        CHECK(memcmp(&out_id, &id, sizeof(id)) == 0);
    }
}

static void keys_sort_by_blob_and_then_by_number(void)
{
    static const struct {
        uint8_t first, last;
        uint32_t block;
    } ordered[] = {
        {0, 0, 0},        {0, 0, 1},   {0, 0, 255},        {0, 0, 256}, {0, 0, 65536},
        {0, 0, 1u << 31}, {0, 1, 0},   {0, 1, UINT32_MAX}, {1, 0, 0},   {1, 0, 2},
        {128, 0, 0},      {255, 0, 0}, {255, 1, 0},
    };
    uint8_t before[BLOCK_KEY_BYTES], key[BLOCK_KEY_BYTES];
    for (size_t i = 0; i < sizeof(ordered) / sizeof(ordered[0]); i++) {
        struct blob_id id = id_of(ordered[i].first, ordered[i].last);
        block_key_format(&id, ordered[i].block, key);
        if (i > 0)
            CHECK(memcmp(before, key, sizeof(key)) < 0);
        memcpy(before, key, sizeof(key));
    }
}

static void a_block_is_a_whole_number_of_pieces(void)
{
    CHECK_EQ(BLOCK_PIECES * PIECE_BYTES, BLOCK_BYTES);
    CHECK_EQ(BLOCK_PIECES, 16);
}

int main(void)
{
    TEST("what is formatted is parsed", what_is_formatted_is_parsed);
    TEST("keys sort by blob and then by number", keys_sort_by_blob_and_then_by_number);
    TEST("a block is a whole number of pieces", a_block_is_a_whole_number_of_pieces);
    return check_done();
}
