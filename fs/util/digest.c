/* SPDX-License-Identifier: Apache-2.0 */
#include "util/digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "util/cleanup.h"

struct digest_stream {
    EVP_MD_CTX *md;
};

struct digest_stream *digest_stream_new(void)
{
    struct digest_stream *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->md = EVP_MD_CTX_new();
    if (!s->md || EVP_DigestInit_ex(s->md, EVP_sha256(), NULL) != 1) {
        digest_stream_free(s);
        return NULL;
    }
    return s;
}

void digest_stream_free(struct digest_stream *s)
{
    if (!s)
        return;
    EVP_MD_CTX_free(s->md);
    free(s);
}

void digest_stream_update(struct digest_stream *s, const void *data, size_t len)
{
    int ok = EVP_DigestUpdate(s->md, data, len);
    assert(ok == 1);
    (void)ok;
}

void digest_stream_final(struct digest_stream *s, struct digest *out)
{
    int ok = EVP_DigestFinal_ex(s->md, out->bytes, NULL);
    assert(ok == 1);
    (void)ok;
}

void digest_of(const void *data, size_t len, struct digest *out)
{
    int ok = EVP_Digest(data, len, out->bytes, NULL, EVP_sha256(), NULL);
    assert(ok == 1);
    (void)ok;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

void digest_format_hex(const struct digest *d, char out[DIGEST_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        out[2 * i] = digits[d->bytes[i] >> 4];
        out[2 * i + 1] = digits[d->bytes[i] & 15];
    }
    out[2 * DIGEST_BYTES] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int digest_parse(const char *text, struct digest *out)
{
    struct digest d;
    if (strncmp(text, "sha256:", 7) == 0)
        text += 7;
    if (strlen(text) != 2 * DIGEST_BYTES)
        return -EINVAL;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return -EINVAL;
        d.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *out = d;
    return 0;
}
