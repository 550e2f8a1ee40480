/* SPDX-License-Identifier: Apache-2.0 */
#include "model/wire.h"

#include <errno.h>

#include "check.h"

static const struct {
    const char *bytes;
    size_t len;
    const char *fields; /* `number:value` or `number@from-to` each */
    int result;
} cases[] = {
    {"", 0, "", 0},
    {"\x08\x96\x01", 3, "1:150 ", 0},
    {"\x12\x03"
     "abc\x18\x01",
     7, "2@2-5 3:1 ", 0},
    {"\x12\x00", 2, "2@2-2 ", 0},
    {"\x0d\x01\x02\x03\x04\x11\x01\x00\x00\x00\x00\x00\x00\x00", 14, "1:67305985 2:1 ", 0},
    {"\x82\x80\x80\x80\x00\x01x", 7, "", -EBADMSG}, /* field 0 */
    {"\x08", 1, "", -EBADMSG},
    {"\x08\x80", 2, "", -EBADMSG},
    {"\x12\x03xy", 4, "", -EBADMSG},
    {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 12, "", -EBADMSG},
    {"\x0b", 1, "", -EBADMSG},
    {"\x0d\x01\x02\x03", 4, "", -EBADMSG},
    {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, "", -EBADMSG},
};

/* A glimpse that has all of a file. */
static void have(struct glimpse *glimpse, const char *bytes, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    glimpse_init(glimpse, len);
    if (copy)
        memcpy(copy, bytes, len);
    CHECK_EQ(glimpse_add(glimpse, 0, copy, len), 0);
}

static int read_all(struct wire *wire, uint64_t end, char out[100])
{
    struct long_message rest = {0, end};
    struct long_field field;
    size_t n = 0;
    int r;
    out[0] = '\0';
    while ((r = wire_next(wire, &rest, &field)) == 1) {
        if (field.type == PROTOBUF_BYTES)
            n += (size_t)snprintf(out + n, 100 - n, "%u@%d-%d ", field.number, (int)field.bytes.at,
                                  (int)field.bytes.end);
        else
            n += (size_t)snprintf(out + n, 100 - n, "%u:%llu ", field.number,
                                  (unsigned long long)field.value);
    }
    return r;
}

static void fields_are_read_where_they_stand(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct glimpse glimpse;
        char got[100];
        have(&glimpse, cases[i].bytes, cases[i].len);
        struct wire wire = wire_of(&glimpse);
        CHECK_EQ(read_all(&wire, cases[i].len, got), cases[i].result);
        CHECK_STR(got, cases[i].fields);
        glimpse_deinit(&glimpse);
    }
}

static void a_message_ends_before_the_file(void)
{
    struct glimpse glimpse;
    char got[100];
    have(&glimpse, "\x08\x01\x08\x02", 4);
    struct wire wire = wire_of(&glimpse);
    CHECK_EQ(read_all(&wire, 2, got), 0);
    CHECK_STR(got, "1:1 ");
    CHECK_EQ(read_all(&wire, 3, got), -EBADMSG);
    glimpse_deinit(&glimpse);
}

static void little_is_asked_for_behind_a_jump(void)
{
    struct glimpse glimpse;
    struct long_message rest = {0, 1ULL << 30};
    struct long_field field;
    glimpse_init(&glimpse, rest.end);
    struct wire wire = wire_of(&glimpse);
    CHECK_EQ(wire_next(&wire, &rest, &field), -EAGAIN);
    CHECK_EQ(glimpse.want_len, WIRE_WINDOW_BYTES);
    uint8_t *data = calloc(1, glimpse.want_len);
    memcpy(data, "\x0a\x80\x80\x80\x01", 5); /* 2 MiB */
    CHECK_EQ(glimpse_add(&glimpse, 0, data, glimpse.want_len), 0);
    CHECK_EQ(wire_next(&wire, &rest, &field), 1);
    CHECK_EQ(wire_len(&field), 2 << 20);
    CHECK_EQ(wire_next(&wire, &rest, &field), -EAGAIN);
    CHECK_EQ(glimpse.want_offset, 5 + (2 << 20));
    CHECK_EQ(glimpse.want_len, GLIMPSE_MIN_BYTES);
    glimpse_deinit(&glimpse);
}

static void packed_numbers_and_texts_are_read(void)
{
    struct glimpse glimpse;
    struct long_message rest = {0, 3}, broken = {3, 4};
    struct long_field text = {.type = PROTOBUF_BYTES, .bytes = {0, 3}};
    uint64_t value;
    char out[4];
    have(&glimpse, "\x05\xac\x02\x80", 4);
    struct wire wire = wire_of(&glimpse);
    CHECK(wire_next_varint(&wire, &rest, &value) == 1 && value == 5);
    CHECK(wire_next_varint(&wire, &rest, &value) == 1 && value == 300);
    CHECK_EQ(wire_next_varint(&wire, &rest, &value), 0);
    CHECK_EQ(wire_next_varint(&wire, &broken, &value), -EBADMSG);
    CHECK_EQ(wire_text(&wire, &text, out, 3), 0);
    CHECK_STR(out, "\x05\xac\x02");
    CHECK_EQ(wire_text(&wire, &text, out, 2), -EBADMSG);
    text.type = PROTOBUF_VARINT;
    CHECK_EQ(wire_text(&wire, &text, out, 3), -EBADMSG);
    glimpse_deinit(&glimpse);
}

int main(void)
{
    TEST("fields are read where they stand", fields_are_read_where_they_stand);
    TEST("a message ends before the file", a_message_ends_before_the_file);
    TEST("little is asked for behind a jump", little_is_asked_for_behind_a_jump);
    TEST("packed numbers and texts are read", packed_numbers_and_texts_are_read);
    return check_done();
}
