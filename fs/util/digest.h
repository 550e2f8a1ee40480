/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, as a value and in steps. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32, DIGEST_HEX_BYTES = 65 };

struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

/* A running SHA-256. One thread at a time. */
struct digest_stream;

/* NULL when memory is short. Freed by digest_stream_free() (NULL is fine). */
struct digest_stream *digest_stream_new(void);
void digest_stream_free(struct digest_stream *s);
void digest_stream_update(struct digest_stream *s, const void *data, size_t len);
/* Ends the stream; only free may follow. */
void digest_stream_final(struct digest_stream *s, struct digest *out);

/* The SHA-256 of one run of bytes. */
void digest_of(const void *data, size_t len, struct digest *out);

bool digest_equal(const struct digest *a, const struct digest *b);

/* Lower-case hexadecimal with a closing NUL. */
void digest_format_hex(const struct digest *d, char out[DIGEST_HEX_BYTES]);

/* Parses 64 hexadecimal digits of either case, with or without `sha256:` before them. 0, or
 * -EINVAL. */
int digest_parse(const char *text, struct digest *out);
