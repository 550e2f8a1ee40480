/* SPDX-License-Identifier: Apache-2.0 */
/* Who reads ahead right now: a look at all files that are open. For stats; it takes each file's
 * lock for a moment. */
#pragma once

#include <stdint.h>

struct fetch;

struct survey {
    uint64_t n_files;           /* contents that are open */
    uint64_t n_files_streaming; /* of these, with a stream that is not through */
    uint64_t n_streams;
    uint64_t window_bytes; /* how far ahead these may be, all together */
    uint64_t ahead_bytes;  /* and how far they are: asked for, and not read yet */
};

/* 0 or -ENOMEM. Any thread. */
int survey_take(struct fetch *fetch, struct survey *out);
