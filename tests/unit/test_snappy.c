/* SPDX-License-Identifier: Apache-2.0 */
#include "model/snappy.h"

#include <errno.h>

#include "check.h"
#include "util/cleanup.h"

enum { MAX_BYTES = 1000 };

static const struct {
    const char *packed;
    size_t len;
    int want;
    const char *text;
} cases[] = {
    {"\0", 1, 0, ""},
    {"\3\10abc", 5, 0, "abc"},
    {"\10\4ab\5\2", 6, -EBADMSG, NULL},    /* ends before it has 8 bytes */
    {"\6\4ab\1\2", 6, 0, "ababab"},        /* a copy over itself */
    {"\6\4ab\16\2\0", 7, 0, "ababab"},     /* with two bytes of offset */
    {"\6\4ab\17\2\0\0\0", 9, 0, "ababab"}, /* with four */
    {"", 0, -EBADMSG, NULL},
    {"\3\10ab", 4, -EBADMSG, NULL},    /* ends in a literal */
    {"\2\10abc", 5, -EBADMSG, NULL},   /* more than said */
    {"\6\4ab\1\3", 6, -EBADMSG, NULL}, /* a copy from before the beginning */
    {"\6\4ab\1\0", 6, -EBADMSG, NULL}, /* from nowhere */
    {"\xff\xff\xff\xff\xff\1", 6, -EBADMSG, NULL},
    {"\xff\xff\xff\xff\x0f", 5, -EBADMSG, NULL}, /* 4 GiB out of nothing */
    {"\351\7\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
     "\1\1\1",
     48, -EFBIG, NULL}, /* 1001 */
};

static int unpack(size_t i, char **out, size_t *out_len)
{
    uint8_t *data = NULL;
    CLEANUP(cleanup_free)
    uint8_t *copy = malloc(cases[i].len + !cases[i].len); /* exact, for ASan */
    if (!copy)
        return -ENOMEM;
    memcpy(copy, cases[i].packed, cases[i].len);
    int r = snappy_unpack(copy, cases[i].len, MAX_BYTES, &data, out_len);
    *out = (char *)data;
    return r;
}

static void blocks_are_unpacked_or_refused(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(cleanup_free) char *got = NULL;
        size_t len = 0;
        CHECK_EQ(unpack(i, &got, &len), cases[i].want);
        CHECK_EQ(got != NULL, cases[i].text != NULL);
        if (got && cases[i].text)
            CHECK(len == strlen(cases[i].text) && memcmp(got, cases[i].text, len) == 0);
    }
}

static void no_memory_is_an_error(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        CLEANUP(cleanup_free) char *got = NULL;
        size_t len = 0;
        int r = unpack(1, &got, &len);
        CHECK(r == -ENOMEM || (r == 0 && len == 3));
    }
}

int main(void)
{
    TEST("blocks are unpacked or refused", blocks_are_unpacked_or_refused);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
