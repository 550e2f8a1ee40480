/* SPDX-License-Identifier: Apache-2.0 */
#include "model/tensor_proto.h"

#include <math.h>

#include "check.h"
#include "protobuf_builder.h"

enum {
    FLOAT = 1,
    DOUBLE,
    INT32,
    UINT8,
    INT16,
    INT8,
    STRING,
    INT64 = 9,
    BOOL,
    BFLOAT16 = 14,
    UINT16 = 17,
    HALF = 19,
    UINT32 = 22,
    UINT64 = 23
};

/* A tensor of @dtype with a shape of @dims (-1: none, else a digit a dimension), and a field of
 * bytes. */
static void build(struct buf *out, uint64_t dtype, const char *dims, uint32_t field,
                  const void *data, size_t len)
{
    BUF_CLEANUP struct buf shape = {0}, dim = {0};
    put_number(out, 1, dtype);
    for (; *dims; dims++) {
        put_number(&dim, 1, (uint64_t)(*dims - '0'));
        put_message(&shape, 2, &dim);
    }
    put_message(out, 2, &shape);
    if (field)
        put_bytes(out, field, data, len);
}

#define BYTES(text) text, sizeof(text) - 1

static void the_number_is_read_in_both_forms(void)
{
    static const struct {
        uint64_t dtype;
        uint32_t field;
        const char *data;
        size_t len;
        double want;
    } cases[] = {
        {FLOAT, 4, BYTES("\0\0\x80\x3f"), 1},
        {FLOAT, 5, BYTES("\0\0\x20\xc0"), -2.5},
        {FLOAT, 5, BYTES(""), 0},
        {FLOAT, 0, NULL, 0, 0},
        {DOUBLE, 4, BYTES("\0\0\0\0\0\0\xf0\x3f"), 1},
        {DOUBLE, 6, BYTES("\0\0\0\0\0\0\x04\x40"), 2.5},
        {HALF, 4, BYTES("\0\x3c"), 1},
        {HALF, 13, BYTES("\x80\x80\x03"), -2},    /* 0xc000 */
        {HALF, 13, BYTES("\xff\xf7\x01"), 65504}, /* 0x7bff, the greatest */
        {HALF, 13, BYTES("\x01"), 0x1p-24},       /* the least */
        {HALF, 13, BYTES("\x80\xf8\x01"), INFINITY},
        {BFLOAT16, 4, BYTES("\x80\x3f"), 1},
        {BFLOAT16, 13, BYTES("\xa0\x80\x03"), -2.5}, /* 0xc020 */
        {INT32, 7, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), -1},
        {INT32, 4, BYTES("\xfe\xff\xff\xff"), -2},
        {INT8, 4, BYTES("\x80"), -128},
        {INT16, 4, BYTES("\0\x80"), -32768},
        {INT64, 10, BYTES("\x05"), 5},
        {INT64, 4, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), -1},
        {UINT8, 4, BYTES("\xff"), 255},
        {UINT16, 7, BYTES("\x05"), 5},
        {UINT32, 16, BYTES("\x05"), 5},
        {UINT64, 17, BYTES("\x05"), 5},
        {UINT64, 4, BYTES("\0\0\0\0\0\0\0\x80"), 0x1p63},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BUF_CLEANUP struct buf tensor = {0};
        double got = NAN;
        build(&tensor, cases[i].dtype, "", cases[i].field, cases[i].data, cases[i].len);
        CHECK(tensor_proto_number((uint8_t *)tensor.data, tensor.len, false, &got));
        CHECK(got == cases[i].want);
    }
}

static void not_a_number_is_one_too(void)
{
    BUF_CLEANUP struct buf tensor = {0};
    double got = 0;
    build(&tensor, HALF, "", 4, "\1\x7e", 2);
    CHECK(tensor_proto_number((uint8_t *)tensor.data, tensor.len, false, &got));
    CHECK(isnan(got));
}

static void a_field_may_come_unpacked(void)
{
    BUF_CLEANUP struct buf tensor = {0};
    double got = 0;
    put_number(&tensor, 1, FLOAT);
    put_float(&tensor, 5, 2.5F);
    CHECK(tensor_proto_number((uint8_t *)tensor.data, tensor.len, false, &got));
    CHECK(got == 2.5);
    tensor.len = 0;
    put_number(&tensor, 1, INT64);
    put_number(&tensor, 10, 7);
    CHECK(tensor_proto_number((uint8_t *)tensor.data, tensor.len, false, &got));
    CHECK(got == 7);
}

static void other_tensors_have_no_number(void)
{
    static const struct {
        uint64_t dtype;
        const char *dims;
        uint32_t field;
        const char *data;
        size_t len;
        int has, has_in_any_rank;
    } cases[] = {
        {FLOAT, "", 4, BYTES("\0\0\x80\x3f"), 1, 1},
        {FLOAT, "1", 4, BYTES("\0\0\x80\x3f"), 0, 1},
        {FLOAT, "111", 4, BYTES("\0\0\x80\x3f"), 0, 1},
        {FLOAT, "2", 4, BYTES("\0\0\x80\x3f\0\0\x80\x3f"), 0, 0},
        {FLOAT, "0", 0, NULL, 0, 0, 0},
        {FLOAT, "10", 0, NULL, 0, 0, 0},
        {FLOAT, "", 4, BYTES("\0\0\x80"), 0, 0},
        {FLOAT, "", 5, BYTES("\0\0\x80"), 0, 0},
        {INT64, "", 10, BYTES("\x80"), 0, 0},
        {STRING, "", 8, BYTES("text"), 0, 0},
        {BOOL, "", 11, BYTES("\1"), 0, 0},
        {0, "", 0, NULL, 0, 0, 0},
        {UINT64_MAX, "", 0, NULL, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BUF_CLEANUP struct buf tensor = {0};
        double got;
        build(&tensor, cases[i].dtype, cases[i].dims, cases[i].field, cases[i].data, cases[i].len);
        const uint8_t *data = (uint8_t *)tensor.data;
        CHECK_EQ(tensor_proto_number(data, tensor.len, false, &got), cases[i].has);
        CHECK_EQ(tensor_proto_number(data, tensor.len, true, &got), cases[i].has_in_any_rank);
    }
}

static void what_is_no_message_has_no_number(void)
{
    static const struct {
        const char *data;
        size_t len;
    } cases[] = {
        {BYTES("\x08")},
        {BYTES("\x08\x01\x12\x05")},
        {BYTES("\x08\x01\x12\x01\x12")},
        {BYTES("\x08\x01\x12\x03\x12\x01\x08")},
        {BYTES("\x08\x01\x12\x02\x18\x01")}, /* a rank that is not known */
        {BYTES("\x08\x01\x2b")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double got;
        CHECK(!tensor_proto_number((const uint8_t *)cases[i].data, cases[i].len, true, &got));
    }
}

int main(void)
{
    TEST("the number is read in both forms", the_number_is_read_in_both_forms);
    TEST("not a number is one too", not_a_number_is_one_too);
    TEST("a field may come unpacked", a_field_may_come_unpacked);
    TEST("other tensors have no number", other_tensors_have_no_number);
    TEST("what is no message has no number", what_is_no_message_has_no_number);
    return check_done();
}
