/* SPDX-License-Identifier: Apache-2.0 */
/* A read under way, from the kernel's request to its answer, which may come on another thread. */
#pragma once

#include "vfs/ops_common.h"

struct read_ticket {
    fuse_req_t req;
    struct ops *ops;
    fuse_ino_t ino;
    uint64_t off;
    size_t size; /* asked for */
    uint64_t began_ns;
    struct buf head; /* what is answered before the bytes that were read; owned */
};
