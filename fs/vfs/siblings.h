/* SPDX-License-Identifier: Apache-2.0 */
/* Which files of a layout come after one, when somebody goes through it. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfs/layout.h"
#include "vfs/walk.h"

/* The files behind @node, up to @n of them (WALK_MAX_FILES at most), when all that is listed is
 * walked through in @order, directories entered as they come; from inside of a `.modelfs`, what is
 * left of that. By inode number it costs a look at each entry of the directories it comes by.
 * Returns how many are in @out. */
size_t siblings_next(const struct layout *layout, uint32_t node, enum walk_order order, size_t n,
                     uint32_t out[]);

/* Whether file @b comes right after file @a in their directory, in an order; by name it may leave
 * out a few. */
bool siblings_follow(const struct layout *layout, uint32_t a, uint32_t b,
                     enum walk_order *out_order);
