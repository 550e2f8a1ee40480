/* SPDX-License-Identifier: Apache-2.0 */
/* How far ahead to read from a host, and in ranges of what size, by how far away and how fast it
 * is. Pure. */
#pragma once

#include <stdint.h>

struct pace;

struct reach {
    uint64_t window_bytes; /* ahead of all readers of a file at most; UINT64_MAX: not known */
    uint64_t ahead_bytes;  /* a range that nobody waits for */
    uint64_t urgent_bytes; /* a range that somebody waits for; both whole pieces */
};

/* @pace: zeros where something is not known. */
struct reach reach_of(const struct pace *pace);
