/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzzers share: a parser is driven as an inquiry drives it, and gets no more than what it
 * asks for, so that it runs with holes in its file; a file of an even size comes in pieces that are
 * less than that. A parser that asks for ever is a finding too. */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/inquiry.h"

enum { FUZZ_MAX_ROUNDS = 100000, FUZZ_PIECE_BYTES = 128 };

/* Runs @parse over a file of @size bytes of @data; what it ended with. */
static inline int fuzz_parse(inquiry_parse_fn *parse, void *ctx, uint32_t file, const uint8_t *data,
                             size_t size)
{
    struct glimpse glimpse;
    int r = -EAGAIN;
    glimpse_init(&glimpse, size);
    for (int round = 0; r == -EAGAIN; round++) {
        r = parse(ctx, file, &glimpse);
        if (r != -EAGAIN)
            break;
        if (!glimpse.want_len || round == FUZZ_MAX_ROUNDS)
            abort();
        size_t piece = size % 2 ? glimpse.want_len : FUZZ_PIECE_BYTES + size % FUZZ_PIECE_BYTES;
        size_t len = glimpse.want_len < piece ? glimpse.want_len : piece;
        uint8_t *copy = malloc(len);
        if (!copy)
            break;
        memcpy(copy, data + glimpse.want_offset, len);
        glimpse_add(&glimpse, glimpse.want_offset, copy, len);
    }
    glimpse_deinit(&glimpse);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
