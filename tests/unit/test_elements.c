/* SPDX-License-Identifier: Apache-2.0 */
/* elements, npy. */
#include "cmd/elements.h"

#include <errno.h>
#include <math.h>

#include "check.h"

/* The difference of two elements given as bits. */
static struct element_diff compare(enum element_kind kind, uint64_t a, uint64_t b)
{
    struct element_diff diff = {0};
    elements_compare(kind, &a, &b, element_bytes(kind), &diff);
    CHECK_EQ(diff.n, 1);
    return diff;
}

static void check_distance(const char *dtype, uint64_t a, uint64_t b, double want)
{
    enum element_kind kind = element_kind_of(dtype);
    struct element_diff diff = compare(kind, a, b);
    CHECK_EQ(diff.n_different, 1);
    CHECK_EQ(diff.n_nan, 0);
    if (diff.greatest != want)
        printf("# %s: %g, not %g\n", dtype, diff.greatest, want);
    CHECK(diff.greatest == want);
    CHECK_EQ(compare(kind, a, a).n_different, 0);
}

static void numbers_have_their_distance(void)
{
    check_distance("F16", 0x3c00, 0x4000, 1);          /* 1, 2 */
    check_distance("F16", 0x0001, 0x0000, 0x1p-24);    /* subnormal */
    check_distance("F16", 0xfbff, 0x7bff, 2 * 65504.); /* the least and the greatest */
    check_distance("F16", 0x7c00, 0x7bff, INFINITY);
    check_distance("BF16", 0x3f80, 0x4040, 2); /* 1, 3 */
    check_distance("F32", 0x3f800000, 0x3f800001, 0x1p-23);
    check_distance("F64", 0x3ff0000000000000, 0xbff0000000000000, 2);
    check_distance("I8", 0x80, 0x7f, 255);
    check_distance("i16", 0x8000, 0x7fff, 65535);
    check_distance("I32", 0xffffffff, 1, 2);
    check_distance("I64", 0x8000000000000000, 0x7fffffffffffffff, 0x1p64);
    check_distance("I64", 0x7ffffffffffffffe, 0x7fffffffffffffff, 1);
    check_distance("U8", 0xff, 0, 255);
    check_distance("U16", 0xffff, 0, 65535);
    check_distance("U32", 0xffffffff, 0, 4294967295.);
    check_distance("U64", 0xffffffffffffffff, 0xfffffffffffffffe, 1);
    check_distance("BOOL", 1, 0, 1);
    check_distance("F32", 0x80000000, 0, 0); /* -0 */
}

static void what_is_no_number_is_told_apart(void)
{
    struct element_diff diff = compare(ELEMENT_F32, 0x7fc00000, 0x3f800000);
    CHECK(diff.n_different == 1 && diff.n_nan == 1 && diff.greatest == 0);
    diff = compare(ELEMENT_F32, 0x7fc00000, 0x7fc00001);
    CHECK(diff.n_different == 1 && diff.n_nan == 0 && diff.greatest == 0);
    diff = compare(ELEMENT_F16, 0x7e00, 0x3c00);
    CHECK_EQ(diff.n_nan, 1);
    diff = compare(ELEMENT_F64, 0x7ff0000000000000, 0xfff0000000000000);
    CHECK(diff.n_nan == 0 && isinf(diff.greatest));
}

static void others_are_compared_byte_by_byte(void)
{
    struct element_diff diff = {0};
    CHECK_EQ(element_kind_of("Q4_K"), ELEMENT_OTHER);
    CHECK_EQ(element_kind_of("F8_E4M3"), ELEMENT_OTHER);
    CHECK_EQ(element_kind_of(NULL), ELEMENT_OTHER);
    elements_compare(ELEMENT_OTHER, "abcdefg", "abXdefY", 7, &diff);
    CHECK(diff.n == 7 && diff.n_different == 2 && diff.greatest == 0);
}

static void long_runs_are_counted_and_added(void)
{
    enum { N = 5000 };
    static float a[N], b[N];
    struct element_diff diff = {0};
    for (int i = 0; i < N; i++)
        a[i] = b[i] = (float)i;
    b[0] += 1;
    b[1023] += 2;
    b[1024] -= 4;
    b[N - 1] += 3;
    for (int i = 0; i < 2; i++)
        elements_compare(ELEMENT_F32, a, b, sizeof(a), &diff);
    CHECK_EQ(diff.n, 2 * N);
    CHECK_EQ(diff.n_different, 8);
    CHECK(diff.greatest == 4);
}

static void big_endian_elements_are_turned(void)
{
    unsigned char data[] = {1, 2, 3, 4, 5, 6, 7, 8};
    elements_swap(ELEMENT_I32, data, sizeof(data));
    CHECK(memcmp(data, "\4\3\2\1\10\7\6\5", 8) == 0);
    elements_swap(ELEMENT_F64, data, sizeof(data));
    CHECK(memcmp(data, "\5\6\7\10\1\2\3\4", 8) == 0);
    elements_swap(ELEMENT_OTHER, data, sizeof(data));
    CHECK(memcmp(data, "\5\6\7\10\1\2\3\4", 8) == 0);
}

int main(void)
{
    TEST("numbers have their distance", numbers_have_their_distance);
    TEST("what is no number is told apart", what_is_no_number_is_told_apart);
    TEST("others are compared byte by byte", others_are_compared_byte_by_byte);
    TEST("long runs are counted and added", long_runs_are_counted_and_added);
    TEST("big-endian elements are turned", big_endian_elements_are_turned);
    return check_done();
}
