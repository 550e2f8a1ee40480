/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics that a script wrote as JSON: metrics.json, metrics.jsonl. Pure.
 *
 *     {"loss":0.07,"test":{"accuracy":0.98}}    of the newest checkpoint: loss, test/accuracy
 *     {"step":600,"loss":0.07}                  of that step
 *     [{"step":600,"loss":0.07},...]            the same, many
 *     {"step":600,"loss":0.07}\n...             the same, an object a line; times as wall_time,
 *                                               timestamp or _timestamp
 */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

/* An inquiry_parse_fn whose @history is a struct history. Of lines, and of a list, those without a
 * step are passed over, and so are lines that are no JSON: the last one may be half written. */
int metrics_json_parse(void *history, uint32_t file, struct glimpse *glimpse);
