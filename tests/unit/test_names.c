/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/names.h"

#include "check.h"

static void refuses_paths_that_lead_elsewhere(void)
{
    static const struct {
        const char *path;
        bool good;
    } cases[] = {
        {"w.bin", true},   {"a/b/c", true},   {"a b+%&#\"';=\xc3\xa9", true},
        {".hidden", true}, {"...", true},     {"a/..b/c..", true},
        {"-", true},       {"a\\b", true},    {"", false},
        {"/", false},      {"/etc/x", false}, {"a/", false},
        {"a//b", false},   {".", false},      {"..", false},
        {"a/./b", false},  {"a/../b", false}, {"../a", false},
        {"a/..", false},   {"a\nb", false},   {"a\x7f", false},
        {"\x01", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if ((names_path_problem(cases[i].path) == NULL) != cases[i].good)
            printf("# %s\n", cases[i].path);
        CHECK_EQ(names_path_problem(cases[i].path) == NULL, cases[i].good);
    }
}

/* @n times @c, with a slash after each 100. */
static const char *long_path(char *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = i % 100 == 99 ? '/' : 'x';
    out[n] = '\0';
    return out;
}

static void paths_and_segments_have_a_longest(void)
{
    char path[2000];
    CHECK(!names_path_problem(long_path(path, 1024)));
    CHECK(names_path_problem(long_path(path, 1025)) != NULL);
    memset(path, 'x', 255);
    path[255] = '\0';
    CHECK(!names_path_problem(path));
    path[255] = 'x';
    path[256] = '\0';
    CHECK(names_path_problem(path) != NULL);
}

static void a_name_is_neither_blank_nor_too_long(void)
{
    CHECK(!names_text_problem("a", 3));
    CHECK(!names_text_problem("abc", 3));
    CHECK(names_text_problem("abcd", 3) != NULL);
    CHECK_STR(names_text_problem("", 3), "can't be blank");
    CHECK_STR(names_text_problem(" \t\n", 3), "can't be blank");
}

static void ids_hold_letters_and_digits(void)
{
    static const uint8_t random[] = {0, 9, 10, 35, 36, 255};
    char id[NAMES_ID_BYTES];
    names_format_id("pr", random, sizeof(random), id);
    CHECK_STR(id, "pr09az03");
}

int main(void)
{
    TEST("refuses paths that lead elsewhere", refuses_paths_that_lead_elsewhere);
    TEST("paths and segments have a longest", paths_and_segments_have_a_longest);
    TEST("a name is neither blank nor too long", a_name_is_neither_blank_nor_too_long);
    TEST("ids hold letters and digits", ids_hold_letters_and_digits);
    return check_done();
}
