/* SPDX-License-Identifier: Apache-2.0 */
/* Files of one size whose digests no registry knows are read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/diff_values.h"
#include "cmd/facts_diff.h"
#include "vfs/names.h"

enum { WINDOW_BYTES = 1 << 17 };

/* Appends a registry's path as the mount has it, entry by entry: so it leads nowhere else. */
static int append_entries(const char *path, struct buf *out)
{
    int r = 0;
    while (r == 0 && *path) {
        struct buf part BUF_CLEANUP = {0};
        size_t n = strcspn(path, "/");
        r = buf_append(&part, path, n);
        if (r == 0)
            r = buf_putc(out, '/');
        if (r == 0 && n)
            r = name_to_entry(part.data, out);
        path += n + (path[n] == '/');
    }
    return r;
}

static FILE *open_file(const struct subject_as *as, const json_t *pair, const char *side)
{
    struct buf path BUF_CLEANUP = {0};
    const char *inner = json_get_text(json_get_object(pair, side), "path");
    int r = buf_puts(&path, as->text);
    if (r == 0)
        r = append_entries(inner ? inner : "", &path);
    return r == 0 ? fopen(path.data, "re") : NULL;
}

/* 1 when they are the same, 0, or -errno. */
static int compare(FILE *a, FILE *b)
{
    CLEANUP(cleanup_free) char *x = malloc(WINDOW_BYTES);
    CLEANUP(cleanup_free) char *y = malloc(WINDOW_BYTES);
    size_t n, m;
    if (!x || !y)
        return -ENOMEM;
    do {
        n = fread(x, 1, WINDOW_BYTES, a);
        m = fread(y, 1, WINDOW_BYTES, b);
        if (ferror(a) || ferror(b))
            return -EIO;
        if (n != m || memcmp(x, y, n) != 0)
            return 0;
    } while (n);
    return 1;
}

int diff_files(const struct subject_as *a, const struct subject_as *b, json_t *diff)
{
    json_t *unknown = json_get_array(json_get_object(diff, "files"), "unknown");
    if (!a->subject.is_path || !b->subject.is_path)
        return EX_OK;
    while (json_array_size(unknown)) {
        const json_t *pair = json_array_get(unknown, 0);
        CLEANUP(cleanup_fclose) FILE *x = open_file(a, pair, "a");
        CLEANUP(cleanup_fclose) FILE *y = open_file(b, pair, "b");
        int r = x && y ? compare(x, y) : -errno;
        if (r < 0) {
            fprintf(stderr, "modelfs diff: cannot read %s of %s and %s: %s\n",
                    json_get_text(pair, "path"), a->text, b->text, strerror(-r));
            return r == -EIO ? EX_TEMPFAIL : EX_NOINPUT;
        }
        if (facts_diff_settle(diff, 0, r == 1) < 0)
            return EX_OSERR;
    }
    return EX_OK;
}
