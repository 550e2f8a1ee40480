/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/push_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd/file_digest.h"
#include "cmd/interrupt.h"
#include "cmd/progress.h"
#include "net/retry.h"
#include "util/clock.h"

enum {
    PATIENCE_MS = 60000, /* that one file may fail on end */
    NAP_MS = 100,        /* between looks for an interrupt */
};

struct sending {
    const struct push_files *job;
    struct progress progress;
    uint64_t before_bytes; /* of the files before this one */
};

static int note_progress(void *ctx, uint64_t sent)
{
    struct sending *s = ctx;
    progress_set(&s->progress, s->before_bytes + sent);
    return interrupt_seen() ? -EINTR : 0;
}

/* What `"<64 digits>"` says; false for any other validator. */
static bool parse_etag(const char *etag, struct digest *out)
{
    char hex[DIGEST_HEX_BYTES];
    if (!etag || strlen(etag) != DIGEST_HEX_BYTES + 1 || etag[0] != '"')
        return false;
    memcpy(hex, etag + 1, DIGEST_HEX_BYTES - 1);
    hex[DIGEST_HEX_BYTES - 1] = '\0';
    return digest_parse(hex, out) == 0;
}

/* Compares the file with what the registry says it has, where it says so by content. */
static int verify(int fd, uint64_t size_bytes, const char *etag)
{
    struct digest theirs, ours;
    if (!parse_etag(etag, &theirs))
        return 0;
    int r = file_digest(fd, size_bytes, &ours);
    return r < 0 ? r : digest_equal(&ours, &theirs) ? 0 : -EBADMSG;
}

static int send_once(struct sending *s, const struct local_file *file, int fd)
{
    CLEANUP(cleanup_free) char *etag = NULL;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    const struct gradient_upload upload = {
        .model_id = s->job->model_id,
        .path = file->path,
        .fd = fd,
        .size_bytes = (uint64_t)st.st_size,
        .on_progress = note_progress,
        .ctx = s,
    };
    int r = gradient_push_file(s->job->target, &upload, &etag);
    return r < 0 ? r : verify(fd, upload.size_bytes, etag);
}

static int nap(int64_t delay_ms)
{
    uint64_t end = clock_now_ms() + (uint64_t)delay_ms;
    while (!interrupt_seen() && clock_now_ms() < end)
        nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000}, NULL);
    return interrupt_seen() ? -EINTR : 0;
}

static int send_file(struct sending *s, const struct local_file *file)
{
    CLEANUP(cleanup_close) int fd = local_files_open(s->job->files, file);
    uint64_t deadline_ms = 0;
    if (fd < 0)
        return fd;
    for (int attempt = 1;; attempt++) {
        int r = interrupt_seen() ? -EINTR : send_once(s, file, fd);
        if (!retry_is_transient(r))
            return r;
        uint64_t now_ms = clock_now_ms();
        deadline_ms = deadline_ms ? deadline_ms : now_ms + PATIENCE_MS;
        double chance = (double)(now_ms % 1000) / 1000;
        int64_t delay_ms = retry_delay_ms(attempt, -1, chance, now_ms, deadline_ms);
        if (delay_ms < 0 || nap(delay_ms) < 0)
            return delay_ms < 0 ? r : -EINTR;
    }
}

/* Whether the model has this very file: 1, 0 or -errno. */
static int is_there(const struct push_files *job, const struct local_file *file)
{
    size_t found = job->there ? listing_find(job->there, file->path) : LISTING_NONE;
    struct listing_entry entry;
    struct digest digest;
    if (found == LISTING_NONE)
        return 0;
    listing_get(job->there, found, &entry);
    if (entry.size_bytes != file->size_bytes)
        return 0;
    if (!entry.has_digest)
        return 1;
    CLEANUP(cleanup_close) int fd = local_files_open(job->files, file);
    int r = fd < 0 ? fd : file_digest(fd, file->size_bytes, &digest);
    return r < 0 ? r : digest_equal(&digest, &entry.digest);
}

static int take_file(struct sending *s, const struct local_file *file,
                     struct push_files_result *out)
{
    progress_name(&s->progress, file->path);
    int r = is_there(s->job, file);
    if (r > 0)
        progress_skip(&s->progress, file->size_bytes);
    if (r != 0)
        return r < 0 ? r : 0;
    r = send_file(s, file);
    if (r == 0) {
        out->n_sent++;
        out->sent_bytes += file->size_bytes;
    }
    return r;
}

int push_files_run(const struct push_files *job, struct push_files_result *out)
{
    struct sending s = {.job = job};
    int r = 0;
    *out = (struct push_files_result){0};
    progress_start(&s.progress, job->files->size_bytes);
    for (size_t i = 0; r == 0 && i < job->files->n; i++) {
        const struct local_file *file = &job->files->items[i];
        r = take_file(&s, file, out);
        s.before_bytes += file->size_bytes;
        out->n_done += r == 0;
        out->failed = r < 0 ? file->path : NULL;
    }
    progress_clear(&s.progress);
    return r;
}
