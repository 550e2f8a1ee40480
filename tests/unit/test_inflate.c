/* SPDX-License-Identifier: Apache-2.0 */
#include "model/inflate.h"

#include <errno.h>
#include <stdint.h>

#include "check.h"
#include "util/cleanup.h"

/* As zlib packed them: a stored block, one with the fixed code, one with a code of its own. */
static const char stored[] = "\x01\x0b\x00\xf4\xff\x73\x74\x6f\x72\x65\x64\x20\x74\x65\x78\x74";
static const char fixed[] = "\x4b\xcb\xac\x48\x4d\x51\x48\x43\x22\x4b\x52\x2b\x4a\x00";
static const char own[] =
    "\x1d\x8c\xc9\x0d\x04\x41\x08\xc4\x12\xf2\xa3\xb9\x21\xff\xc4\xb6\x76\x24\x84\x38\xec\x7a\x18"
    "\xc9\x61\x8d\x17\xd1\xe4\xd1\xc9\x1a\x81\x27\x39\x8c\xe3\x84\xd1\xce\x89\x08\xe6\x61\x4e\x05"
    "\x27\x5a\xae\x02\x34\x27\xf5\x58\xba\xf0\x61\x97\x4a\xdc\x59\xa5\x29\xaa\x30\x63\x9b\x96\xb1"
    "\x84\x63\x22\xb9\x60\x8b\x39\x46\x3d\xbe\xfa\x56\x1d\xf5\xea\x3f\x24\x54\x82\x34\xc9\x3f";

static const struct {
    const char *packed;
    size_t len;
    const char *text;
} good[] = {
    {"\x03\x00", 2, ""},
    {stored, sizeof(stored) - 1, "stored text"},
    {fixed, sizeof(fixed) - 1, "fixed fixed fixed text"},
    {own, sizeof(own) - 1,
     "0,1,4,9,16,25,36,49,64,81,3,24,47,72,2,31,62,95,33,70,12,53,96,44,91,43,94,50,8,65,27,88,54,"
     "22,89,61,35,11,86,66,48,32,18,6,93,85,79,75,73,73,75,79,85,93,6,18,32,48,66,86,"},
};
enum { N_GOOD = sizeof(good) / sizeof(good[0]), ROOM = 256 };

/* From and to memory of just that size, so that a byte too far is noticed. */
static int unpack(const char *packed, size_t len, size_t cap, char out[ROOM], size_t *out_n)
{
    CLEANUP(cleanup_free) uint8_t *from = malloc(len + !len);
    CLEANUP(cleanup_free) uint8_t *to = malloc(cap + !cap);
    memcpy(from, packed, len);
    int r = inflate_beginning(from, len, to, cap, out_n);
    CHECK(*out_n <= cap);
    memcpy(out, to, *out_n);
    return r;
}

static void what_zlib_packed_is_unpacked(void)
{
    for (size_t i = 0; i < N_GOOD; i++) {
        char out[ROOM] = "";
        size_t n;
        CHECK_EQ(unpack(good[i].packed, good[i].len, ROOM - 1, out, &n), 0);
        CHECK_EQ(n, strlen(good[i].text));
        CHECK_STR(out, good[i].text);
    }
}

static void no_more_comes_out_than_there_is_room_for(void)
{
    for (size_t i = 0; i < N_GOOD; i++) {
        for (size_t cap = 0; cap < strlen(good[i].text); cap++) {
            char out[ROOM] = "";
            size_t n;
            CHECK_EQ(unpack(good[i].packed, good[i].len, cap, out, &n), 0);
            CHECK_EQ(n, cap);
            CHECK(memcmp(out, good[i].text, n) == 0);
        }
    }
}

static void a_stream_that_is_cut_off_gives_its_beginning(void)
{
    for (size_t i = 0; i < N_GOOD; i++) {
        for (size_t len = 0; len < good[i].len; len++) {
            char out[ROOM] = "";
            size_t n;
            CHECK_EQ(unpack(good[i].packed, len, ROOM, out, &n), 0);
            CHECK(n <= strlen(good[i].text) && memcmp(out, good[i].text, n) == 0);
        }
    }
}

static void what_makes_no_sense_is_refused(void)
{
    static const struct {
        const char *packed;
        size_t len;
    } cases[] = {
        {"\x07", 1},                    /* the kind of block that is none */
        {"\x01\x0b\x00\xf5\xff", 5},    /* a length that is not said twice */
        {"\x03\x02", 2},                /* a copy of what is before the beginning */
        {"\x1b\x03\0\0", 4},            /* a literal that is none */
        {"\x05\0\0\0\0\0\0\0\0\0", 10}, /* lengths without a code */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[ROOM];
        size_t n;
        int r = unpack(cases[i].packed, cases[i].len, ROOM, out, &n);
        if (r != -EBADMSG)
            printf("# case %zu\n", i);
        CHECK_EQ(r, -EBADMSG);
    }
}

static void damage_is_survived(void)
{
    char packed[ROOM], out[ROOM];
    size_t n;
    for (size_t i = 0; i < N_GOOD; i++) {
        memcpy(packed, good[i].packed, good[i].len);
        for (size_t bit = 0; bit < 8 * good[i].len; bit++) {
            packed[bit / 8] ^= (char)(1 << bit % 8);
            int r = unpack(packed, good[i].len, ROOM, out, &n);
            packed[bit / 8] ^= (char)(1 << bit % 8);
            CHECK(r == 0 || r == -EBADMSG);
        }
    }
}

int main(void)
{
    TEST("what zlib packed is unpacked", what_zlib_packed_is_unpacked);
    TEST("no more comes out than there is room for", no_more_comes_out_than_there_is_room_for);
    TEST("a stream that is cut off gives its beginning",
         a_stream_that_is_cut_off_gives_its_beginning);
    TEST("what makes no sense is refused", what_makes_no_sense_is_refused);
    TEST("damage is survived", damage_is_survived);
    return check_done();
}
