/* SPDX-License-Identifier: Apache-2.0 */
#include "util/buf.h"

#include <errno.h>
#include <stdint.h>

#include "check.h"

static void content_survives_growth(void)
{
    struct buf b BUF_CLEANUP = {0};
    for (int i = 0; i < 10000; i++)
        CHECK_EQ(buf_putc(&b, (char)('a' + i % 26)), 0);
    CHECK_EQ(b.len, 10000);
    CHECK(b.cap > b.len);
    for (size_t i = 0; i < b.len; i++)
        CHECK_EQ(b.data[i], 'a' + (int)i % 26);
}

static void content_is_a_c_string(void)
{
    struct buf b BUF_CLEANUP = {0};
    CHECK_EQ(buf_puts(&b, "mnist"), 0);
    CHECK_STR(b.data, "mnist");
    CHECK_EQ(buf_append(&b, "/cnn-and-more", 4), 0);
    CHECK_STR(b.data, "mnist/cnn");
    CHECK_EQ(buf_append(&b, NULL, 0), 0);
    CHECK_EQ(b.len, 9);
}

static void bytes_may_be_nul(void)
{
    struct buf b BUF_CLEANUP = {0};
    CHECK_EQ(buf_append(&b, "a\0b", 3), 0);
    CHECK_EQ(b.len, 3);
    CHECK(memcmp(b.data, "a\0b", 4) == 0);
}

static void printf_appends(void)
{
    struct buf b BUF_CLEANUP = {0};
    CHECK_EQ(buf_printf(&b, "%d:", 42), 0);
    CHECK_EQ(buf_printf(&b, "%*s", 200, "x"), 0);
    CHECK_EQ(b.len, 203);
    CHECK(strncmp(b.data, "42:  ", 5) == 0);
    CHECK_EQ(b.data[202], 'x');
    CHECK_EQ(b.data[203], '\0');
}

static void size_overflow_is_no_memory(void)
{
    struct buf b BUF_CLEANUP = {0};
    CHECK_EQ(buf_puts(&b, "kept"), 0);
    CHECK_EQ(buf_reserve(&b, SIZE_MAX), -ENOMEM);
    CHECK_EQ(buf_reserve(&b, SIZE_MAX - 4), -ENOMEM);
    CHECK_STR(b.data, "kept");
    CHECK_EQ(b.len, 4);
}

static void steal_leaves_an_empty_buf(void)
{
    struct buf b BUF_CLEANUP = {0};
    CHECK_EQ(buf_puts(&b, "text"), 0);
    char *text CLEANUP(cleanup_free) = buf_steal(&b);
    CHECK_STR(text, "text");
    CHECK(!b.data && b.len == 0 && b.cap == 0);
    char *empty CLEANUP(cleanup_free) = buf_steal(&b);
    CHECK_STR(empty, "");
}

static void deinit_can_be_repeated(void)
{
    struct buf b = {0};
    buf_deinit(&b);
    CHECK_EQ(buf_puts(&b, "x"), 0);
    buf_deinit(&b);
    CHECK(!b.data && b.len == 0 && b.cap == 0);
    buf_deinit(&b);
}

static void failed_append_changes_nothing(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        struct buf b BUF_CLEANUP = {0};
        size_t want = 0;
        for (int i = 0; i < 6; i++) {
            int r = i % 2 ? buf_printf(&b, "%050d", i) : buf_append(&b, "0123456789", 10);
            CHECK(r == 0 || r == -ENOMEM);
            want += r < 0 ? 0 : i % 2 ? 50 : 10;
            CHECK_EQ(b.len, want);
        }
    }
}

static void failed_steal_is_null(void)
{
    int n_failed = 0;
    FOR_EACH_ALLOC_FAILURE
    {
        struct buf b BUF_CLEANUP = {0};
        char *text CLEANUP(cleanup_free) = buf_steal(&b);
        n_failed += !text;
    }
    CHECK_EQ(n_failed, 1);
}

int main(void)
{
    TEST("content survives growth", content_survives_growth);
    TEST("content is a C string at any time", content_is_a_c_string);
    TEST("bytes may be NUL", bytes_may_be_nul);
    TEST("printf appends", printf_appends);
    TEST("a size that overflows is -ENOMEM and changes nothing", size_overflow_is_no_memory);
    TEST("steal leaves an empty buf, and an empty one gives an empty text",
         steal_leaves_an_empty_buf);
    TEST("deinit can be repeated", deinit_can_be_repeated);
    TEST("an append that fails changes nothing", failed_append_changes_nothing);
    TEST("a steal without memory is NULL", failed_steal_is_null);
    return check_done();
}
