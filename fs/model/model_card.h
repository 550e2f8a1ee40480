/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of a model card: README.md with YAML between two lines `---` at its beginning, whose
 * model-index[].results[].metrics[] Hugging Face's hub shows. They are of the newest checkpoint.
 * Pure. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

/* An inquiry_parse_fn whose @history is a struct history. A metric is called by its type, or by its
 * name where that says more: when it has no type, or another metric of the result has the same.
 * Where there are several results, the dataset's name stands before it: `squad/f1`. */
int model_card_parse(void *history, uint32_t file, struct glimpse *glimpse);
