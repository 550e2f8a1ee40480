/* SPDX-License-Identifier: Apache-2.0 */
/* An inquiry: files that are looked into, many at a time, until what they hold is known. It reads
 * nothing: who drives it reads what the glimpses want, so that all of a round travel together.
 *
 *     while (inquiry_step(q) == -EAGAIN)
 *         for each file that wants bytes: read them, then inquiry_give() or inquiry_fail()
 *
 * Pure; not thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/glimpse.h"

/* Reads what it can out of a file: 0 when that is all, -EAGAIN when the glimpse wants bytes (it is
 * called again from the start and must have kept nothing in @ctx, or know by
 * glimpse->taken_bytes what it has kept), -EBADMSG for what makes no sense, -ENOMEM. */
typedef int inquiry_parse_fn(void *ctx, uint32_t file, struct glimpse *glimpse);

struct inquiry_file {
    uint32_t file; /* the caller's number */
    int result;    /* -EAGAIN: under way; 0; why it could not be read */
    inquiry_parse_fn *parse;
    struct glimpse glimpse;
};

struct inquiry {
    void *ctx;                   /* of every parse; borrowed */
    struct inquiry_file **files; /* owned */
    size_t n_files;
};

void inquiry_init(struct inquiry *inquiry, void *ctx);
void inquiry_deinit(struct inquiry *inquiry);

/* Looks into a file too; a parser may add others. 0 or -ENOMEM. */
int inquiry_add(struct inquiry *inquiry, uint32_t file, uint64_t size_bytes,
                inquiry_parse_fn *parse);

/* Goes on with every file whose bytes are here. -EAGAIN while some want more; 0 when each has its
 * result; -ENOMEM. */
int inquiry_step(struct inquiry *inquiry);

/* Whether a file waits for bytes: glimpse.want_offset, want_len. */
bool inquiry_wants(const struct inquiry_file *file);
/* Gives it what it wanted: takes @data over, as glimpse_add(). */
int inquiry_give(struct inquiry_file *file, uint8_t *data, size_t len);
/* They cannot be had: @err becomes the file's result. */
void inquiry_fail(struct inquiry_file *file, int err);
