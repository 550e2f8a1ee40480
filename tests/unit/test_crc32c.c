/* SPDX-License-Identifier: Apache-2.0 */
#include "model/crc32c.h"

#include "check.h"

/* RFC 3720, appendix B.4, and the check value of the Rocksoft model's catalogues. */
static void known_sums_are_right(void)
{
    char zeros[32] = {0}, ones[32], up[32], down[32];
    memset(ones, 0xff, sizeof(ones));
    for (int i = 0; i < 32; i++) {
        up[i] = (char)i;
        down[i] = (char)(31 - i);
    }
    const struct {
        const char *data;
        size_t len;
        uint32_t want;
    } cases[] = {
        {"", 0, 0},           {zeros, 32, 0x8a9136aa}, {ones, 32, 0x62a8ab43},
        {up, 32, 0x46dd794e}, {down, 32, 0x113fdb5c},  {"123456789", 9, 0xe3069283},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_EQ(crc32c(0, cases[i].data, cases[i].len), cases[i].want);
        CHECK_EQ(crc32c_by_table(0, cases[i].data, cases[i].len), cases[i].want);
    }
}

static void both_ways_agree_at_every_length_and_cut(void)
{
    uint8_t data[100];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * i + 3 * i + 7);
    for (size_t n = 0; n <= sizeof(data); n++) {
        uint32_t whole = crc32c_by_table(0, data, n);
        CHECK_EQ(crc32c(0, data, n), whole);
        CHECK_EQ(crc32c(crc32c(0, data, n / 3), data + n / 3, n - n / 3), whole);
    }
}

/* The first record's length in every event file (24 bytes) as TensorFlow wrote it. */
static void a_masked_sum_is_as_stored(void)
{
    static const uint8_t length[8] = {24};
    CHECK_EQ(crc32c_mask(crc32c(0, length, sizeof(length))), 0x224b7fa3);
    CHECK_EQ(crc32c_mask(0), 0xa282ead8);
}

int main(void)
{
    TEST("known sums are right", known_sums_are_right);
    TEST("both ways agree at every length and cut", both_ways_agree_at_every_length_and_cut);
    TEST("a masked sum is as it is stored", a_masked_sum_is_as_stored);
    return check_done();
}
