/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks. Any thread may call; neither fails. */
#pragma once

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC: for deadlines and durations. */
uint64_t clock_now_ms(void);
/* The same in nanoseconds: for how long something took. */
uint64_t clock_now_ns(void);

/* Nanoseconds since 1970 in UTC: for times that people or other machines see. */
int64_t clock_wall_ns(void);

/* Parses `2019-04-02T17:02:47.157Z` and its kin (a space for the T, no fraction, no zone, +00:00)
 * into nanoseconds since 1970; a zone other than UTC is applied. Returns 0, or -EINVAL and leaves
 * *out_ns alone. */
int clock_parse_iso(const char *text, int64_t *out_ns);

/* Writes @ns as `2019-04-02T17:02:47.157Z` into @out. */
#define CLOCK_ISO_BYTES 32
void clock_format_iso(int64_t ns, char out[CLOCK_ISO_BYTES]);
