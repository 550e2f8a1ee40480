/* SPDX-License-Identifier: Apache-2.0 */
/* TensorFlow's checkpoints, V2: `P.index`, a table of what tensors there are
 * (tensorflow/core/protobuf/tensor_bundle.proto), and `P.data-NNNNN-of-MMMMM`, their bytes. Pure;
 * not thread-safe. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

enum {
    BUNDLE_MAX_SHARDS = 100000, /* what five digits count */
    /* Missing shards that are told by name; one line stands for those behind. */
    BUNDLE_MAX_MISSES = 64,
};

/* Reads an index into a struct contents: an inquiry_parse_fn. Tensors lie in the shards beside it;
 * one whose shard is not there or too short is TENSOR_SCATTERED, and so is one of texts, and a
 * partitioned one, whose slices are not shown. Tells `tensorflow`: `num_shards`.
 * A file that is no table and has no shards beside it holds nothing, and is no error.
 * Also -EFBIG: too many shards, or names far larger than the file. */
int bundle_parse(void *contents, uint32_t file, struct glimpse *glimpse);
