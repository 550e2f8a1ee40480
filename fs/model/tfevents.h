/* SPDX-License-Identifier: Apache-2.0 */
/* TensorFlow's event files, as TensorBoard reads them: records (tensorflow/core/lib/io/
 * record_writer.h) of events (tensorflow/core/util/event.proto), of which the scalars matter here.
 * Pure; not thread-safe. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

enum {
    /* A record of at most that is read whole and its checksum is checked. Of a larger one only the
     * values that are small are read, and no checksum says that they are right; */
    TFEVENTS_WHOLE_BYTES = 64 << 10,
    /* one that is larger than that is passed over unread. */
    TFEVENTS_WALKED_BYTES = 16 << 20,
    /* What is asked for at a time: behind something that was passed over, and in sequence. */
    TFEVENTS_JUMP_BYTES = 1 << 20,
    TFEVENTS_CHUNK_BYTES = 4 << 20,
};

/* Adds the scalars of a file to a struct history: an inquiry_parse_fn, which goes through the file
 * once and keeps little of it.
 *
 * Scalars are simple_value, and tensors of one number whose plugin is `scalars`, or, where a value
 * has no metadata (only the first of a tag has to), of rank 0. Steps below 0 are passed over: none
 * belongs to a checkpoint. Restarts are told as TensorBoard's event_accumulator takes them (it
 * spares tensors; here they are scalars like others): in files of version 2 a SessionLog START is a
 * row without a name, in older ones a row whose step is less than that of the event before goes
 * back.
 *
 * An end in the middle of a record is where the writer is; a wrong checksum ends the file there. A
 * record that is no event is passed over. */
int tfevents_parse(void *history, uint32_t file, struct glimpse *glimpse);
