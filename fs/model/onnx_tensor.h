/* SPDX-License-Identifier: Apache-2.0 */
/* A tensor of an ONNX model (onnx.proto: TensorProto, SparseTensorProto), as it stands in the file
 * or in another one. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/contents.h"
#include "model/wire.h"

enum { ONNX_MAX_LOCATION_BYTES = 4096 };

/* The type of ONNX's number (TensorProto.DataType): its own name (`FLOAT`), and what it is here;
 * NULL where there is none. Both NULL for a number that is none. */
struct onnx_dtype {
    const char *name;
    const struct dtype *dtype;
};
struct onnx_dtype onnx_dtype_of(uint64_t number);

/* What one TensorProto says. */
struct onnx_tensor {
    char name[TENSOR_MAX_NAME_BYTES + 1];
    uint64_t shape[TENSOR_MAX_DIMS];
    uint32_t n_dims;
    uint64_t type;
    struct long_message data; /* its bytes, where they are one run of little-endian ones */
    bool has_data;            /* data is set */
    bool is_typed;            /* it has values in another form too */
    uint64_t n_typed_bytes;   /* that those take */
    bool is_external;
    char location[ONNX_MAX_LOCATION_BYTES + 1]; /* of the external one: a path; may be empty */
    uint64_t offset;                            /* in that file */
    uint64_t len;                               /* UINT64_MAX: not said */
};

/* Reads the TensorProto, or the SparseTensorProto, at @message. 0, -EBADMSG, as wire_next(). */
int onnx_tensor_read(struct wire *wire, struct long_message message, struct onnx_tensor *out);
int onnx_tensor_read_sparse(struct wire *wire, struct long_message message,
                            struct onnx_tensor *out);
