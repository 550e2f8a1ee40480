/* SPDX-License-Identifier: Apache-2.0 */
/* The text form of protocol buffers (protobuf.dev, "Text Format Language Specification"), as much
 * of it as this message has: names, a colon, numbers and quoted texts. */
#include "model/state_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/history.h"
#include "model/relative.h"
#include "util/buf.h"

struct cursor {
    const char *at, *end;
};

static bool is_at(const struct cursor *c, char want)
{
    return c->at < c->end && *c->at == want;
}

/* White space, comments, and what may part fields. */
static void skip_space(struct cursor *c)
{
    while (c->at < c->end && (isspace((unsigned char)*c->at) || strchr("#,;", *c->at))) {
        if (*c->at == '\0')
            return;
        if (*c->at == '#')
            while (c->at < c->end && *c->at != '\n')
                c->at++;
        else
            c->at++;
    }
}

/* Up to @max digits of @base as one byte. */
static bool read_number(struct cursor *c, int base, int max, char *out)
{
    char digits[4] = "", *end;
    int n = 0;
    while (n < max && c->at < c->end &&
           (base == 8 ? *c->at >= '0' && *c->at <= '7' : isxdigit((unsigned char)*c->at)))
        digits[n++] = *c->at++;
    *out = (char)strtoul(digits, &end, base);
    return n > 0;
}

/* What stands behind a backslash. */
static bool read_escape(struct cursor *c, char *out)
{
    static const char letters[] = "abfnrtv\\'\"?", meanings[] = "\a\b\f\n\r\t\v\\'\"?";
    if (c->at == c->end)
        return false;
    if (*c->at == 'x' || *c->at == 'X') {
        c->at++;
        return read_number(c, 16, 2, out);
    }
    const char *found = *c->at ? strchr(letters, *c->at) : NULL;
    if (!found)
        return read_number(c, 8, 3, out);
    *out = meanings[found - letters];
    c->at++;
    return true;
}

/* A quoted text at the cursor, appended. No path has a NUL, or a line's end that is not escaped. */
static int read_quoted(struct cursor *c, struct buf *out)
{
    char quote = *c->at++, byte;
    while (c->at < c->end && *c->at != quote) {
        byte = *c->at++;
        if (byte == '\n' || (byte == '\\' && !read_escape(c, &byte)) || byte == '\0')
            return -EBADMSG;
        int r = buf_putc(out, byte);
        if (r < 0)
            return r;
    }
    return c->at++ < c->end ? 0 : -EBADMSG;
}

/* A field's value: texts one after another are one; anything else is passed over. */
static int read_value(struct cursor *c, struct buf *out)
{
    if (!is_at(c, '"') && !is_at(c, '\'')) {
        const char *begin = c->at;
        while (c->at < c->end &&
               (isalnum((unsigned char)*c->at) || (*c->at && strchr("+-._", *c->at))))
            c->at++;
        return c->at > begin ? 0 : -EBADMSG;
    }
    int r = buf_reserve(out, 1);
    while (r == 0 && (is_at(c, '"') || is_at(c, '\''))) {
        r = read_quoted(c, out);
        skip_space(c);
    }
    return r;
}

static size_t read_name(struct cursor *c)
{
    const char *begin = c->at;
    while (c->at < c->end && (isalnum((unsigned char)*c->at) || *c->at == '_'))
        c->at++;
    return (size_t)(c->at - begin);
}

/* Reads one field; a text called model_checkpoint_path replaces what is in @out. */
static int read_field(struct cursor *c, struct buf *out)
{
    static const char want[] = "model_checkpoint_path";
    BUF_CLEANUP struct buf value = {0};
    const char *name = c->at;
    size_t len = read_name(c);
    skip_space(c);
    if (!len || !is_at(c, ':'))
        return -EBADMSG;
    c->at++;
    skip_space(c);
    int r = read_value(c, &value);
    if (r == 0 && len == strlen(want) && memcmp(name, want, len) == 0 && value.len) {
        buf_deinit(out);
        *out = value;
        value = (struct buf){0};
    }
    return r;
}

static int read_fields(const uint8_t *data, size_t len, struct buf *out)
{
    struct cursor c = {(const char *)data, (const char *)data + len};
    int r = 0;
    for (skip_space(&c); r == 0 && c.at < c.end; skip_space(&c))
        r = read_field(&c, out);
    return r;
}

/* The state file that counts is the first by path. */
static bool is_first(const struct history *history, uint32_t file)
{
    return !history->latest ||
           strcmp(history->files[file].path, history->files[history->latest_file].path) < 0;
}

/* Notes what state file @file says. */
static int note(struct history *history, uint32_t file, const char *prefix)
{
    BUF_CLEANUP struct buf path = {0};
    int r = relative_resolve(history->files[file].path,
                             *prefix == '/' ? strrchr(prefix, '/') + 1 : prefix, &path);
    if (r != 0)
        return r < 0 ? r : 0;
    char *latest = buf_steal(&path);
    if (!latest)
        return -ENOMEM;
    free(history->latest);
    history->latest = latest;
    history->latest_file = file;
    return 0;
}

int state_file_parse(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    struct history *history = (struct history *)ctx;
    BUF_CLEANUP struct buf prefix = {0};
    if (glimpse->size_bytes > STATE_FILE_MAX_BYTES)
        return -EFBIG;
    const uint8_t *data = glimpse_at(glimpse, 0, glimpse->size_bytes);
    if (!data)
        return glimpse_error(glimpse);
    int r = read_fields(data, (size_t)glimpse->size_bytes, &prefix);
    if (r < 0)
        return r;
    if (!prefix.len)
        return -EBADMSG;
    return is_first(history, file) ? note(history, file, prefix.data) : 0;
}
