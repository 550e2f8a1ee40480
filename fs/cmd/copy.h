/* SPDX-License-Identifier: Apache-2.0 */
/* One file of a supply into the destination: unless it is there already; into `<name>.part` first,
 * going on where an earlier copy ended; compared with its SHA-256 where that is known; then under
 * its own name, with its time. */
#pragma once

#include "cmd/progress.h"
#include "cmd/supply.h"

/* What a copy came to, besides 0 and -errno. */
enum { COPY_WAS_THERE = 1 };

struct copy {
    const struct supply *supply; /* borrowed, as all */
    int dest_fd;
    struct progress *progress; /* has done_bytes of the files before */
    bool at_source;            /* set when it failed: at the source, or else at the destination */
};

/* Copies @item. 0, COPY_WAS_THERE, or -errno: -EINTR when an interrupt was seen (what came stays
 * as a .part), -EBADMSG when the bytes are not those of the digest (the .part is gone), -EBUSY when
 * another copy writes the same file. */
int copy_file(struct copy *copy, const struct supply_item *item);
