/* SPDX-License-Identifier: Apache-2.0 */
/* Drives a parser as an inquiry does, with a file of which only some pieces are something and the
 * rest is NULs; and what came of it as text. */
#pragma once

#include <errno.h>
#include <stdint.h>

#include "check.h"
#include "model/contents.h"
#include "model/history.h"
#include "model/inquiry.h"
#include "util/buf.h"
#include "util/json.h"

struct source_piece {
    uint64_t offset;
    const char *data;
    size_t len;
};

struct source_probe {
    int n_rounds;         /* times that bytes were asked for */
    uint64_t given_bytes; /* in all */
};

/* What of @piece lies in [offset, offset + len) of the file, to its place in @out. */
static inline void source_copy(const struct source_piece *piece, uint64_t offset, uint8_t *out,
                               size_t len)
{
    uint64_t begin = piece->offset > offset ? piece->offset : offset;
    uint64_t end = piece->offset + piece->len;
    end = end < offset + len ? end : offset + len;
    if (begin < end)
        memcpy(out + (begin - offset), piece->data + (begin - piece->offset), end - begin);
}

static inline int source_give(struct inquiry_file *file, const struct source_piece *pieces,
                              size_t n_pieces)
{
    const struct glimpse *glimpse = &file->glimpse;
    uint8_t *data = calloc(1, glimpse->want_len);
    if (!data)
        return -ENOMEM;
    for (size_t i = 0; i < n_pieces; i++)
        source_copy(&pieces[i], glimpse->want_offset, data, glimpse->want_len);
    return inquiry_give(file, data, glimpse->want_len);
}

/* Parses file number @number of @ctx, of @size bytes: its result. */
static inline int source_parse_pieces(struct source_probe *probe, inquiry_parse_fn *parse,
                                      void *ctx, uint32_t number, const struct source_piece *pieces,
                                      size_t n_pieces, uint64_t size)
{
    struct inquiry inquiry;
    *probe = (struct source_probe){0};
    inquiry_init(&inquiry, ctx);
    int r = inquiry_add(&inquiry, number, size, parse);
    while (r == 0 && (r = inquiry_step(&inquiry)) == -EAGAIN) {
        probe->n_rounds++;
        probe->given_bytes += inquiry.files[0]->glimpse.want_len;
        r = source_give(inquiry.files[0], pieces, n_pieces);
    }
    if (r == 0)
        r = inquiry.files[0]->result;
    inquiry_deinit(&inquiry);
    return r;
}

static inline int source_parse(inquiry_parse_fn *parse, void *ctx, uint32_t number,
                               const char *data, size_t len)
{
    struct source_probe probe;
    struct source_piece piece = {0, data, len};
    return source_parse_pieces(&probe, parse, ctx, number, &piece, 1, len);
}

DEFINE_CLEANUP(FILE *, source_fclose, fclose)

/* A file of the corpus. */
static inline void source_read(const char *path, struct buf *out)
{
    FILE *file CLEANUP(source_fclose) = fopen(path, "rb");
    char block[4096];
    size_t n = 0;
    out->len = 0;
    while (file && (n = fread(block, 1, sizeof(block), file)) > 0)
        CHECK_EQ(buf_append(out, block, n), 0);
    CHECK(out->len);
}

/* The rows from @first on, a line each: `session:name step value`, `@ns` behind it where there is a
 * time, `last` for METRIC_LAST_STEP. */
static inline void source_rows(const struct history *history, size_t first, struct buf *out)
{
    int r = buf_puts(out, "");
    for (size_t i = first; i < history->n_rows; i++) {
        const struct history_row *row = &history->rows[i];
        char value[METRIC_TEXT_BYTES];
        metric_format(row->value, value);
        r |= buf_printf(out, "%s:%s ", row->session, row->name);
        r |= row->step == METRIC_LAST_STEP ? buf_puts(out, "last ")
                                           : buf_printf(out, "%lld ", (long long)row->step);
        r |= buf_puts(out, value);
        r |= row->wall_ns ? buf_printf(out, "@%lld\n", (long long)row->wall_ns)
                          : buf_puts(out, "\n");
    }
    CHECK_EQ(r, 0);
}

/* A case of a parser of metrics. */
struct source_case {
    const char *path, *text;
    int result;
    const char *rows; /* as source_rows() */
};

/* Runs a parser over @text as the file at @path of a history that has a row already. */
static inline void source_check_text(inquiry_parse_fn *parse, const char *path, const char *text,
                                     size_t len, int result, const char *rows)
{
    const struct history_row before = {.name = "before", .session = "x"};
    struct history_file files[] = {{"other", 0}, {path, len}};
    BUF_CLEANUP struct buf got = {0};
    struct history history;
    history_init(&history, files, 2);
    CHECK_EQ(history_add(&history, &before), 0);
    int r = source_parse(parse, &history, 1, text, len);
    if (r != result)
        printf("# %s: %.300s\n", path, text);
    CHECK_EQ(r, result);
    source_rows(&history, 1, &got);
    CHECK_STR(got.data, rows);
    history_deinit(&history);
}

static inline void source_check(inquiry_parse_fn *parse, const struct source_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        source_check_text(parse, cases[i].path, cases[i].text, strlen(cases[i].text),
                          cases[i].result, cases[i].rows);
}

static inline void source_check_file(inquiry_parse_fn *parse, const char *file, const char *path,
                                     const char *rows)
{
    BUF_CLEANUP struct buf data = {0};
    source_read(file, &data);
    source_check_text(parse, path, data.data, data.len, 0, rows);
}

/* Compact, with sorted keys; `null` for nothing. Free it. */
static inline char *source_json(const json_t *json)
{
    return json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : strdup("null");
}

#define CHECK_JSON(got, want)                                                                      \
    do {                                                                                           \
        CLEANUP(cleanup_free) char *text_ = source_json(got);                                      \
        CHECK_STR(text_, want);                                                                    \
    } while (0)

/* With each allocation failing, a parser of metrics keeps nothing when it says so, and else all the
 * @n_rows. Texts that need memory to be read may be taken for none: -EBADMSG. */
#ifdef CHECK_ALLOC_FAIL
static inline void source_check_alloc(inquiry_parse_fn *parse, const char *path, const char *text,
                                      size_t n_rows)
{
    FOR_EACH_ALLOC_FAILURE
    {
        struct history_file file = {path, strlen(text)};
        struct history history;
        history_init(&history, &file, 1);
        int r = source_parse(parse, &history, 0, text, strlen(text));
        check_alloc_countdown = -1;
        CHECK(r == 0 || r == -ENOMEM || r == -EBADMSG);
        CHECK_EQ(history.n_rows, r == 0 ? n_rows : 0);
        history_deinit(&history);
    }
}
#endif
