/* SPDX-License-Identifier: Apache-2.0 */
#include "model/onnx.h"

#include "fuzz.h"
#include "model/contents.h"
#include "model/history.h"
#include "model/onnx_references.h"

/* What it refers to is within the model, and is told in no more rounds than are allowed. */
static void check_references(const uint8_t *data, size_t size)
{
    const struct history_file file = {"a/model.onnx", size};
    struct history history;
    history_init(&history, &file, 1);
    int r = fuzz_parse(onnx_references_parse, &history, 0, data, size);
    if (r < 0 && history.n_references)
        abort();
    for (size_t i = 0; i < history.n_references; i++) {
        const struct reference *found = &history.references[i];
        if (strcmp(found->from, file.path) != 0 || !*found->to || *found->to == '/' ||
            strncmp(found->to, "../", 3) == 0 || strstr(found->to, "/../"))
            abort();
    }
    history_deinit(&history);
}

/* The weights beside it may be there, too short, or not at all; a tensor's run is within its
 * file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct contents_file files[] = {{"a/model.onnx", size}, {"a/outside.bin", 32}, {"w", 1 << 20}};
    struct contents contents;
    contents_init(&contents, files, 3);
    int r = fuzz_parse(onnx_parse, &contents, 0, data, size);
    if (r < 0 && contents.n_tensors)
        abort();
    for (size_t i = 0; i < contents.n_tensors; i++) {
        const struct tensor *tensor = &contents.tensors[i];
        if (tensor->offset != TENSOR_SCATTERED &&
            (tensor->file > 2 || tensor->offset + tensor->n_bytes > files[tensor->file].size_bytes))
            abort();
    }
    if (contents.metadata)
        free(json_dumps(contents.metadata, JSON_COMPACT));
    contents_deinit(&contents);
    check_references(data, size);
    return 0;
}
