/* SPDX-License-Identifier: Apache-2.0 */
/* How the block cache makes its meta records (cache/meta.h). */
#pragma once

#include <stdint.h>

#include "cache/tables.h"
#include "cache/writer.h"

struct meta;

/* Both are borrowed and outlive it. NULL when memory is short. */
struct meta *meta_new(const struct tables *tables, struct writer *writer, uint64_t limit_bytes);
void meta_free(struct meta *meta);
