/* SPDX-License-Identifier: Apache-2.0 */
#include "model/inquiry.h"

#include <errno.h>
#include <stdlib.h>

void inquiry_init(struct inquiry *inquiry, void *ctx)
{
    *inquiry = (struct inquiry){.ctx = ctx};
}

void inquiry_deinit(struct inquiry *inquiry)
{
    for (size_t i = 0; i < inquiry->n_files; i++) {
        glimpse_deinit(&inquiry->files[i]->glimpse);
        free(inquiry->files[i]);
    }
    free(inquiry->files);
    *inquiry = (struct inquiry){0};
}

int inquiry_add(struct inquiry *inquiry, uint32_t file, uint64_t size_bytes,
                inquiry_parse_fn *parse)
{
    struct inquiry_file *fresh = calloc(1, sizeof(*fresh));
    struct inquiry_file **files =
        fresh ? realloc(inquiry->files, (inquiry->n_files + 1) * sizeof(struct inquiry_file *))
              : NULL;
    if (!files) {
        free(fresh);
        return -ENOMEM;
    }
    fresh->file = file;
    fresh->result = -EAGAIN;
    fresh->parse = parse;
    glimpse_init(&fresh->glimpse, size_bytes);
    inquiry->files = files;
    files[inquiry->n_files++] = fresh;
    return 0;
}

/* A parser that says -EAGAIN and wants nothing would never end. */
static int run(struct inquiry *inquiry, struct inquiry_file *file)
{
    int r = file->parse(inquiry->ctx, file->file, &file->glimpse);
    if (r == -EAGAIN && !file->glimpse.want_len)
        r = -EBADMSG;
    file->result = r;
    if (r != -EAGAIN)
        glimpse_drop(&file->glimpse, UINT64_MAX);
    return r;
}

int inquiry_step(struct inquiry *inquiry)
{
    int waiting = 0;
    for (size_t i = 0; i < inquiry->n_files; i++) {
        struct inquiry_file *file = inquiry->files[i];
        if (file->result == -EAGAIN && !file->glimpse.want_len && run(inquiry, file) == -ENOMEM)
            return -ENOMEM;
        if (file->result == -EAGAIN)
            waiting = -EAGAIN;
    }
    return waiting;
}

bool inquiry_wants(const struct inquiry_file *file)
{
    return file->result == -EAGAIN && file->glimpse.want_len;
}

int inquiry_give(struct inquiry_file *file, uint8_t *data, size_t len)
{
    return glimpse_add(&file->glimpse, file->glimpse.want_offset, data, len);
}

void inquiry_fail(struct inquiry_file *file, int err)
{
    file->result = err;
    file->glimpse.want_len = 0;
    glimpse_drop(&file->glimpse, UINT64_MAX);
}
