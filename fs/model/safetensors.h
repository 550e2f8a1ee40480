/* SPDX-License-Identifier: Apache-2.0 */
/* What a safetensors file holds: a little-endian length of 8 bytes, that much JSON (name -> dtype,
 * shape, data_offsets, and `__metadata__`), the tensors' bytes. As the reference implementation has
 * it (github.com/huggingface/safetensors, "Format"). Pure. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

/* An inquiry_parse_fn of struct contents. Tells of every tensor, and of the texts in `__metadata__`
 * as the group `safetensors`. A tensor of a type that is not known has dtype NULL and no window.
 *
 * A file that ends before its header does, or before the last tensor, was not transferred whole:
 * that is noted by contents_miss_rest(), no tensor of it is told of, and the result is 0. What is no
 * safetensors file at all is -EBADMSG. */
int safetensors_parse(void *contents, uint32_t file, struct glimpse *glimpse);
