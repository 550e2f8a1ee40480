/* SPDX-License-Identifier: Apache-2.0 */
/* What a GGUF file holds (github.com/ggml-org/ggml, docs/gguf.md): key-values, tensors' names,
 * shapes, types and places, then their bytes. Versions 1, 2 and 3, of either byte order. Pure. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

/* An inquiry_parse_fn of struct contents. Tells of every tensor, its slowest dimension first, and of
 * numbers, truths and texts of up to 1 KiB as the group `gguf`; arrays (the vocabulary) are passed
 * over. A tensor of a type that is not known has dtype NULL and no window.
 *
 * A file that ends before its last tensor does was not transferred whole: that is noted by
 * contents_miss_rest(), no tensor of it is told of, and the result is 0. One that ends within its
 * header is -EBADMSG, for nobody can tell how long it should be. */
int gguf_parse(void *contents, uint32_t file, struct glimpse *glimpse);
