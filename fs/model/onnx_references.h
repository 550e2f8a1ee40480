/* SPDX-License-Identifier: Apache-2.0 */
/* Which files an ONNX graph has its weights in, if that is soon told. Pure. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

enum {
    /* Round trips that a graph is worth, and how many of its weights are jumped over before it is
     * taken to hold all itself: what is moved out of a graph are the large ones. */
    ONNX_REFERENCES_MAX_ROUNDS = 64,
    ONNX_REFERENCES_MAX_OWN = 8,
};

/* An inquiry_parse_fn whose @history is a struct history: adds a reference for each file that
 * initializers of the main graph say their data is in; all or none. Locations that lead out of the
 * model are passed over. -EFBIG when the graph takes too many rounds. */
int onnx_references_parse(void *history, uint32_t file, struct glimpse *glimpse);
