/* SPDX-License-Identifier: Apache-2.0 */
#include "model/hf_config.h"

#include "fuzz.h"
#include "model/contents.h"

/* What is told can be written out again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct contents_file file = {"file", size};
    struct contents contents;
    contents_init(&contents, &file, 1);
    fuzz_parse(hf_config_parse, &contents, 0, data, size);
    if (contents.metadata)
        free(json_dumps(contents.metadata, JSON_COMPACT));
    contents_deinit(&contents);
    return 0;
}
