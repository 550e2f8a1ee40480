/* SPDX-License-Identifier: Apache-2.0 */
#include "model/npz.h"

#include "fuzz.h"
#include "model/contents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct contents_file file = {"x.npz", size};
    struct contents contents;
    contents_init(&contents, &file, 1);
    int r = fuzz_parse(npz_parse, &contents, 0, data, size);
    if (r != 0 && contents.n_tensors)
        abort(); /* nothing is left of what makes no sense */
    contents_deinit(&contents);
    return 0;
}
