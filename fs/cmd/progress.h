/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on standard error when that is a terminal; nothing at all elsewhere. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

/* Embedded by value; one thread at a time. */
struct progress {
    bool is_shown;
    uint64_t total_bytes, done_bytes;
    uint64_t skipped_bytes; /* of done: were there already, and say nothing of the speed */
    uint64_t started_ms, drawn_ms;
    const char *what; /* borrowed: the file under way; NULL: none */
};

/* Starts a bar over @total_bytes. */
void progress_start(struct progress *progress, uint64_t total_bytes);
/* Names the file under way. */
void progress_name(struct progress *progress, const char *what);
/* @bytes are done in all, counted from the start. Draws, ten times a second at most. */
void progress_set(struct progress *progress, uint64_t done_bytes);
/* @bytes more need not be done: they were there. */
void progress_skip(struct progress *progress, uint64_t bytes);
/* Takes the bar away, so that a message can stand there; the next set draws it again. */
void progress_clear(struct progress *progress);

/* The bar's text for a line of @columns, which it does not fill; in a narrow one parts are left
 * out. Pure; @now_ms as started_ms. 0 or -ENOMEM. */
int progress_format(const struct progress *progress, uint64_t now_ms, unsigned columns,
                    struct buf *out);
