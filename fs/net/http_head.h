/* SPDX-License-Identifier: Apache-2.0 */
/* What came before a reply's body, read from header lines that may be hostile (pure). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

/* Strings are borrowed for the callback's time; NULL or -1 where the reply had none or a malformed
 * one. */
struct http_head {
    int status;
    int64_t content_length;        /* bytes of this body */
    uint64_t range_off, range_len; /* from Content-Range; range_len 0 where there was none */
    int64_t total_bytes; /* of the whole content: from Content-Range, or a 200's Content-Length */
    const char *etag;    /* as sent, quotes included */
    const char *content_type;
    const char *location;
    int64_t retry_after_ms; /* from Retry-After: seconds or a date */
};

/* A head in the making. Starts from {0}, ends with http_head_deinit(). */
struct http_head_parser {
    struct http_head head; /* its strings are the parser's */
    char *etag, *content_type, *location;
    bool is_chunked, is_whole;
};

void http_head_deinit(struct http_head_parser *parser);

/* The final head is whole: what follows is body, and later lines (trailers) change nothing. */
enum { HTTP_HEAD_WHOLE = 1 };

/* Takes one line of @len bytes, line end included; the empty line ends a head, and 1xx heads are
 * passed over. @now_s is the time since 1970 that a Retry-After date is compared with. Returns 0,
 * HTTP_HEAD_WHOLE or -ENOMEM. */
int http_head_feed(struct http_head_parser *parser, const char *line, size_t len, int64_t now_s);
