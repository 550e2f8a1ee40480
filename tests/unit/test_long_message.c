/* SPDX-License-Identifier: Apache-2.0 */
#include "model/long_message.h"

#include <errno.h>

#include "check.h"
#include "bytes_probe.h"
#include "protobuf_builder.h"

/* Fields as `number:value `, or `number:@offset+length `. */
static int parse(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    struct buf *out = (struct buf *)ctx;
    struct long_message message = {0, glimpse->size_bytes};
    struct long_field field;
    int r;
    (void)file;
    out->len = 0;
    while ((r = long_message_next(glimpse, &message, &field)) > 0) {
        if (field.type == PROTOBUF_BYTES)
            buf_printf(out, "%u:@%llu+%llu ", field.number, (unsigned long long)field.bytes.at,
                       (unsigned long long)(field.bytes.end - field.bytes.at));
        else
            buf_printf(out, "%u:%llu ", field.number, (unsigned long long)field.value);
    }
    return r;
}

static void what_is_large_is_stepped_over(void)
{
    enum { LARGE = 10 << 20 };
    BUF_CLEANUP struct buf file = {0}, got = {0};
    char *large = calloc(1, LARGE);
    struct probe probe;
    put_number(&file, 1, 7);
    put_bytes(&file, 2, large, LARGE);
    put_float(&file, 3, 1);
    put_bytes(&file, 4, large, LARGE);
    put_double(&file, 5, 1);
    put_text(&file, 6, "");
    free(large);
    CHECK_EQ(probe_parse(&probe, parse, &got, 0, file.data, file.len), 0);
    CHECK_STR(got.data, "1:7 2:@7+10485760 3:1065353216 4:@10485777+10485760 "
                        "5:4607182418800017408 6:@20971548+0 ");
    CHECK_EQ(probe.n_rounds, 3);
    CHECK(probe.given_bytes < 3 * LONG_MESSAGE_ASK_BYTES);
}

static void what_is_no_field_is_refused(void)
{
    static const struct {
        const char *data;
        size_t len;
        int want;
    } cases[] = {
        {"", 0, 0},
        {"\x08\x01", 2, 0},
        {"\x08", 1, -EBADMSG},
        {"\x00\x01", 2, -EBADMSG},  /* number 0 */
        {"\x0b\x01", 2, -EBADMSG},  /* a group */
        {"\x0f\x01", 2, -EBADMSG},  /* no type */
        {"\x12\x02z", 3, -EBADMSG}, /* beyond the end */
        {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01z", 12, -EBADMSG},
        {"\x12", 1, -EBADMSG},
        {"\x0d\x01\x02\x03", 4, -EBADMSG},
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, -EBADMSG},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BUF_CLEANUP struct buf got = {0};
        struct probe probe;
        CHECK_EQ(probe_parse(&probe, parse, &got, 0, cases[i].data, cases[i].len), cases[i].want);
    }
}

/* A field that ends behind its message, though the file goes on. */
static void a_field_ends_with_its_message(void)
{
    static const uint8_t bytes[] = {0x12, 3, 'a', 'b', 'c'};
    for (uint64_t end = 1; end <= sizeof(bytes); end++) {
        struct glimpse glimpse;
        struct long_message message = {0, end};
        struct long_field field;
        uint8_t *copy = malloc(sizeof(bytes));
        memcpy(copy, bytes, sizeof(bytes));
        glimpse_init(&glimpse, sizeof(bytes));
        CHECK_EQ(glimpse_add(&glimpse, 0, copy, sizeof(bytes)), 0);
        CHECK_EQ(long_message_next(&glimpse, &message, &field),
                 end == sizeof(bytes) ? 1 : -EBADMSG);
        glimpse_deinit(&glimpse);
    }
}

int main(void)
{
    TEST("what is large is stepped over", what_is_large_is_stepped_over);
    TEST("what is no field is refused", what_is_no_field_is_refused);
    TEST("a field ends with its message", a_field_ends_with_its_message);
    return check_done();
}
