/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_card.h"

#include "fuzz_metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_metrics(model_card_parse, "run/file", data, size);
    return 0;
}
