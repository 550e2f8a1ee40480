/* SPDX-License-Identifier: Apache-2.0 */
/* What NumPy's archive of arrays holds: a ZIP archive of `.npy` files. Pure. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

/* An inquiry_parse_fn of struct contents. Each member `x.npy` is the tensor `x`; other members are
 * passed over, so that of any other ZIP archive nothing is told. An array whose bytes are compressed
 * or encrypted is told of without a window, and as its header is too, with no dtype and the shape
 * [0]. Members are looked into one after another: one round trip each when they are large. */
int npz_parse(void *contents, uint32_t file, struct glimpse *glimpse);
