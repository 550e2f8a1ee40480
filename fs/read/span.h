/* SPDX-License-Identifier: Apache-2.0 */
/* A span: one range of a blob on the wire, filling the flights it crosses; located, sent, checked,
 * retried until the deadline. */
#pragma once

#include "read/engine.h"

enum { SPAN_MAX_BLOCKS = 8 };

struct span;

/* A span of [off, end), both on the borders of pieces or at the blob's end, over flights
 * first_block, first_block + 1, ... . Takes a reference of each. NULL when memory is short. */
struct span *span_new(struct blob *blob, uint64_t off, uint64_t end, struct flight *const *flights,
                      int n_flights, bool urgent);

/* Sets @blob's reach by what is known of its host by now. No lock may be held. */
void span_note_pace(struct blob *blob);

/* Puts @last behind @chain (NULL: none yet) and returns the chain. What is sent first has the best
 * chance of a connection that is open already. */
struct span *span_chain(struct span *chain, struct span *last);

/* Sends every span of a chain. From here each looks after itself: every piece is settled in the
 * end, one way or the other. No lock may be held. */
void span_start_all(struct span *chain);
