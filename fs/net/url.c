/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* ctype.h asks the locale; a URL's letters are ASCII's wherever we run. */
static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_unreserved(char c)
{
    return is_alpha(c) || is_digit(c) || (c && strchr("-._~", c));
}

static bool is_scheme_char(char c)
{
    return is_alpha(c) || is_digit(c) || (c && strchr("+-.", c));
}

static bool is_blank_or_control(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f;
}

static char *copy_text(const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

/* Length of the scheme before `://`; 0 where there is none. */
static size_t scheme_len(const char *text)
{
    size_t n = 0;
    if (!is_alpha(text[0]))
        return 0;
    while (is_scheme_char(text[n]))
        n++;
    return strncmp(text + n, "://", 3) == 0 ? n : 0;
}

void url_deinit(struct url *url)
{
    free(url->scheme);
    free(url->host);
    free(url->path);
    free(url->query);
    *url = (struct url){0};
}

static bool has_blank_or_control(const char *text)
{
    for (; *text; text++)
        if (is_blank_or_control(*text))
            return true;
    return false;
}

int url_parse(const char *text, struct url *out)
{
    struct url url URL_CLEANUP = {0};
    size_t n_scheme = scheme_len(text);
    if (n_scheme == 0 || has_blank_or_control(text))
        return -EINVAL;
    const char *host = text + n_scheme + strlen("://");
    const char *path = host + strcspn(host, "/?#");
    const char *query = path + strcspn(path, "?#");
    if (memchr(host, '@', (size_t)(path - host)))
        return -EINVAL;
    url.scheme = copy_text(text, n_scheme);
    url.host = copy_text(host, (size_t)(path - host));
    url.path = copy_text(path, (size_t)(query - path));
    if (!url.scheme || !url.host || !url.path)
        return -ENOMEM;
    for (char *c = url.scheme; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    if (*query == '?') {
        url.query = copy_text(query + 1, strcspn(query + 1, "#"));
        if (!url.query)
            return -ENOMEM;
    }
    *out = url;
    url = (struct url){0};
    return 0;
}

int url_append_encoded(struct buf *out, const char *text, int keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t room;
    if (__builtin_mul_overflow(strlen(text), 3, &room))
        return -ENOMEM;
    int r = buf_reserve(out, room);
    if (r < 0)
        return r;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (is_unreserved(*text) || (keep_slash && c == '/')) {
            out->data[out->len++] = *text;
            continue;
        }
        out->data[out->len++] = '%';
        out->data[out->len++] = digits[c >> 4];
        out->data[out->len++] = digits[c & 15];
    }
    out->data[out->len] = '\0';
    return 0;
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte that `%XX` at @text stands for; -EINVAL when it is broken or cut off by @len. */
static int decode_escape(const char *text, size_t len)
{
    if (len < 3)
        return -EINVAL;
    int high = hex_value(text[1]), low = hex_value(text[2]);
    return high < 0 || low < 0 ? -EINVAL : high << 4 | low;
}

char *url_decode(const char *text, size_t len, int plus_is_space)
{
    char *out CLEANUP(cleanup_free) = malloc(len + 1);
    size_t n = 0;
    if (!out)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        int c = (unsigned char)text[i];
        if (c == '%') {
            c = decode_escape(text + i, len - i);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c <= 0)
            return NULL;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return steal_ptr(out);
}

/* What goes before the next parameter: nothing when one was announced already. */
static const char *query_separator(const struct buf *url)
{
    if (url->len == 0 || !memchr(url->data, '?', url->len))
        return "?";
    char last = url->data[url->len - 1];
    return last == '?' || last == '&' ? "" : "&";
}

int url_append_query(struct buf *out, const char *name, const char *value)
{
    size_t before = out->len;
    int r = buf_printf(out, "%s%s=", query_separator(out), name);
    if (r == 0)
        r = url_append_encoded(out, value, 0);
    if (r < 0 && out->data) {
        out->len = before;
        out->data[before] = '\0';
    }
    return r;
}

void url_redact(const char *text, char *out, size_t cap)
{
    size_t n_scheme = scheme_len(text), n = 0;
    const char *host = n_scheme ? text + n_scheme + strlen("://") : text;
    const char *path = host + strcspn(host, "/?#");
    const char *end = host + strcspn(host, "?#");
    const char *at = memrchr(host, '@', (size_t)(path - host));
    if (cap == 0)
        return;
    for (const char *c = text; c < end && n + 1 < cap; c++) {
        if (at && c >= host && c <= at)
            continue;
        out[n++] = is_blank_or_control(*c) ? '_' : *c;
    }
    for (const char *c = *end == '?' ? "?..." : ""; *c && n + 1 < cap; c++)
        out[n++] = *c;
    out[n] = '\0';
}
