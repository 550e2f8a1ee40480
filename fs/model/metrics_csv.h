/* SPDX-License-Identifier: Apache-2.0 */
/* The history of a training as a table: a file of comma separated values with a step among its
 * columns, such as metrics.csv of Lightning's CSVLogger (epoch, step and the metrics' names, many
 * cells empty). Pure. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

/* An inquiry_parse_fn whose @history is a struct history. Lines without a step and cells that are
 * no numbers are passed over; a table without a column for the step has nothing to tell. */
int metrics_csv_parse(void *history, uint32_t file, struct glimpse *glimpse);
