/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/table.h"

#include <errno.h>

#include "check.h"
#include "cmd/screen.h"

/* The table of @cells in two columns, the first to the left; NULL headings for none. */
static int format(const char *const headings[2], const char *const *cells, size_t n,
                  struct buf *out)
{
    TABLE_CLEANUP struct table *table = table_new();
    if (!table)
        return -ENOMEM;
    table_add_column(table, headings[0], TABLE_LEFT);
    table_add_column(table, headings[1], TABLE_RIGHT);
    for (size_t i = 0; i < n; i++)
        table_add(table, cells[i]);
    return table_format(table, out);
}

static const char *const headed[2] = {"NAME", "SIZE"}, *const bare[2] = {NULL, NULL};

static void check_table(const char *const headings[2], const char *const *cells, size_t n,
                        const char *want)
{
    struct buf out BUF_CLEANUP = {0};
    CHECK_EQ(format(headings, cells, n, &out), 0);
    CHECK_STR(out.data, want);
}

static void columns_line_up(void)
{
    static const char *const cells[] = {"a", "1 B", "longer", "1.0 MiB"};
    check_table(headed, cells, 4, "NAME       SIZE\na           1 B\nlonger  1.0 MiB\n");
}

static void a_table_without_rows_has_its_headings(void)
{
    check_table(headed, NULL, 0, "NAME  SIZE\n");
}

static void a_table_may_have_no_headings(void)
{
    static const char *const cells[] = {"step", "600"};
    check_table(bare, cells, 2, "step  600\n");
}

static void characters_are_counted_and_not_bytes(void)
{
    static const char *const cells[] = {"\xc3\xa9t\xc3\xa9", "1", "summer", "2"};
    check_table(bare, cells, 4, "\xc3\xa9t\xc3\xa9     1\nsummer  2\n");
}

static void control_characters_do_not_get_through(void)
{
    static const char *const cells[] = {"a\nb\x1b[2J\x7f", "\xc2\x9b"
                                                           "1"};
    check_table(bare, cells, 2, "a?b?[2J?  ?1\n");
}

static void what_is_missing_is_a_dash(void)
{
    static const char *const cells[] = {NULL, "", "x"};
    check_table(bare, cells, 3, "-  -\nx  -\n");
}

static void no_line_ends_with_a_blank(void)
{
    TABLE_CLEANUP struct table *table = table_new();
    struct buf out BUF_CLEANUP = {0};
    table_add_column(table, "A", TABLE_LEFT);
    table_add(table, "long");
    table_add(table, "s");
    CHECK_EQ(table_rows(table), 2);
    CHECK_EQ(table_format(table, &out), 0);
    CHECK_STR(out.data, "A\nlong\ns\n");
}

static void marks_take_no_room(void)
{
    TABLE_CLEANUP struct table *table = table_new();
    struct buf out BUF_CLEANUP = {0};
    table_add_column(table, NULL, TABLE_RIGHT);
    table_add_column(table, NULL, TABLE_LEFT);
    table_add_bold(table, "1\001");
    table_add(table, "a");
    table_add(table, "10");
    table_add_bold(table, NULL);
    CHECK_EQ(table_format(table, &out), 0);
    CHECK_STR(out.data,
              SCREEN_BOLD "1?" SCREEN_NORMAL "  a\n10  " SCREEN_BOLD "-" SCREEN_NORMAL "\n");
}

static void a_table_of_nothing_prints_nothing(void)
{
    TABLE_CLEANUP struct table *table = table_new();
    CLEANUP(cleanup_free) char *said = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&said, &len);
    CHECK(table && out);
    table_add_column(table, NULL, TABLE_LEFT);
    CHECK_EQ(table_print(table, out), 0);
    fclose(out);
    CHECK_EQ(len, 0);
}

static void survives_each_allocation_failure(void)
{
    static const char *const cells[] = {"a", "1", "b", "2"};
    FOR_EACH_ALLOC_FAILURE
    {
        struct buf out BUF_CLEANUP = {0};
        int r = format(headed, cells, 4, &out);
        CHECK(r == 0 || r == -ENOMEM);
        CHECK(r < 0 || strcmp(out.data, "NAME  SIZE\na        1\nb        2\n") == 0);
    }
}

int main(void)
{
    TEST("columns line up", columns_line_up);
    TEST("a table without rows has its headings", a_table_without_rows_has_its_headings);
    TEST("a table may have no headings", a_table_may_have_no_headings);
    TEST("characters are counted and not bytes", characters_are_counted_and_not_bytes);
    TEST("control characters do not get through", control_characters_do_not_get_through);
    TEST("what is missing is a dash", what_is_missing_is_a_dash);
    TEST("no line ends with a blank", no_line_ends_with_a_blank);
    TEST("marks take no room", marks_take_no_room);
    TEST("a table of nothing prints nothing", a_table_of_nothing_prints_nothing);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
