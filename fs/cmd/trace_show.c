/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/trace_show.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd/trace_stream.h"
#include "cmd/trace_summary.h"
#include "util/cleanup.h"
#include "util/json.h"

enum { CHUNK_BYTES = 64 << 10 };

struct show {
    const char *path;
    bool as_json;
    struct trace_stream stream;
    struct trace_summary summary;
};

static int print_json(json_t *object)
{
    int r = object ? json_dumpf(object, stdout, JSON_COMPACT) : -1;
    json_decref(object);
    putchar('\n');
    return r < 0 ? -ENOMEM : 0;
}

static int print_read(const struct show *show, const struct trace_read *read)
{
    json_t *object = json_object();
    json_object_set_new(object, "file", json_new_text(show->summary.files[read->file].path));
    json_object_set_new(object, "off", json_integer((json_int_t)read->off));
    json_object_set_new(object, "size", json_integer(read->size));
    json_object_set_new(object, "got", json_integer(read->got));
    json_object_set_new(object, "source", json_string(trace_source_name(read->source)));
    json_object_set_new(object, "began_us", json_integer(read->began_us));
    json_object_set_new(object, "took_us", json_integer((json_int_t)read->took_us));
    if (read->err)
        json_object_set_new(object, "errno", json_integer(read->err));
    return print_json(object);
}

static int told(void *ctx, const struct trace_record *record)
{
    struct show *show = ctx;
    int r = trace_summary_add(&show->summary, record);
    if (r == 0 && show->as_json && record->kind == TRACE_READ)
        r = print_read(show, &record->read);
    if (r == 0 && show->as_json && record->kind == TRACE_LOST)
        r = print_json(json_pack("{sI}", "lost", (json_int_t)record->n_lost));
    return r;
}

/* 0 at the end of the file. */
static int read_all(struct show *show, int fd)
{
    CLEANUP(cleanup_free) char *chunk = malloc(CHUNK_BYTES);
    if (!chunk)
        return -ENOMEM;
    for (;;) {
        ssize_t n = read(fd, chunk, CHUNK_BYTES);
        if (n == 0 || (n < 0 && errno != EINTR))
            return n == 0 ? 0 : -errno;
        int r = n > 0 ? trace_stream_add(&show->stream, chunk, (size_t)n, told, show) : 0;
        if (r < 0)
            return r;
    }
}

static int complain(const struct show *show, int err)
{
    const char *path = show->path;
    fflush(stdout);
    if (err == -EPROTO && !show->stream.coder.has_started)
        fprintf(stderr, "modelfs trace: %s is no trace: `modelfs trace DIR` records one\n", path);
    else if (err == -EPROTO)
        fprintf(stderr,
                "modelfs trace: %s is damaged at byte %" PRIu64 "; this is what is before\n", path,
                show->stream.n_told_bytes);
    else
        fprintf(stderr, "modelfs trace: %s: %s\n", path, strerror(-err));
    return err == -EPROTO ? EX_DATAERR : err == -ENOMEM ? EX_OSERR : EX_IOERR;
}

/* What was read, whether there should be more or not. */
static int print_sums(const struct show *show)
{
    int r = show->as_json ? 0 : trace_summary_print_files(&show->summary, stdout);
    if (r == 0 && !show->as_json) {
        putchar('\n');
        r = trace_summary_print(&show->summary, show->path, stdout);
    }
    if (r < 0 || fflush(stdout) != 0) {
        perror("modelfs trace");
        return EX_IOERR;
    }
    if (show->stream.coder.has_started && !show->summary.has_end)
        fprintf(stderr, "modelfs trace: %s was cut short: it ends where its recording did not\n",
                show->path);
    return EX_OK;
}

static int show_file(struct show *show)
{
    CLEANUP(cleanup_close) int fd = open(show->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "modelfs trace: %s: %s\n", show->path, strerror(errno));
        return errno == EACCES ? EX_NOPERM : EX_NOINPUT;
    }
    int r = read_all(show, fd);
    if (r == 0 && !show->stream.coder.has_started)
        r = -EPROTO; /* it is too short to be one */
    int code = r < 0 ? complain(show, r) : EX_OK;
    if (!show->stream.coder.has_started || (r < 0 && r != -EPROTO))
        return code;
    int printed = print_sums(show);
    return code == EX_OK ? printed : code;
}

int trace_show(const char *path, bool as_json)
{
    struct show show = {.path = path, .as_json = as_json};
    int code = show_file(&show);
    trace_stream_deinit(&show.stream);
    trace_summary_deinit(&show.summary);
    return code;
}
