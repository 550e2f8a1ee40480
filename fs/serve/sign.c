/* SPDX-License-Identifier: Apache-2.0 */
/* A signature is HMAC-SHA256(secret, method LF path LF expiry). The three cannot run into each
 * other: a method and a number hold no newline, and a path with one is refused before it gets a
 * URL. The expiry is in the text that is signed, so it cannot be moved. It is parsed strictly: one
 * text for one number. */
#include "serve/sign.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <string.h>

#include "net/url.h"
#include "util/digest.h"

static int make_signature(const struct sign_secret *secret, const char *method, const char *path,
                          int64_t expires_s, char out[DIGEST_HEX_BYTES])
{
    struct buf text BUF_CLEANUP = {0};
    struct digest mac;
    unsigned len = sizeof(mac.bytes);
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    int r = buf_printf(&text, "%s\n%s\n%" PRId64, method, path, expires_s);
    if (r < 0)
        return r;
    if (!HMAC(EVP_sha256(), secret->bytes, sizeof(secret->bytes), (const unsigned char *)text.data,
              text.len, mac.bytes, &len))
        return -ENOMEM;
    digest_format_hex(&mac, out);
    return 0;
}

int sign_append_url(const struct sign_secret *secret, const char *method, const char *path,
                    int64_t expires_s, struct buf *out)
{
    char signature[DIGEST_HEX_BYTES];
    int r = make_signature(secret, method, path, expires_s, signature);
    if (r < 0)
        return r;
    r = url_append_encoded(out, path, 1);
    if (r < 0)
        return r;
    return buf_printf(out, "?expires=%" PRId64 "&signature=%s", expires_s, signature);
}

/* Digits only, no leading zero or sign, at most 18 of them: what we print, and nothing else. */
static bool parse_expires(const char *text, int64_t *out)
{
    size_t len = strlen(text);
    int64_t value = 0;
    if (len == 0 || len > 18 || strspn(text, "0123456789") != len || text[0] == '0')
        return false;
    for (; *text; text++)
        value = value * 10 + (*text - '0');
    *out = value;
    return true;
}

enum sign_verdict sign_check(const struct sign_secret *secret, const char *method, const char *path,
                             const char *expires, const char *signature, int64_t now_s)
{
    char want[DIGEST_HEX_BYTES];
    int64_t expires_s;
    if (!expires || !signature || !parse_expires(expires, &expires_s))
        return SIGN_FORGED;
    if (strlen(signature) != sizeof(want) - 1)
        return SIGN_FORGED;
    if (make_signature(secret, method, path, expires_s, want) < 0)
        return SIGN_FORGED;
    if (CRYPTO_memcmp(want, signature, sizeof(want) - 1) != 0)
        return SIGN_FORGED;
    return now_s < expires_s ? SIGN_GOOD : SIGN_EXPIRED;
}
