/* SPDX-License-Identifier: Apache-2.0 */
/* What an ONNX model says of itself beside its weights (onnx.proto: ModelProto, ValueInfoProto), as
 * JSON. Pure. */
#pragma once

#include <jansson.h>

#include "model/contents.h"
#include "model/wire.h"

struct onnx_facts {
    json_t *model;          /* owned: {key: fact} */
    json_t *opset;          /* owned: {domain: version} */
    json_t *metadata;       /* owned: {key: value} */
    json_t *inputs;         /* owned: [{"name", "dtype", "shape"}] */
    json_t *outputs;        /* owned, the same */
    char *producer, *maker; /* owned: its name and its version, or NULL */
};

/* -ENOMEM leaves what onnx_facts_deinit() takes. */
int onnx_facts_init(struct onnx_facts *facts);
void onnx_facts_deinit(struct onnx_facts *facts);

/* Takes a field of the ModelProto, or of its GraphProto; what is none of the facts passes. 0,
 * -ENOMEM, -EBADMSG, as wire_next(). */
int onnx_facts_take_model(struct onnx_facts *facts, struct wire *wire,
                          const struct long_field *field);
int onnx_facts_take_graph(struct onnx_facts *facts, struct wire *wire,
                          const struct long_field *field);

/* Tells of all as `onnx`, but for inputs that are keys of @weights. 0 or -ENOMEM. */
int onnx_facts_tell(struct onnx_facts *facts, const json_t *weights, struct contents *contents);
