/* SPDX-License-Identifier: Apache-2.0 */
/* How a read ends. */
#pragma once

#include <sys/uio.h>

/* Where a read's bytes came from. */
enum read_source {
    READ_NOWHERE, /* there were none: behind the end, or an error */
    READ_CACHED,  /* all of them lay in the block cache */
    READ_JOINED,  /* somebody had asked for all that was lacking: on its way, or here already */
    READ_FETCHED, /* some were asked of the network for this read */
    READ_N_SOURCES,
};

struct read_answer {
    int err; /* 0, or -errno and no bytes */
    enum read_source source;
    const struct iovec *iov; /* borrowed for the call */
    int n_iov;
};

/* Is told, once. Any thread. */
typedef void read_done_fn(void *ctx, const struct read_answer *answer);
