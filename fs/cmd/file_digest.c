/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/file_digest.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/interrupt.h"
#include "util/cleanup.h"

enum { CHUNK_BYTES = 1 << 20 };

DEFINE_CLEANUP(struct digest_stream *, cleanup_stream, digest_stream_free)

int file_digest_feed(struct digest_stream *stream, int fd, uint64_t len)
{
    CLEANUP(cleanup_free) char *chunk = malloc(CHUNK_BYTES);
    if (!chunk)
        return -ENOMEM;
    for (uint64_t off = 0; off < len;) {
        uint64_t left = len - off;
        ssize_t n = pread(fd, chunk, left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES, (off_t)off);
        if (interrupt_seen())
            return -EINTR;
        if (n <= 0)
            return n < 0 ? -errno : -ESTALE;
        digest_stream_update(stream, chunk, (size_t)n);
        off += (uint64_t)n;
    }
    return 0;
}

int file_digest(int fd, uint64_t len, struct digest *out)
{
    CLEANUP(cleanup_stream) struct digest_stream *stream = digest_stream_new();
    int r = stream ? file_digest_feed(stream, fd, len) : -ENOMEM;
    if (r == 0)
        digest_stream_final(stream, out);
    return r;
}
