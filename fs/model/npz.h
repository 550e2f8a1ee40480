/* SPDX-License-Identifier: Apache-2.0 */
/* What NumPy's archive of arrays holds: a ZIP archive of `.npy` files. Pure. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

/* An inquiry_parse_fn of struct contents. Each member `x.npy` is the tensor `x`; other members are
 * passed over, so that of any other ZIP archive nothing is told. A compressed array is told of
 * without a window; of one whose header cannot be seen (it is encrypted, or what it begins with
 * makes no sense) neither dtype nor shape are known: NULL, and [0]. Members are looked into one
 * after another: one round trip each when they are large. */
int npz_parse(void *contents, uint32_t file, struct glimpse *glimpse);
