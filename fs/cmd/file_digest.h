/* SPDX-License-Identifier: Apache-2.0 */
/* The SHA-256 of a file's first bytes, read anew. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/digest.h"

/* Feeds the first @len bytes of @fd to @stream; the offset stays where it is. 0, -EINTR when an
 * interrupt was seen, -ESTALE when the file ends before, or -errno. */
int file_digest_feed(struct digest_stream *stream, int fd, uint64_t len);

/* The digest of the first @len bytes. Errors as above, or -ENOMEM. */
int file_digest(int fd, uint64_t len, struct digest *out);
