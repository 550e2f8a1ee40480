/* SPDX-License-Identifier: Apache-2.0 */
#include "read/study_contents.h"

#include <errno.h>
#include <stdlib.h>

#include "model/formats.h"
#include "util/cleanup.h"

struct contents_job {
    struct inquiry inquiry;
    struct study_contents *contents;
    study_contents_fn *done;
    void *ctx;
};

void study_contents_free(struct study_contents *contents)
{
    if (!contents)
        return;
    contents_deinit(&contents->contents);
    free(contents->files);
    free(contents->entries);
    free(contents);
}

static void end_job(struct contents_job *job, int err)
{
    struct study_contents *contents = steal_ptr(job->contents);
    if (err < 0) {
        study_contents_free(contents);
        contents = NULL;
    }
    job->done(job->ctx, contents, err);
    inquiry_deinit(&job->inquiry);
    free(job);
}

/* A file that is not what its name says counts as lacking. An empty one is called as names call
 * it. */
static int note_damage(struct contents *contents, const struct inquiry_file *file)
{
    BUF_CLEANUP struct buf what = {0};
    const struct contents_file *of = &contents->files[file->file];
    int r = buf_printf(&what, "%s (%s)", of->path,
                       !of->size_bytes          ? "empty"
                       : file->result == -EFBIG ? "its header is too large"
                                                : "damaged");
    return r < 0 ? r : contents_miss(contents, what.data);
}

static void on_studied(void *ctx, int err)
{
    struct contents_job *job = ctx;
    for (size_t i = 0; err == 0 && i < job->inquiry.n_files; i++) {
        const struct inquiry_file *file = job->inquiry.files[i];
        if (file->result == -EBADMSG || file->result == -EFBIG)
            err = note_damage(&job->contents->contents, file);
        else
            err = file->result;
    }
    end_job(job, err);
}

/* The checkpoint's files as the contents know them; NULL when memory is short. */
static struct study_contents *new_contents(const struct listing *listing,
                                           const struct checkpoint *checkpoint)
{
    size_t n = checkpoint->n_files;
    struct study_contents *contents = calloc(1, sizeof(*contents));
    if (!contents)
        return NULL;
    contents->files = calloc(n + 1, sizeof(*contents->files));
    contents->entries = calloc(n + 1, sizeof(*contents->entries));
    if (!contents->files || !contents->entries) {
        study_contents_free(contents);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        struct listing_entry entry;
        contents->entries[i] = checkpoint->files[i];
        listing_get(listing, checkpoint->files[i], &entry);
        contents->files[i] =
            (struct contents_file){checkpoint_inner_path(checkpoint, entry.id), entry.size_bytes};
    }
    contents_init(&contents->contents, contents->files, n);
    return contents;
}

static int add_files(struct contents_job *job)
{
    const struct contents *contents = &job->contents->contents;
    int r = 0;
    for (size_t i = 0; r == 0 && i < contents->n_files; i++) {
        inquiry_parse_fn *parse = format_contents_parser(contents->files[i].path);
        if (parse)
            r = inquiry_add(&job->inquiry, (uint32_t)i, contents->files[i].size_bytes, parse);
    }
    return r;
}

void study_contents_begin(const struct study_target *target, const struct checkpoint *checkpoint,
                          study_contents_fn *done, void *ctx)
{
    struct contents_job *job = calloc(1, sizeof(*job));
    if (!job) {
        done(ctx, NULL, -ENOMEM);
        return;
    }
    *job = (struct contents_job){.done = done, .ctx = ctx};
    job->contents = new_contents(target->listing, checkpoint);
    inquiry_init(&job->inquiry, job->contents ? &job->contents->contents : NULL);
    int r = job->contents ? add_files(job) : -ENOMEM;
    if (r < 0) {
        end_job(job, r);
        return;
    }
    struct study_target of = *target;
    of.entries = job->contents->entries;
    study_begin(&of, &job->inquiry, on_studied, job);
}
