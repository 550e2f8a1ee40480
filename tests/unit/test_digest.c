/* SPDX-License-Identifier: Apache-2.0 */
#include "util/digest.h"

#include <errno.h>

#include "check.h"

#define EMPTY_HEX     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_HEX       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MILLION_A_HEX "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void known_digests_come_out(void)
{
    struct digest d;
    char hex[DIGEST_HEX_BYTES];
    digest_of("", 0, &d);
    digest_format_hex(&d, hex);
    CHECK_STR(hex, EMPTY_HEX);
    digest_of("abc", 3, &d);
    digest_format_hex(&d, hex);
    CHECK_STR(hex, ABC_HEX);
}

static void steps_equal_the_whole(void)
{
    char thousand[1000], hex[DIGEST_HEX_BYTES];
    struct digest d;
    struct digest_stream *s = digest_stream_new();
    memset(thousand, 'a', sizeof(thousand));
    for (int i = 0; i < 1000; i++) {
        digest_stream_update(s, thousand, 1);
        digest_stream_update(s, thousand + 1, sizeof(thousand) - 1);
        digest_stream_update(s, thousand, 0);
    }
    digest_stream_final(s, &d);
    digest_stream_free(s);
    digest_stream_free(NULL);
    digest_format_hex(&d, hex);
    CHECK_STR(hex, MILLION_A_HEX);
}

static void hex_is_read_back(void)
{
    static const char *const good[] = {
        ABC_HEX, ("sha256:" ABC_HEX),
        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"};
    struct digest want, got;
    digest_of("abc", 3, &want);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        memset(&got, 0, sizeof(got));
        CHECK_EQ(digest_parse(good[i], &got), 0);
        CHECK(digest_equal(&got, &want));
    }
}

static void other_text_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "abc",
        "sha256:",
        "sha512:" ABC_HEX,
        ABC_HEX "0",
        "sha256:sha256:" ABC_HEX,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
        "ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a ",
    };
    struct digest before, d;
    memset(&d, 7, sizeof(d));
    before = d;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_EQ(digest_parse(bad[i], &d), -EINVAL);
    CHECK(digest_equal(&before, &d));
}

static void one_bit_makes_them_differ(void)
{
    struct digest a, b;
    digest_of("abc", 3, &a);
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        b = a;
        b.bytes[i] ^= 1;
        CHECK(!digest_equal(&a, &b));
    }
    b = a;
    CHECK(digest_equal(&a, &b));
}

int main(void)
{
    TEST("known digests come out", known_digests_come_out);
    TEST("steps equal the whole", steps_equal_the_whole);
    TEST("hexadecimal of either case is read back, with and without sha256:", hex_is_read_back);
    TEST("other text is refused and changes nothing", other_text_is_refused);
    TEST("one bit makes two digests differ", one_bit_makes_them_differ);
    return check_done();
}
