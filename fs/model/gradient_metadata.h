/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics that Gradient takes from a model's own gradient-model-metadata.json, in the shapes of
 * model/flat_metrics.h. They are of the newest checkpoint. Pure. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

/* An inquiry_parse_fn whose @history is a struct history. The file is any JSON object: what is no
 * number in it is passed over. */
int gradient_metadata_parse(void *history, uint32_t file, struct glimpse *glimpse);
