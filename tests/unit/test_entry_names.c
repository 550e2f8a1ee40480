/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/names.h"

#include <errno.h>

#include "check.h"

static void check_entry(const char *name, const char *want)
{
    BUF_CLEANUP struct buf entry = {0};
    CHECK_EQ(name_to_entry(name, &entry), 0);
    CHECK_STR(entry.data, want);
}

static void what_is_an_entry_stays(void)
{
    static const char *const names[] = {"a",          "model.ckpt-600.index",
                                        " ",          "\xc3\xa9",
                                        "\xff",       "~",
                                        "-",          "...",
                                        ".a",         ".modelfs2",
                                        "a%",         "100%",
                                        "%zz",        "%a",
                                        "a\\b*?\"<>", "%%",
                                        "%2",         "C:",
                                        "..a"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        check_entry(names[i], names[i]);
}

static void what_is_none_is_escaped(void)
{
    static const struct {
        const char *name, *entry;
    } cases[] = {
        {"a/b", "a%2Fb"},
        {"/", "%2F"},
        {".", "%2E"},
        {"..", "%2E%2E"},
        {".modelfs", "%2Emodelfs"},
        {"", "%"},
        {"%", "%25"},
        {"%2F", "%252F"},
        {"%2f", "%252f"},
        {"%25", "%2525"},
        {"a\nb", "a%0Ab"},
        {"\x7f", "%7F"},
        {"\x01", "%01"},
        {"../x", "..%2Fx"},
        {"%%2F", "%%252F"},
        {"%/", "%%2F"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_entry(cases[i].name, cases[i].entry);
}

static void entries_are_appended(void)
{
    BUF_CLEANUP struct buf out = {0};
    buf_puts(&out, "before/");
    CHECK_EQ(name_to_entry("a/b", &out), 0);
    CHECK_STR(out.data, "before/a%2Fb");
}

/* Whether @entry is one that a directory can hold. */
static bool is_entry(const char *entry)
{
    size_t len = strlen(entry);
    return len && len <= NAME_MAX_BYTES && !strchr(entry, '/') && strcmp(entry, ".") != 0 &&
           strcmp(entry, "..") != 0 && strcmp(entry, ".modelfs") != 0;
}

/* All names of up to three of these characters. */
static void no_two_short_names_become_one(void)
{
    static const char letters[] = "%/.2F5E\n";
    enum { N = sizeof(letters) - 1, TOTAL = 1 + N + N * N + N * N * N };
    static char entries[TOTAL][32];
    int n = 0;
    for (int len = 0, count = 1; len <= 3; len++, count *= N)
        for (int i = 0; i < count; i++) {
            char name[4] = {0};
            BUF_CLEANUP struct buf entry = {0};
            for (int k = 0, rest = i; k < len; k++, rest /= N)
                name[k] = letters[rest % N];
            CHECK_EQ(name_to_entry(name, &entry), 0);
            CHECK(is_entry(entry.data));
            stpncpy(entries[n++], entry.data, sizeof(entries[0]) - 1);
        }
    CHECK_EQ(n, TOTAL);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++)
            CHECK(strcmp(entries[i], entries[k]) != 0);
}

static void fill(char *name, const char *unit, size_t n)
{
    *name = '\0';
    while (n--)
        name = stpcpy(name, unit);
}

static void long_names_are_cut(void)
{
    static const struct {
        const char *unit;
        size_t n;
        size_t kept; /* bytes before the `~`; 0: not cut */
    } cases[] = {
        {"a", 255, 0},
        {"a", 256, 238},
        {"a", 5000, 238},
        {"\xc3\xa9", 127, 0},
        {"\xc3\xa9", 128, 238},
        {"\xe2\x82\xac", 86, 237},
        {"\xf0\x9f\x98\x80", 64, 236},
        {"/", 85, 0},
        {"/", 86, 238},
        {"\x80", 255, 0},
        {"\x80", 256, 238},
        {"\xff", 300, 238},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[5001];
        BUF_CLEANUP struct buf entry = {0};
        fill(name, cases[i].unit, cases[i].n);
        CHECK_EQ(name_to_entry(name, &entry), 0);
        CHECK(is_entry(entry.data));
        CHECK_EQ(strlen(entry.data), entry.len);
        if (cases[i].kept) {
            CHECK_EQ(entry.len, cases[i].kept + 17);
            CHECK_EQ(entry.data[cases[i].kept], '~');
        }
    }
}

static void long_names_differ_by_their_end(void)
{
    char a[400], b[400];
    BUF_CLEANUP struct buf x = {0}, y = {0}, again = {0};
    fill(a, "n", 300);
    fill(b, "n", 300);
    b[299] = 'm';
    CHECK_EQ(name_to_entry(a, &x), 0);
    CHECK_EQ(name_to_entry(b, &y), 0);
    CHECK_EQ(name_to_entry(a, &again), 0);
    CHECK(strcmp(x.data, y.data) != 0);
    CHECK_STR(again.data, x.data);
}

static void what_stood_before_is_not_cut(void)
{
    BUF_CLEANUP struct buf out = {0};
    char name[400];
    fill(name, "\x80", 300);
    buf_puts(&out, "\x80\x80/");
    CHECK_EQ(name_to_entry(name, &out), 0);
    CHECK(out.len <= 3 + NAME_MAX_BYTES);
    CHECK(strncmp(out.data, "\x80\x80/", 3) == 0);
}

static void a_twin_carries_its_id(void)
{
    static const struct {
        const char *entry, *id, *want;
    } cases[] = {
        {"same", "123", "same~123"},
        {"same", "a/b", "same~a%2Fb"},
        {"same", "", "same~%"},
        {"a%2Fb", "..", "a%2Fb~%2E%2E"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BUF_CLEANUP struct buf out = {0};
        CHECK_EQ(name_twin(cases[i].entry, cases[i].id, &out), 0);
        CHECK_STR(out.data, cases[i].want);
    }
}

static void long_twins_still_differ(void)
{
    static const char *const units[] = {"n", "\x80", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        BUF_CLEANUP struct buf x = {0}, y = {0};
        char entry[400];
        fill(entry, units[i], 250 / strlen(units[i]));
        CHECK_EQ(name_twin(entry, "id-of-one", &x), 0);
        CHECK_EQ(name_twin(entry, "id-of-two", &y), 0);
        CHECK(is_entry(x.data) && is_entry(y.data));
        CHECK(strcmp(x.data, y.data) != 0);
    }
}

static void no_memory_is_an_error(void)
{
    char name[400];
    fill(name, "/", 300);
    FOR_EACH_ALLOC_FAILURE
    {
        BUF_CLEANUP struct buf out = {0}, twin = {0};
        int r = name_to_entry(name, &out);
        CHECK(r == 0 || r == -ENOMEM);
        r = name_twin("same", name, &twin);
        CHECK(r == 0 || r == -ENOMEM);
    }
}

int main(void)
{
    TEST("what is an entry stays as it is", what_is_an_entry_stays);
    TEST("what is none is escaped", what_is_none_is_escaped);
    TEST("entries are appended", entries_are_appended);
    TEST("no two short names become one entry", no_two_short_names_become_one);
    TEST("long names are cut, not within a character", long_names_are_cut);
    TEST("long names differ by their end", long_names_differ_by_their_end);
    TEST("what stood before is not cut", what_stood_before_is_not_cut);
    TEST("a twin carries its id", a_twin_carries_its_id);
    TEST("long twins still differ", long_twins_still_differ);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
