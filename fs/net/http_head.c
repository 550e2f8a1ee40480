/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_head.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { STATUS_INFORMATIONAL_END = 200 };

static void start_head(struct http_head_parser *parser, int status)
{
    http_head_deinit(parser);
    parser->head = (struct http_head){
        .status = status, .content_length = -1, .total_bytes = -1, .retry_after_ms = -1};
}

void http_head_deinit(struct http_head_parser *parser)
{
    free(parser->etag);
    free(parser->content_type);
    free(parser->location);
    *parser = (struct http_head_parser){0};
}

/* Digits at *text as a number that fits an int64_t; moves *text behind them. */
static bool take_number(const char **text, int64_t *out)
{
    int64_t n = 0;
    const char *c = *text;
    for (; *c >= '0' && *c <= '9'; c++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *c - '0', &n))
            return false;
    if (c == *text)
        return false;
    *text = c;
    *out = n;
    return true;
}

static bool take_char(const char **text, char c)
{
    if (**text != c)
        return false;
    ++*text;
    return true;
}

static int64_t parse_length(const char *value)
{
    int64_t n;
    return take_number(&value, &n) && *value == '\0' ? n : -1;
}

/* `bytes 0-99/200`, `bytes 0-99/` and a star, or `bytes`, a star and `/200`. Anything else counts
 * as not sent. */
static void parse_content_range(struct http_head *head, const char *value)
{
    int64_t first = 0, last = -1, total = -1;
    if (strncasecmp(value, "bytes ", 6) != 0)
        return;
    value += 6;
    if (!take_char(&value, '*') &&
        !(take_number(&value, &first) && take_char(&value, '-') && take_number(&value, &last) &&
          first <= last && last < INT64_MAX))
        return;
    if (!take_char(&value, '/'))
        return;
    if (!take_char(&value, '*') && (!take_number(&value, &total) || last >= total))
        return;
    if (*value != '\0')
        return;
    head->range_off = (uint64_t)first;
    head->range_len = (uint64_t)(last - first + 1);
    head->total_bytes = total;
}

static int month_number(const char *name)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (int i = 0; i < 12; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

/* `Sun, 06 Nov 1994 08:49:37 GMT`, the one form servers may send (RFC 9110, 5.6.7), as seconds
 * since 1970 or -1. By hand, since strptime() wants the month in the locale's language. */
static int64_t parse_date(const char *value)
{
    struct tm tm = {0};
    char month[4] = "";
    int n = 0;
    if (sscanf(value, "%*3s, %2d %3s %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month, &tm.tm_year,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6 ||
        n == 0 || value[n] != '\0')
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon = month_number(month);
    return tm.tm_mon < 0 || tm.tm_year < 70 ? -1 : (int64_t)timegm(&tm);
}

static int64_t parse_retry_after(const char *value, int64_t now_s)
{
    int64_t wait_s = -1, date_s, wait_ms;
    const char *rest = value;
    if (value[0] >= '0' && value[0] <= '9') {
        if (!take_number(&rest, &wait_s) || *rest != '\0')
            return -1;
    } else {
        date_s = parse_date(value);
        if (date_s < 0)
            return -1;
        wait_s = date_s > now_s ? date_s - now_s : 0;
    }
    return __builtin_mul_overflow(wait_s, 1000, &wait_ms) ? -1 : wait_ms;
}

static int keep_text(char **slot, const char **shown, const char *value)
{
    char *copy = strdup(value);
    if (!copy)
        return -ENOMEM;
    free(*slot);
    *slot = copy;
    *shown = copy;
    return 0;
}

static int take_field(struct http_head_parser *parser, const char *name, const char *value,
                      int64_t now_s)
{
    struct http_head *head = &parser->head;
    if (strcasecmp(name, "ETag") == 0)
        return keep_text(&parser->etag, &head->etag, value);
    if (strcasecmp(name, "Content-Type") == 0)
        return keep_text(&parser->content_type, &head->content_type, value);
    if (strcasecmp(name, "Location") == 0)
        return keep_text(&parser->location, &head->location, value);
    if (strcasecmp(name, "Content-Length") == 0)
        head->content_length = parse_length(value);
    else if (strcasecmp(name, "Transfer-Encoding") == 0)
        parser->is_chunked = true;
    else if (strcasecmp(name, "Content-Range") == 0)
        parse_content_range(head, value);
    else if (strcasecmp(name, "Retry-After") == 0)
        head->retry_after_ms = parse_retry_after(value, now_s);
    return 0;
}

/* Splits `Name: value` in place, white space around the value removed. False when there is no
 * colon. */
static bool split_field(char *line, char **out_value)
{
    char *colon = strchr(line, ':');
    if (!colon)
        return false;
    *colon = '\0';
    *out_value = colon + 1 + strspn(colon + 1, " \t");
    size_t len = strlen(*out_value);
    while (len > 0 && strchr(" \t", (*out_value)[len - 1]))
        len--;
    (*out_value)[len] = '\0';
    return true;
}

static int end_head(struct http_head_parser *parser)
{
    struct http_head *head = &parser->head;
    if (head->status < STATUS_INFORMATIONAL_END)
        return 0;
    /* The chunks say how long the body is, whatever Content-Length claims (RFC 9112, 6.3). */
    if (parser->is_chunked)
        head->content_length = -1;
    if (head->status == 200)
        head->total_bytes = head->content_length;
    parser->is_whole = true;
    return HTTP_HEAD_WHOLE;
}

int http_head_feed(struct http_head_parser *parser, const char *line, size_t len, int64_t now_s)
{
    int status;
    char *value;
    if (parser->is_whole)
        return 0;
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    if (len == 0)
        return end_head(parser);
    char *text CLEANUP(cleanup_free) = malloc(len + 1);
    if (!text)
        return -ENOMEM;
    memcpy(text, line, len);
    text[len] = '\0';
    if (sscanf(text, "HTTP/%*[0-9.] %3d", &status) == 1) {
        start_head(parser, status);
        return 0;
    }
    return split_field(text, &value) ? take_field(parser, text, value, now_s) : 0;
}
