/* SPDX-License-Identifier: Apache-2.0 */
#include "model/state_file.h"

#include "fuzz.h"
#include "model/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct history_file files[] = {{"a/b/checkpoint", size}, {"checkpoint", size}};
    struct history history;
    history_init(&history, files, 2);
    for (uint32_t i = 0; i < 2; i++)
        fuzz_parse(state_file_parse, &history, i, data, size);
    if (history.latest && (!*history.latest || *history.latest == '/'))
        abort();
    history_deinit(&history);
    return 0;
}
