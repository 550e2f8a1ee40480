/* SPDX-License-Identifier: Apache-2.0 */
#include "model/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct csv csv_of(const char *text, size_t len)
{
    return (struct csv){text, text + len, 1};
}

void csv_record_deinit(struct csv_record *record)
{
    buf_deinit(&record->text);
    *record = (struct csv_record){0};
}

const char *csv_behind(const char *cell)
{
    return cell + strlen(cell) + 1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static int append(struct csv_record *record, const char *text, size_t len)
{
    int r = 0;
    while (r == 0 && len) {
        size_t n = strnlen(text, len);
        r = buf_append(&record->text, text, n);
        n += n < len;
        text += n;
        len -= n;
    }
    return r;
}

/* What stands in quotes, from behind the first one on. */
static int take_quoted(struct csv *csv, struct csv_record *record)
{
    for (;;) {
        const char *quote = memchr(csv->at, '"', (size_t)(csv->end - csv->at));
        if (!quote)
            return -EBADMSG;
        bool is_doubled = quote + 1 < csv->end && quote[1] == '"';
        for (const char *c = csv->at; c < quote; c++)
            csv->line += *c == '\n';
        int r = append(record, csv->at, (size_t)(quote - csv->at) + is_doubled);
        csv->at = quote + 1 + is_doubled;
        if (r < 0 || !is_doubled)
            return r;
    }
}

/* The rest of a cell up to a comma or a line's end, without the blanks at its end. */
static int take_plain(struct csv *csv, struct csv_record *record)
{
    const char *begin = csv->at, *to;
    while (csv->at < csv->end && *csv->at != ',' && *csv->at != '\n')
        csv->at++;
    to = csv->at;
    while (to > begin && is_blank(to[-1]))
        to--;
    return append(record, begin, (size_t)(to - begin));
}

static int take_cell(struct csv *csv, struct csv_record *record)
{
    int r = 0;
    while (csv->at < csv->end && is_blank(*csv->at))
        csv->at++;
    if (csv->at < csv->end && *csv->at == '"') {
        csv->at++;
        r = take_quoted(csv, record);
    }
    if (r == 0)
        r = take_plain(csv, record);
    record->n_cells++;
    return r < 0 ? r : buf_append(&record->text, "", 1);
}

static void skip_blank_lines(struct csv *csv)
{
    const char *at = csv->at;
    while (at < csv->end && (is_blank(*at) || *at == '\n'))
        if (*at++ == '\n') {
            csv->at = at;
            csv->line++;
        }
    if (at == csv->end)
        csv->at = at;
}

int csv_next(struct csv *csv, struct csv_record *record)
{
    bool goes_on = true;
    skip_blank_lines(csv);
    record->text.len = record->n_cells = 0;
    record->line = csv->line;
    if (csv->at == csv->end)
        return 0;
    while (goes_on) {
        int r = take_cell(csv, record);
        if (r < 0)
            return r;
        goes_on = csv->at < csv->end && *csv->at == ',';
        csv->at += goes_on;
    }
    if (csv->at < csv->end) {
        csv->at++;
        csv->line++;
    }
    return 1;
}
