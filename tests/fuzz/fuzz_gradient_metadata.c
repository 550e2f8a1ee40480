/* SPDX-License-Identifier: Apache-2.0 */
#include "model/gradient_metadata.h"

#include "fuzz_metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_metrics(gradient_metadata_parse, "run/file", data, size);
    return 0;
}
