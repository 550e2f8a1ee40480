/* SPDX-License-Identifier: Apache-2.0 */
/* TensorFlow's tensor as a message (tensorflow/core/framework/tensor.proto), as far as one number
 * goes. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number of a tensor that holds one: of rank 0, or where @any_rank of any shape of one element.
 * False when it holds none, or is no message. Types: float, double, half, bfloat16, integers. A
 * tensor without values is zero, as TensorFlow has it. */
bool tensor_proto_number(const uint8_t *data, size_t len, bool any_rank, double *out);
