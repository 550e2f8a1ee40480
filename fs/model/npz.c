/* SPDX-License-Identifier: Apache-2.0 */
#include "model/npz.h"

#include <errno.h>
#include <string.h>

#include "model/contents.h"
#include "model/npy.h"
#include "model/zip.h"

enum {
    /* Small members lie close together: one round trip brings the headers of many. */
    SMALL_BYTES = 512 << 10,
    MANY_BYTES = 1 << 20,
};

/* The tensor's name; false when the member is no array. */
static bool name_of(const struct zip_entry *entry, char out[TENSOR_MAX_NAME_BYTES + 1])
{
    static const char ending[] = ".npy";
    const size_t n = sizeof(ending) - 1;
    if (entry->name_len <= n || memcmp(entry->name + entry->name_len - n, ending, n) != 0)
        return false;
    size_t len = entry->name_len - n;
    if (len > TENSOR_MAX_NAME_BYTES || memchr(entry->name, '\0', len))
        return false;
    memcpy(out, entry->name, len);
    out[len] = '\0';
    return true;
}

static int add_packed(struct contents *contents, uint32_t file, const char *name,
                      const struct zip_entry *entry)
{
    static const uint64_t shape[] = {0};
    const struct tensor tensor = {.name = name,
                                  .shape = shape,
                                  .n_dims = 1,
                                  .file = file,
                                  .offset = TENSOR_SCATTERED,
                                  .n_bytes = entry->size_bytes};
    return contents_add(contents, &tensor);
}

/* Without @contents it is only seen that all bytes are here. */
static int read_member(struct contents *contents, uint32_t file, struct zip *zip,
                       const struct zip_entry *entry)
{
    char name[TENSOR_MAX_NAME_BYTES + 1];
    struct npy_header header;
    uint64_t offset;
    if (!name_of(entry, name))
        return 0;
    if (!entry->is_stored)
        return contents ? add_packed(contents, file, name, entry) : 0;
    int r = zip_find_data(zip, entry, entry->packed_bytes < SMALL_BYTES ? MANY_BYTES : 0, &offset);
    if (r == 0)
        r = npy_read_header(zip->glimpse, offset, offset + entry->packed_bytes, &header);
    if (r == 0 && contents)
        r = npy_add(contents, &header, name, file, offset, entry->packed_bytes);
    return r;
}

static int walk(struct contents *contents, uint32_t file, struct glimpse *glimpse)
{
    struct zip zip;
    struct zip_entry entry;
    int r = zip_open(&zip, glimpse);
    while (r == 0) {
        r = zip_next(&zip, &entry);
        if (r <= 0)
            return r;
        r = read_member(contents, file, &zip, &entry);
    }
    return r;
}

int npz_parse(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    struct contents *contents = ctx;
    size_t n_before = contents->n_tensors;
    int r = walk(NULL, file, glimpse);
    if (r == 0)
        r = walk(contents, file, glimpse);
    if (r < 0)
        contents_cut(contents, n_before);
    return r;
}
