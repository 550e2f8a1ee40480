/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says what the others are: 0 a whole index; 1 values behind a byte of length each,
 * which get names and a table around them: the header, then entries. */
#include "model/bundle.h"

#include "fuzz.h"
#include "model/contents.h"
#include "unit/table_builder.h"

static void build(struct table_builder *table, const uint8_t *data, size_t size)
{
    char name[16] = "";
    for (unsigned i = 0; size; i++) {
        size_t len = *data++;
        size--;
        len = len < size ? len : size;
        table_add(table, name, strlen(name), data, len);
        snprintf(name, sizeof(name), "k%08u", i);
        data += len;
        size -= len;
    }
    table_finish(table);
}

static void check(const struct contents *contents, int r)
{
    if (r < 0 && contents->n_tensors)
        abort();
    for (size_t i = 0; i < contents->n_tensors; i++) {
        const struct tensor *tensor = &contents->tensors[i];
        if (tensor->offset != TENSOR_SCATTERED &&
            tensor->offset + tensor->n_bytes > contents->files[tensor->file].size_bytes)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct contents_file files[] = {
        {"m.index", 0}, {"m.data-00000-of-00001", 1 << 20}, {"m.data-00001-of-00002", 1 << 20}};
    struct table_builder table = {0};
    struct contents contents;
    if (!size || *data > 1)
        return -1;
    if (*data)
        build(&table, data + 1, size - 1);
    else
        buf_append(&table.file, data + 1, size - 1);
    contents_init(&contents, files, sizeof(files) / sizeof(files[0]));
    check(&contents,
          fuzz_parse(bundle_parse, &contents, 0, (uint8_t *)table.file.data, table.file.len));
    contents_deinit(&contents);
    table_builder_deinit(&table);
    return 0;
}
