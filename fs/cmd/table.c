/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/table.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/human.h"
#include "cmd/screen.h"

enum { MAX_COLUMNS = 16, GAP = 2 };

struct column {
    enum table_align align;
    size_t width;
};

struct table {
    struct column columns[MAX_COLUMNS];
    size_t n_columns;
    struct buf texts; /* the cells' texts, each with its NUL, headings first */
    size_t n_cells;   /* without the headings */
    bool has_headings;
    bool failed;
};

struct table *table_new(void)
{
    return calloc(1, sizeof(struct table));
}

void table_free(struct table *table)
{
    if (table)
        buf_deinit(&table->texts);
    free(table);
}

/* Continuation bytes take no column. Wide and combining characters are counted as one: a column
 * that stands crooked for them is no harm. */
size_t table_text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80 && (unsigned char)*text >= ' ';
    return width;
}

static void add_cell(struct table *table, struct column *column, const char *text, bool bold)
{
    size_t start = table->texts.len;
    int r = bold ? buf_puts(&table->texts, SCREEN_BOLD) : 0;
    if (r == 0)
        r = screen_append_clean(text && *text ? text : "-", &table->texts);
    if (r == 0 && bold)
        r = buf_puts(&table->texts, SCREEN_NORMAL);
    if (r < 0 || buf_putc(&table->texts, '\0') < 0) {
        table->failed = true;
        return;
    }
    size_t width = table_text_width(table->texts.data + start);
    if (width > column->width)
        column->width = width;
}

void table_add_column(struct table *table, const char *heading, enum table_align align)
{
    assert(table->n_columns < MAX_COLUMNS && table->n_cells == 0);
    struct column *column = &table->columns[table->n_columns++];
    *column = (struct column){.align = align};
    table->has_headings |= heading != NULL;
    if (heading)
        add_cell(table, column, heading, false);
}

void table_add(struct table *table, const char *text)
{
    assert(table->n_columns);
    add_cell(table, &table->columns[table->n_cells++ % table->n_columns], text, false);
}

void table_add_bold(struct table *table, const char *text)
{
    assert(table->n_columns);
    add_cell(table, &table->columns[table->n_cells++ % table->n_columns], text, true);
}

void table_add_size(struct table *table, uint64_t bytes)
{
    char text[HUMAN_BYTES];
    human_size(bytes, text);
    table_add(table, text);
}

void table_add_age(struct table *table, int64_t then_ns, int64_t now_ns)
{
    char text[HUMAN_BYTES];
    human_age(then_ns, now_ns, text);
    table_add(table, text);
}

size_t table_rows(const struct table *table)
{
    return table->n_columns ? (table->n_cells + table->n_columns - 1) / table->n_columns : 0;
}

/* Spaces are owed until something follows them, so that no line ends with one. */
static int format_cell(struct buf *out, const struct column *column, const char *text, size_t *owed)
{
    size_t pad = column->width - table_text_width(text);
    size_t before = *owed + (column->align == TABLE_RIGHT ? pad : 0);
    *owed = GAP + (column->align == TABLE_LEFT ? pad : 0);
    return buf_printf(out, "%*s%s", (int)before, "", text);
}

int table_format(struct table *table, struct buf *out)
{
    while (!table->failed && table->n_columns && table->n_cells % table->n_columns)
        table_add(table, NULL);
    if (table->failed)
        return -ENOMEM;
    const char *text = table->texts.data;
    int r = 0;
    size_t n_lines = table_rows(table) + table->has_headings;
    for (size_t line = 0; r == 0 && line < n_lines; line++) {
        size_t owed = 0;
        for (size_t i = 0; r == 0 && i < table->n_columns; i++, text += strlen(text) + 1)
            r = format_cell(out, &table->columns[i], text, &owed);
        if (r == 0)
            r = buf_putc(out, '\n');
    }
    return r;
}

int table_print(struct table *table, FILE *out)
{
    struct buf text BUF_CLEANUP = {0};
    int r = table_format(table, &text);
    if (r < 0 || !text.len) /* without headings a table may be empty */
        return r;
    return fwrite(text.data, 1, text.len, out) == text.len ? 0 : -EIO;
}
