/* SPDX-License-Identifier: Apache-2.0 */
#include "model/csv.h"

#include <errno.h>

#include "check.h"

static const struct {
    const char *text;
    int result;
    const char *records; /* `line:[cell][cell]...;` */
} cases[] = {
    {"", 0, ""},
    {"\n \r\n\t\n", 0, ""},
    {"a", 0, "1:[a];"},
    {"a,b\n", 0, "1:[a][b];"},
    {"a,b\r\n1,2\r\n", 0, "1:[a][b];2:[1][2];"},
    {" a b ,\t\"c\" \n\n ,", 0, "1:[a b][c];3:[][];"},
    {"a,,\n,", 0, "1:[a][][];2:[][];"},
    {"\"a,\"\"b\"\"\n\",c\nd", 0, "1:[a,\"b\"\n][c];3:[d];"},
    {"\"\",\"\"\"\"", 0, "1:[][\"];"},
    {"\" a \"", 0, "1:[ a ];"},
    {"\"a\"b,c\"d\"", 0, "1:[ab][c\"d\"];"},
    {"a\n\"b", -EBADMSG, "1:[a];"},
    {"\"a\"\"", -EBADMSG, ""},
};

static int read_all(const char *text, struct buf *out)
{
    CLEANUP(csv_record_deinit) struct csv_record record = {0};
    struct csv csv = csv_of(text, strlen(text));
    int r, failed = buf_puts(out, "");
    while ((r = csv_next(&csv, &record)) == 1) {
        const char *cell = record.text.data;
        failed |= buf_printf(out, "%zu:", record.line);
        for (size_t i = 0; i < record.n_cells; i++, cell = csv_behind(cell))
            failed |= buf_printf(out, "[%s]", cell);
        failed |= buf_puts(out, ";");
    }
    return failed ? failed : r;
}

static void records_are_found(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BUF_CLEANUP struct buf got = {0};
        CHECK_EQ(read_all(cases[i].text, &got), cases[i].result);
        CHECK_STR(got.data, cases[i].records);
    }
}

static void survives_each_allocation_failure(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        BUF_CLEANUP struct buf got = {0};
        int r = read_all("a,b\n\"1\",2\n", &got);
        CHECK(r == 0 ? strcmp(got.data, "1:[a][b];2:[1][2];") == 0 : r == -ENOMEM);
    }
}

int main(void)
{
    TEST("records are found", records_are_found);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
