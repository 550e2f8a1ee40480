/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/screen.h"

#include <errno.h>

#include "check.h"

static const struct {
    const char *text;
    struct screen_size size;
    bool colour, live;
    const char *out;
} cases[] = {
    {"a\nbc\n", {0, 0}, false, false, "a\nbc\n"},
    {"", {0, 0}, true, true, ""},
    /* marks are colours, or nothing, and take no room */
    {SCREEN_BOLD "ab" SCREEN_NORMAL "c\n", {0, 0}, true, false, "\033[1mab\033[0mc\n"},
    {SCREEN_RED "ab" SCREEN_NORMAL "c\n", {0, 0}, false, false, "abc\n"},
    {SCREEN_RED "ab" SCREEN_NORMAL "cd\n", {0, 3}, true, false, "\033[31mab\033[0mc\n"},
    {"\004a" SCREEN_NORMAL "\010b" SCREEN_NORMAL,
     {0, 0},
     true,
     false,
     "\033[36ma\033[0m\033[34mb\033[0m"},
    /* a colour ends even where its text was cut off */
    {SCREEN_RED "abcdef" SCREEN_NORMAL "\n", {0, 3}, true, false, "\033[31mabc\033[0m\n"},
    /* cut to the screen; in its last row the line stays open */
    {"abcdef\nghi\n", {0, 4}, false, false, "abcd\nghi\n"},
    {"a\nb\nc\nd\n", {2, 9}, false, false, "a\nb"},
    {"a\nb\n", {2, 9}, false, false, "a\nb"},
    {"a\nb\n", {3, 9}, false, false, "a\nb\n"},
    {"no end", {3, 9}, false, false, "no end"},
    /* characters of UTF-8 are counted once and never cut in two */
    {"\xc3\xa9\xc3\xa9\xc3\xa9\n", {0, 2}, false, false, "\xc3\xa9\xc3\xa9\n"},
    /* over an older screen each line's rest is cleared */
    {"a\n\nb\n", {0, 0}, false, true, "a\033[K\n\033[K\nb\033[K\n"},
    {"a\nb\n", {2, 9}, true, true, "a\033[K\nb\033[K"},
};

static void text_is_cut_and_coloured(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BUF_CLEANUP struct buf out = {0};
        CHECK_EQ(buf_puts(&out, ""), 0);
        CHECK_EQ(screen_format(cases[i].text, cases[i].size, cases[i].colour, cases[i].live, &out),
                 0);
        CHECK_STR(out.data ? out.data : "", cases[i].out);
    }
}

static void a_lack_of_memory_is_said(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        BUF_CLEANUP struct buf out = {0};
        int r = screen_format("a line\nand another\n", (struct screen_size){0}, true, true, &out);
        CHECK_EQ(r, check_alloc_hit ? -ENOMEM : 0);
    }
}

static void control_characters_are_cleaned_out(void)
{
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(screen_append_clean("a\nb\x1b[2J\x7f\xc2\x9b\xc3\xa9" SCREEN_BOLD, &out), 0);
    CHECK_STR(out.data, "a?b?[2J??\xc3\xa9?");
}

int main(void)
{
    TEST("control characters are cleaned out", control_characters_are_cleaned_out);
    TEST("text is cut and coloured", text_is_cut_and_coloured);
    TEST("a lack of memory is said", a_lack_of_memory_is_said);
    return check_done();
}
