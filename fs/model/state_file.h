/* SPDX-License-Identifier: Apache-2.0 */
/* TensorFlow's state file, `checkpoint`: which of a directory's checkpoints is the newest
 * (tensorflow/python/training/checkpoint_state.proto, as a text). Pure; not thread-safe. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

enum { STATE_FILE_MAX_BYTES = 4 << 20 };

/* Reads it into a struct history: an inquiry_parse_fn. Sets history->latest to the prefix that
 * `model_checkpoint_path` names, as a path within the model: a relative one is seen from the file's
 * directory, of an absolute one (the machine that wrote it is another) the last part counts, in the
 * same directory. One that leads out of the model is passed over. Of several state files the first
 * by path counts, whatever the order they are read in. */
int state_file_parse(void *history, uint32_t file, struct glimpse *glimpse);
