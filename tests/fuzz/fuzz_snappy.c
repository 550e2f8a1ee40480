/* SPDX-License-Identifier: Apache-2.0 */
#include "model/snappy.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *out = NULL;
    size_t len = 0;
    if (snappy_unpack(data, size, 1 << 20, &out, &len) == 0 && len > 1 << 20)
        abort();
    free(out);
    return 0;
}
