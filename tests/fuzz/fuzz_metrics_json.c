/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metrics_json.h"

#include "fuzz_metrics.h"

/* As one document, and as lines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_metrics(metrics_json_parse, "run/metrics.json", data, size);
    fuzz_metrics(metrics_json_parse, "run/metrics.jsonl", data, size);
    return 0;
}
