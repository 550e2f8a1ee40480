/* SPDX-License-Identifier: Apache-2.0 */
/* Reads all bytes of a supply and compares them with their SHA-256. */
#pragma once

#include "cmd/supply.h"
#include "util/json.h"

/* What came of it. Starts from {0}. */
struct verify_bytes {
    size_t n_right;   /* files whose bytes have their SHA-256 */
    size_t n_unknown; /* that were read, and have none to compare with */
    json_t *damaged;  /* owned: [{"path","why"}] */
};
void verify_bytes_deinit(struct verify_bytes *result);

/* Reads on after a damaged file. 0, -EINTR when an interrupt was seen, -ENOMEM. A file that could
 * not be read is among the damaged. */
int verify_bytes(const struct supply *supply, struct verify_bytes *out);
