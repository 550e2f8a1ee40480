/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, ages and durations as people read them (pure). */
#pragma once

#include <stdint.h>

enum { HUMAN_BYTES = 24 };

/* `0 B`, `999 B`, `1.0 KiB`, `37.5 MiB`, `512 GiB`: four characters of number at most. */
void human_size(uint64_t bytes, char out[HUMAN_BYTES]);

/* How long before @now_ns a time was: `now`, `5 min`, `3 h`, `12 d`, `7 mon`, `6 y`. `-` for 0, a
 * time that is not known; `now` for one in the future. */
void human_age(int64_t then_ns, int64_t now_ns, char out[HUMAN_BYTES]);

/* How many, to three digits: `999`, `1.23 K`, `124 M`, `7.24 B` (10^9), `1.80 T`. */
void human_count(uint64_t n, char out[HUMAN_BYTES]);

/* A share of @whole: `0 %`, `0.2 %`, `99.8 %`, `100 %`; what is not nothing is never 0, nor what is
 * not all 100: `< 0.1 %`, `> 99.9 %`. */
void human_share(uint64_t part, uint64_t whole, char out[HUMAN_BYTES]);

/* A metric's value: `0.9806`, `12.5000`, `3.1e-05`, `1.2e+06`. */
void human_number(double value, char out[HUMAN_BYTES]);

/* What is left to wait: `0:05`, `12:40`, `3:02:01`. */
void human_duration(uint64_t seconds, char out[HUMAN_BYTES]);

/* How long something took: `850 ns`, `1.2 us`, `12 us`, `340 ms`, `4.1 s`. */
void human_latency(uint64_t ns, char out[HUMAN_BYTES]);

/* How often a second: `0`, `0.5`, `9.9`, `120`. */
void human_rate(double per_s, char out[HUMAN_BYTES]);
