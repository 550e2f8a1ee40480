/* SPDX-License-Identifier: Apache-2.0 */
/* A mount makes the history out of event files and logs, in a file a metric; by URL it is read
 * here. */
#include "cmd/subject_history.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "vfs/names.h"

enum { READ_BYTES = 1 << 16, MAX_BYTES = 1 << 30 };

/* 0 or -errno. */
static int read_file(const char *path, struct buf *out)
{
    CLEANUP(cleanup_fclose) FILE *file = fopen(path, "re");
    size_t n = 0;
    if (!file)
        return -errno;
    do {
        out->len += n;
        if (out->len > MAX_BYTES)
            return -EFBIG;
        if (buf_reserve(out, READ_BYTES) < 0)
            return -ENOMEM;
        n = fread(out->data + out->len, 1, READ_BYTES, file);
    } while (n);
    out->data[out->len] = '\0';
    return ferror(file) ? -EIO : 0;
}

static int append_path(const struct subject *s, const char *up, const char *metric, struct buf *out)
{
    struct buf name BUF_CLEANUP = {0};
    int r = buf_printf(&name, "%s.csv", metric);
    if (r == 0)
        r = buf_printf(out, "%s%s/.modelfs/history/", s->text, up);
    return r < 0 ? r : name_to_entry(name.data, out);
}

/* Where @up leads from the subject. 0 with *out_found, or an exit code. */
static int take_file(const struct subject *s, const char *up, const char *metric, struct curve *out,
                     bool *out_found)
{
    struct buf path BUF_CLEANUP = {0}, text BUF_CLEANUP = {0}, why BUF_CLEANUP = {0};
    int r = append_path(s, up, metric, &path);
    if (r == 0)
        r = read_file(path.data, &text);
    *out_found = r == 0;
    if (r == -ENOENT || r == -ENOTDIR)
        return EX_OK;
    if (r == 0)
        r = curve_parse_csv(text.data, text.len, out, &why);
    if (r == 0)
        return EX_OK;
    fprintf(stderr, "modelfs %s: %s: %s\n", s->command, path.data ? path.data : s->text,
            r == -EINVAL && why.data ? why.data : strerror(-r));
    return r == -EINVAL ? EX_DATAERR : r == -ENOMEM ? EX_OSERR : EX_IOERR;
}

/* Adds the rows with a step that the model behind a URL has of a metric. */
static int take_rows(struct subject *s, const char *metric, struct curve *out)
{
    int r = 0, code = subject_look(s);
    const struct outline *o = &s->model.outline;
    for (size_t m = 0; code == EX_OK && m < o->n_metrics; m++)
        for (size_t i = o->first_rows[m]; r == 0 && i < o->first_rows[m + 1]; i++)
            if (strcmp(o->metrics[m], metric) == 0 && o->rows[i].step != METRIC_LAST_STEP)
                r = curve_add(out, o->rows[i].step, o->rows[i].value);
    curve_settle(out);
    return r < 0 ? EX_OSERR : code;
}

int subject_history(struct subject *s, const char *metric, struct curve *out)
{
    bool is_found = false;
    if (!s->is_path)
        return take_rows(s, metric, out);
    int code = take_file(s, "", metric, out, &is_found);
    if (code == EX_OK && !is_found)
        code = take_file(s, "/..", metric, out, &is_found);
    return code;
}
