/* SPDX-License-Identifier: Apache-2.0 */
/* Drives a parser as an inquiry does: it gets exactly what it asks for, out of a file in memory. */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/inquiry.h"

struct probe {
    int n_rounds;         /* times that bytes were asked for */
    uint64_t given_bytes; /* in all */
    uint64_t most_bytes;  /* held at once */
};

/* Runs @parse over @len bytes; what it ended with. A parser that asks for nothing, or for ever,
 * gives -ELOOP. */
static inline int probe_parse(struct probe *probe, inquiry_parse_fn *parse, void *ctx,
                              uint32_t file, const void *data, size_t len)
{
    struct glimpse glimpse;
    int r;
    glimpse_init(&glimpse, len);
    *probe = (struct probe){0};
    while ((r = parse(ctx, file, &glimpse)) == -EAGAIN) {
        uint8_t *copy = glimpse.want_len ? malloc(glimpse.want_len) : NULL;
        if (!copy || probe->n_rounds++ > 10000) {
            r = glimpse.want_len && !copy ? -ENOMEM : -ELOOP;
            free(copy);
            break;
        }
        memcpy(copy, (const char *)data + glimpse.want_offset, glimpse.want_len);
        probe->given_bytes += glimpse.want_len;
        r = glimpse_add(&glimpse, glimpse.want_offset, copy, glimpse.want_len);
        if (r < 0)
            break;
        if (glimpse.held_bytes > probe->most_bytes)
            probe->most_bytes = glimpse.held_bytes;
    }
    glimpse_deinit(&glimpse);
    return r;
}

/* The bytes of a small file of the tests' data: *out_len of them, in a memory of exactly that size
 * (free() it). */
static inline uint8_t *probe_load(const char *path, size_t *out_len)
{
    static uint8_t room[1 << 20];
    FILE *file = fopen(path, "rb");
    *out_len = file ? fread(room, 1, sizeof(room), file) : 0;
    if (file)
        fclose(file);
    uint8_t *copy = malloc(*out_len + !*out_len);
    if (copy)
        memcpy(copy, room, *out_len);
    return copy;
}
