/* SPDX-License-Identifier: Apache-2.0 */
/* URLs as text (pure). */
#pragma once

#include <stddef.h>

#include "util/buf.h"

/* A URL in its parts. Strings are owned: url_deinit(). */
struct url {
    char *scheme; /* lower case: `http`, `gradient+http`, `dir` */
    char *host;   /* with the port where one was given, no user info; empty for dir:///path */
    char *path;   /* as written, since decoded segments would be ambiguous; starts with `/` or is
                   * empty */
    char *query;  /* without `?`; NULL where there is none */
};
#define URL_CLEANUP CLEANUP(url_deinit)

/* -EINVAL with no scheme, with user:password@ (credentials do not belong there), control characters
 * or white space; -ENOMEM. */
int url_parse(const char *text, struct url *out);
void url_deinit(struct url *url);

/* Appends @text percent-encoded: all but unreserved characters (RFC 3986), and `/` too where
 * @keep_slash is 0. */
int url_append_encoded(struct buf *out, const char *text, int keep_slash);
/* Decodes %XX into fresh memory; NULL on a broken escape, an encoded NUL, or out of memory. With
 * @plus_is_space, `+` becomes a space (query values). */
char *url_decode(const char *text, size_t len, int plus_is_space);

/* Appends the next parameter to a query: `?name=value` or `&name=value`, value encoded. */
int url_append_query(struct buf *out, const char *name, const char *value);

/* @text without its query and user info, for logs: `http://host/path?...`. Writes at most @cap
 * bytes with the NUL. */
void url_redact(const char *text, char *out, size_t cap);
