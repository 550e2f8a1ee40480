/* SPDX-License-Identifier: Apache-2.0 */
#include "model/npy.h"

#include "fuzz.h"
#include "model/contents.h"

/* What was read is written so that it is read again. */
static void check_header(const struct tensor *tensor)
{
    BUF_CLEANUP struct buf out = {0};
    struct npy_header again;
    if (npy_format_header(tensor, &out) < 0)
        return;
    if (npy_parse_header((const uint8_t *)out.data, out.len, &again) != 0 ||
        again.n_bytes != out.len || again.dtype != tensor->dtype ||
        again.n_dims != tensor->n_dims || again.is_fortran != tensor->is_fortran ||
        memcmp(again.shape, tensor->shape, again.n_dims * sizeof(again.shape[0])) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct contents_file file = {"x.npy", size};
    struct contents contents;
    contents_init(&contents, &file, 1);
    int r = fuzz_parse(npy_parse, &contents, 0, data, size);
    if (r != 0 && contents.n_tensors)
        abort(); /* nothing is left of what makes no sense */
    if (contents.n_tensors)
        check_header(&contents.tensors[0]);
    contents_deinit(&contents);
    return 0;
}
