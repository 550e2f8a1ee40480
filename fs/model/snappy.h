/* SPDX-License-Identifier: Apache-2.0 */
/* Snappy's raw blocks (google/snappy, format_description.txt), unpacked. Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Unpacks @len bytes of @data into *out (free() it), *out_len bytes. -EBADMSG when they are no such
 * block, or say they hold more than such a block can; -EFBIG when they hold more than @max_bytes;
 * -ENOMEM. */
int snappy_unpack(const uint8_t *data, size_t len, size_t max_bytes, uint8_t **out,
                  size_t *out_len);
