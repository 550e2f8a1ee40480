/* SPDX-License-Identifier: Apache-2.0 */
/* One value of a TensorFlow summary (Summary.Value of tensorflow/core/framework/summary.proto), as
 * far as it is a scalar. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_scalar {
    const uint8_t *tag; /* borrowed; any bytes */
    size_t tag_len;
    double number;
};

/* Whether @data is a scalar: simple_value, or a tensor of one number whose plugin is `scalars`, or,
 * where a value has no metadata (only the first of a tag has to), of rank 0. */
bool event_scalar_read(const uint8_t *data, size_t len, struct event_scalar *out);
