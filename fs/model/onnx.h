/* SPDX-License-Identifier: Apache-2.0 */
/* What an ONNX file holds: the weights of its main graph, in the file itself or in files beside it,
 * and what goes in and out. Initializers of subgraphs (bodies of If and Loop), tensors in
 * attributes of nodes, and functions are passed over. Pure. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

/* An inquiry_parse_fn whose @contents is a struct contents. Tensors are added at the end, all or
 * none. Facts are told as `onnx`: `ir_version`, `producer` (`pytorch 2.1.0`), `opset` ({domain:
 * version}, the default one as `ai.onnx`), `graph` (its name), `metadata` ({key: value}), `inputs`
 * and `outputs`: [{"name", "dtype", "shape"}], where a dimension is a number, a name, or null, and
 * inputs that are weights are left out. */
int onnx_parse(void *contents, uint32_t file, struct glimpse *glimpse);
