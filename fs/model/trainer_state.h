/* SPDX-License-Identifier: Apache-2.0 */
/* The history of a training by Hugging Face's Trainer: trainer_state.json, whose `log_history` is a
 * list of {"step", "epoch", "loss", "eval_loss", ...}. Every number is a metric but step and epoch.
 * Pure. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

/* An inquiry_parse_fn whose @history is a struct history. Each directory checkpoint-<step> has a
 * file with the history so far: they count as one session, that of the directory above. */
int trainer_state_parse(void *history, uint32_t file, struct glimpse *glimpse);
