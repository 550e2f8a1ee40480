/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacks the beginning of a DEFLATE stream (RFC 1951), to see what a file in an archive is.
 * Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Unpacks @data, a stream without zlib's or gzip's frame, until it ends, the @len bytes of it end,
 * or @cap bytes are out. *out_n: how many are. 0; -EBADMSG when it makes no sense (some bytes may
 * be out before that shows). */
int inflate_beginning(const uint8_t *data, size_t len, uint8_t *out, size_t cap, size_t *out_n);
