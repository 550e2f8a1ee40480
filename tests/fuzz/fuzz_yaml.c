/* SPDX-License-Identifier: Apache-2.0 */
#include "util/yaml.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read can be written out, and is not much larger than the limits say. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = NULL;
    int r = yaml_parse((const char *)data, size, &json);
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if ((r == 0) != (json != NULL) || (json && !text))
        abort();
    free(text);
    json_decref(json);
    return 0;
}
