/* SPDX-License-Identifier: Apache-2.0 */
/* The stats are a file of the mount's: so they are found from any path in it, by who may read
 * there, and no other way into the process is needed. */
#include "cmd/stats_mount.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/mount_point.h"
#include "util/buf.h"

enum { READ_BYTES = 1 << 16, MAX_BYTES = 1 << 22 };

/* A whole small file of the mount's `.modelfs`. 0 or -errno. */
static int read_file(const struct stats_mount *mount, const char *name, struct buf *out)
{
    BUF_CLEANUP struct buf path = {0};
    int r = buf_printf(&path, "%s/.modelfs/%s", mount->dir, name);
    CLEANUP(cleanup_fclose) FILE *file = r == 0 ? fopen(path.data, "re") : NULL;
    size_t n = 0;
    if (!file)
        return r < 0 ? r : -errno;
    do {
        out->len += n;
        if (out->len > MAX_BYTES || buf_reserve(out, READ_BYTES) < 0)
            return -ENOMEM;
        n = fread(out->data + out->len, 1, READ_BYTES, file);
    } while (n);
    out->data[out->len] = '\0';
    return ferror(file) ? -EIO : 0;
}

int stats_mount_complain(const struct stats_mount *mount, const char *command, int err)
{
    switch (err) {
    case -ENOTCONN:
    case -ECONNABORTED:
        fprintf(stderr,
                "modelfs %s: the process of the mount on %s is gone: run `modelfs umount %s`, and "
                "mount anew\n",
                command, mount->dir, mount->dir);
        return EX_UNAVAILABLE;
    case -ENOENT:
        fprintf(stderr, "modelfs %s: no modelfs is mounted on %s any more\n", command, mount->dir);
        return EX_UNAVAILABLE;
    case -EINVAL:
        fprintf(stderr, "modelfs %s: %s/.modelfs/stats is not what a mount of modelfs says\n",
                command, mount->dir);
        return EX_DATAERR;
    case -EACCES:
        fprintf(stderr,
                "modelfs %s: only who mounted %s may look into it, unless it was mounted with -o "
                "allow_other\n",
                command, mount->dir);
        return EX_NOPERM;
    default:
        fprintf(stderr, "modelfs %s: %s/.modelfs/stats: %s\n", command, mount->dir, strerror(-err));
        return EX_OSERR;
    }
}

static int complain_path(const char *command, const char *path, int err)
{
    switch (err) {
    case 0:
        fprintf(stderr,
                "modelfs %s: %s is in no mount of modelfs; name a directory that `modelfs mount` "
                "shows something at\n",
                command, path);
        return EX_NOINPUT;
    case ENOTCONN:
        fprintf(stderr,
                "modelfs %s: %s is in a mount whose process is gone: run `modelfs umount`, and "
                "mount anew\n",
                command, path);
        return EX_UNAVAILABLE;
    default:
        fprintf(stderr, "modelfs %s: %s: %s\n", command, path, strerror(err));
        return err == EACCES ? EX_NOPERM : EX_NOINPUT;
    }
}

/* The line `source=...` of its config. */
static char *read_source(const struct stats_mount *mount)
{
    static const char key[] = "source=";
    BUF_CLEANUP struct buf config = {0};
    if (read_file(mount, "config", &config) < 0 || strncmp(config.data, key, strlen(key)) != 0)
        return strdup("");
    const char *source = config.data + strlen(key);
    return strndup(source, strcspn(source, "\n"));
}

int stats_mount_open(struct stats_mount *mount, const char *command, const char *path)
{
    CLEANUP(cleanup_free) char *real = realpath(path, NULL);
    if (!real)
        return complain_path(command, path, errno);
    mount->dir = mount_point_around(real);
    if (!mount->dir)
        return complain_path(command, path, 0);
    mount->source = read_source(mount);
    return mount->source ? EX_OK : EX_OSERR;
}

void stats_mount_deinit(struct stats_mount *mount)
{
    free(mount->dir);
    free(mount->source);
    *mount = (struct stats_mount){0};
}

int stats_mount_look(const struct stats_mount *mount, struct look *out)
{
    BUF_CLEANUP struct buf text = {0};
    int r = read_file(mount, "stats", &text);
    return r < 0 ? r : look_parse(text.data, out);
}
