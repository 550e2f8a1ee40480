/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request's body ends, by what its head says (pure): RFC 9112, section 6. The library below
 * takes the first of two lengths and waits for ever behind a coding it does not know; neither may
 * become a stored file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "serve/request.h"

/* Is the body's end said once and in a way we know? 0, or the status of the refusal and why in
 * *out_problem. After a refusal nobody knows where the next request begins: the connection must
 * close. */
unsigned framing_check(const struct request *request, const char **out_problem);

/* Is it the body of a whole file? 0 or a refusal. */
unsigned framing_check_upload(const struct request *request, const char **out_problem);

/* False for a body that may go on until the connection closes. */
bool framing_has_end(const struct request *request);

/* The announced bytes; 0 when the head does not say. */
uint64_t framing_announced_bytes(const struct request *request);
