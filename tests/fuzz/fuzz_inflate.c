/* SPDX-License-Identifier: Apache-2.0 */
#include "model/inflate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With less room the same comes out, only less of it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t large[8192], small[100];
    size_t n_large, n_small;
    int r = inflate_beginning(data, size, large, sizeof(large), &n_large);
    int r_small = inflate_beginning(data, size, small, sizeof(small), &n_small);
    if (n_small > n_large || memcmp(large, small, n_small) != 0 || (r == 0 && r_small != 0))
        abort();
    return 0;
}
