/* SPDX-License-Identifier: Apache-2.0 */
/* That a file's content names another file as a part of it: an ONNX graph one that has its
 * weights. */
#pragma once

struct reference {
    const char *from, *to; /* paths within the model; nobody knows whether there is such a file */
};
