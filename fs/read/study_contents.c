/* SPDX-License-Identifier: Apache-2.0 */
#include "read/study_contents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static int note_lacking(struct contents *contents, const char *path, const char *why)
{
    BUF_CLEANUP struct buf what = {0};
    int r = buf_printf(&what, "%s (%s)", path, why);
    return r < 0 ? r : contents_miss(contents, what.data);
}

/* A file that is not what its name says counts as lacking. */
static int note_damage(struct contents *contents, const struct inquiry_file *file)
{
    return note_lacking(contents, contents->files[file->file].path,
                        file->result == -EFBIG ? "its header is too large" : "damaged");
}

/* A file without bytes, unless its name and size told that already, in the same words. */
static int note_empty(struct contents *contents, const struct checkpoint *checkpoint,
                      const char *path)
{
    size_t len = strlen(path);
    const char *known = checkpoint->missing;
    if (known && strncmp(known, path, len) == 0 && strcmp(known + len, " (empty)") == 0)
        return 0;
    return note_lacking(contents, path, "empty");
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

static int add_files(struct contents_job *job, const struct checkpoint *checkpoint)
{
    struct contents *contents = &job->contents->contents;
    int r = 0;
    for (size_t i = 0; r == 0 && i < contents->n_files; i++) {
        const struct contents_file *file = &contents->files[i];
        inquiry_parse_fn *parse = format_contents_parser(file->path);
        if (parse && !file->size_bytes)
            r = note_empty(contents, checkpoint, file->path);
        else if (parse)
            r = inquiry_add(&job->inquiry, (uint32_t)i, file->size_bytes, parse);
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
    int r = job->contents ? add_files(job, checkpoint) : -ENOMEM;
    if (r < 0) {
        end_job(job, r);
        return;
    }
    struct study_target of = *target;
    of.entries = job->contents->entries;
    study_begin(&of, &job->inquiry, on_studied, job);
}
