/* SPDX-License-Identifier: Apache-2.0 */
/* Signed URLs (pure): whoever holds one may do one method on one path until it expires, with no
 * key. */
#pragma once

#include <stdint.h>

#include "util/buf.h"

enum { SIGN_SECRET_BYTES = 32 };

/* Only the server knows it; it lives as long as its store. */
struct sign_secret {
    uint8_t bytes[SIGN_SECRET_BYTES];
};

enum sign_verdict {
    SIGN_GOOD,
    SIGN_EXPIRED, /* ours, and its time is over */
    SIGN_FORGED,  /* not ours: another method, path, time or secret, or no signature at all */
};

/* Appends `<path>?expires=<seconds>&signature=<hex>` with @path (decoded, starts with `/`, no
 * newline) percent-encoded. HEAD is signed by a URL for GET. 0 or -ENOMEM. */
int sign_append_url(const struct sign_secret *secret, const char *method, const char *path,
                    int64_t expires_s, struct buf *out);

/* Judges a request at @now_s (seconds since 1970). @expires and @signature are the query's values
 * as they came, or NULL. Takes the same time for each wrong signature. */
enum sign_verdict sign_check(const struct sign_secret *secret, const char *method, const char *path,
                             const char *expires, const char *signature, int64_t now_s);
