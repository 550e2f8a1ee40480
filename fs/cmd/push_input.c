/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/push_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "serve/names.h"

enum { METRICS_MAX_BYTES = 8 << 20 }; /* grows on its way into JSON, of which servers take 16 MiB */

static void tell_skipped(void *ctx, const char *path, const char *why)
{
    (void)ctx;
    fprintf(stderr, "modelfs push: %s is passed over: %s\n", path, why);
}

static int check_names(const struct local_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        const char *path = files->items[i].path, *problem = names_path_problem(path);
        JSON_CLEANUP json_t *text = json_string(path);
        if (problem || !text) {
            fprintf(stderr, "modelfs push: `%s` cannot be pushed: %s; rename it\n", path,
                    problem ? problem : "its name is not UTF-8");
            return EX_DATAERR;
        }
    }
    return EX_OK;
}

int push_input_files(const char *path, struct local_files *out)
{
    CLEANUP(cleanup_free) char *where = NULL;
    int r = local_files_scan(path, tell_skipped, NULL, out, &where);
    if (r < 0) {
        fprintf(stderr, "modelfs push: cannot read %s%s%s: %s\n", path, where ? "/" : "",
                where ? where : "",
                r == -EINVAL ? "it is neither a directory nor a file" : strerror(-r));
        return r == -EACCES ? EX_NOPERM : EX_NOINPUT;
    }
    if (out->n)
        return check_names(out);
    fprintf(stderr, "modelfs push: %s has no files in it: a model needs at least one\n", path);
    return EX_NOINPUT;
}

static int read_text(const char *path, struct buf *out)
{
    CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : buf_reserve(out, METRICS_MAX_BYTES + 1);
    while (r == 0 && out->len <= METRICS_MAX_BYTES) {
        ssize_t n = read(fd, out->data + out->len, METRICS_MAX_BYTES + 1 - out->len);
        if (n <= 0)
            return n < 0 ? -errno : 0;
        out->len += (size_t)n;
    }
    return r < 0 ? r : -EFBIG;
}

int push_input_metrics(const char *path, int64_t step, struct metrics_file *out)
{
    struct buf text BUF_CLEANUP = {0}, why BUF_CLEANUP = {0};
    int r = read_text(path, &text);
    if (r == 0)
        r = metrics_file_parse(text.data, text.len, step, out, &why);
    if (r == 0)
        return EX_OK;
    fprintf(stderr, "modelfs push: cannot use the metrics in %s: %s\n", path,
            r == -EINVAL && why.len ? why.data : strerror(-r));
    return r == -EINVAL || r == -EFBIG ? EX_DATAERR : EX_NOINPUT;
}
