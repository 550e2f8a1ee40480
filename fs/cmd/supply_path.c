/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a mount, which says what their digests are in an attribute. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd/interrupt.h"
#include "cmd/local_files.h"
#include "cmd/subject.h"
#include "cmd/supply.h"
#include "util/buf.h"
#include "vfs/views.h"

enum { CHUNK_BYTES = 1 << 20, ATTRIBUTE_BYTES = 128 };

struct supply_stream {
    int fd;
    uint64_t off, size_bytes;
    char *chunk;
};

static void close_stream(struct supply_stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    free(stream->chunk);
    free(stream);
}

DEFINE_CLEANUP(struct supply_stream *, cleanup_stream, close_stream)

static int open_stream(void *self, const struct supply_item *item, uint64_t off,
                       struct supply_stream **out)
{
    const struct local_files *files = self;
    CLEANUP(cleanup_stream) struct supply_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return -ENOMEM;
    stream->off = off;
    stream->size_bytes = item->size_bytes;
    stream->fd = local_files_open(files, &files->items[item->ref]);
    stream->chunk = malloc(CHUNK_BYTES);
    if (stream->fd < 0 || !stream->chunk)
        return stream->fd < 0 ? stream->fd : -ENOMEM;
    *out = steal_ptr(stream);
    return 0;
}

static ssize_t next(struct supply_stream *stream, const void **out_data)
{
    uint64_t left = stream->size_bytes - stream->off;
    if (interrupt_seen())
        return -EINTR;
    if (!left)
        return 0;
    ssize_t n = pread(stream->fd, stream->chunk, left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES,
                      (off_t)stream->off);
    if (n <= 0)
        return n < 0 ? -errno : -ESTALE;
    stream->off += (uint64_t)n;
    *out_data = stream->chunk;
    return n;
}

static void free_files(void *self)
{
    local_files_deinit(self);
    free(self);
}

static const struct supply_ops ops = {open_stream, next, close_stream, free_files};

/* Adds one file with the digest that the mount knows. */
static int add(struct supply *supply, const struct local_files *files, size_t i)
{
    const struct local_file *file = &files->items[i];
    struct supply_item item = {.path = file->path,
                               .size_bytes = file->size_bytes,
                               .mtime_ns = file->mtime_ns,
                               .ref = (uint32_t)i};
    char text[ATTRIBUTE_BYTES];
    CLEANUP(cleanup_close) int fd = local_files_open(files, file);
    if (fd < 0)
        return fd;
    ssize_t n = fgetxattr(fd, VIEWS_XATTR_PREFIX "digest", text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    item.has_digest = n > 0 && digest_parse(text, &item.digest) == 0;
    return supply_add(supply, &item);
}

static int complain(const struct subject *s, const char *where, int err)
{
    fprintf(stderr, "modelfs %s: cannot read %s%s%s: %s\n", s->command, s->text, where ? "/" : "",
            where ? where : "", strerror(-err));
    return err == -EACCES ? EX_NOPERM : err == -ENOMEM ? EX_OSERR : EX_NOINPUT;
}

static int scan(struct subject *s, const char *root, struct supply *out)
{
    CLEANUP(cleanup_free) char *where = NULL;
    struct local_files *files = calloc(1, sizeof(*files));
    if (!files)
        return EX_OSERR;
    *out = (struct supply){.ops = &ops, .self = files};
    int r = local_files_scan(root, NULL, NULL, files, &where);
    for (size_t i = 0; r == 0 && i < files->n; i++)
        r = add(out, files, i);
    supply_sort(out);
    return r < 0 ? complain(s, where, r) : EX_OK;
}

/* Where in the mount the files are: of a model in `.modelfs/files`, which is the registry's own
 * layout, since its directory shows them by checkpoint. */
static int find_root(struct subject *s, struct buf *root)
{
    JSON_CLEANUP json_t *facts = NULL;
    struct buf info BUF_CLEANUP = {0};
    if (buf_puts(root, s->text) < 0 || buf_printf(&info, "%s/.modelfs/info.json", s->text) < 0)
        return EX_OSERR;
    if (access(info.data, F_OK) < 0)
        return EX_OK;
    int code = subject_describe(s, &facts);
    if (code != EX_OK)
        return code;
    if (strcmp(subject_kind(facts), "model") == 0)
        return buf_puts(root, "/.modelfs/files") < 0 ? EX_OSERR : EX_OK;
    if (strcmp(subject_kind(facts), "checkpoint") == 0)
        return EX_OK;
    fprintf(stderr, "modelfs %s: %s is a %s: name a model or a checkpoint in it\n", s->command,
            s->text, subject_kind(facts));
    return EX_USAGE;
}

int supply_open_path(struct subject *s, struct supply *out)
{
    struct buf root BUF_CLEANUP = {0};
    int code = find_root(s, &root);
    return code == EX_OK ? scan(s, root.data, out) : code;
}
