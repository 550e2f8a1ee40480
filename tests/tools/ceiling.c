/* SPDX-License-Identifier: Apache-2.0 */
/* The ceiling of FUSE on this machine: a filesystem with one file, `file`, whose bytes are answered
 * straight from a map of a local file. It does nothing else, so a FUSE filesystem that replies from
 * memory can hardly be faster; scripts/bench sets our own figures beside it.
 *
 *     ceiling [--cold] LOCAL-FILE MOUNTPOINT   (stays in the foreground; fusermount3 -u ends it)
 *
 * The file is read into memory first; with --cold it is not, and a read waits for the disk.
 *
 * It keeps pages (KEEP_CACHE), asks for reads of 1 MiB and serves with several threads, as modelfs
 * does. */
#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 14)

#include <fuse_lowlevel.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { FILE_INO = 2, MAX_READ_BYTES = 1 << 20, N_THREADS = 8 };
static const double valid_s = 3600;
static const char file_name[] = "file";

struct map {
    const char *data;
    size_t len;
};

static struct stat attr_of(fuse_req_t req, fuse_ino_t ino)
{
    const struct map *map = fuse_req_userdata(req);
    struct stat st = {.st_ino = ino, .st_nlink = 1, .st_mode = S_IFREG | 0444};
    if (ino == FUSE_ROOT_ID)
        st.st_mode = S_IFDIR | 0555;
    else
        st.st_size = (off_t)map->len;
    return st;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    conn->max_read = MAX_READ_BYTES;
    conn->max_readahead = MAX_READ_BYTES;
    conn->max_background = 64;
    conn->want |= conn->capable & FUSE_CAP_PARALLEL_DIROPS;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    if (parent != FUSE_ROOT_ID || strcmp(name, file_name) != 0) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    struct fuse_entry_param entry = {
        .ino = FILE_INO,
        .attr = attr_of(req, FILE_INO),
        .attr_timeout = valid_s,
        .entry_timeout = valid_s,
    };
    fuse_reply_entry(req, &entry);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)fi;
    struct stat st = attr_of(req, ino);
    fuse_reply_attr(req, &st, valid_s);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    if ((fi->flags & O_ACCMODE) != O_RDONLY) {
        fuse_reply_err(req, EROFS);
        return;
    }
    fi->keep_cache = 1;
    fuse_reply_open(req, fi);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t len, off_t off,
                    struct fuse_file_info *fi)
{
    (void)ino;
    (void)fi;
    const struct map *map = fuse_req_userdata(req);
    size_t at = (size_t)off < map->len ? (size_t)off : map->len;
    size_t left = map->len - at;
    fuse_reply_buf(req, map->data + at, len < left ? len : left);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t cap, off_t off,
                       struct fuse_file_info *fi)
{
    (void)ino;
    (void)fi;
    char entries[256];
    struct stat st = attr_of(req, FILE_INO);
    size_t len = 0;
    if (off == 0)
        len = fuse_add_direntry(req, entries, sizeof(entries), file_name, &st, 1);
    fuse_reply_buf(req, entries, len <= cap ? len : 0);
}

static const struct fuse_lowlevel_ops ops = {
    .init = op_init,
    .lookup = op_lookup,
    .getattr = op_getattr,
    .open = op_open,
    .read = op_read,
    .readdir = op_readdir,
};

static int map_open(const char *path, bool cold, struct map *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    int flags = MAP_SHARED | (cold ? 0 : MAP_POPULATE);
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, flags, fd, 0);
    if (data == MAP_FAILED)
        return -errno;
    *out = (struct map){.data = data, .len = (size_t)st.st_size};
    return 0;
}

static int serve(struct fuse_session *session, const char *mountpoint)
{
    if (fuse_set_signal_handlers(session) != 0 || fuse_session_mount(session, mountpoint) != 0)
        return 1;
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_max_threads(config, N_THREADS);
    fuse_loop_cfg_set_clone_fd(config, 1);
    int err = fuse_session_loop_mt(session, config);
    fuse_loop_cfg_destroy(config);
    fuse_session_unmount(session);
    fuse_remove_signal_handlers(session);
    return err < 0; /* above 0 it is the signal that ended it */
}

int main(int argc, char **argv)
{
    bool cold = argc == 4 && strcmp(argv[1], "--cold") == 0;
    if (argc != 3 + cold) {
        fprintf(stderr, "usage: %s [--cold] LOCAL-FILE MOUNTPOINT\n", argv[0]);
        return 2;
    }
    const char *path = argv[1 + cold], *mountpoint = argv[2 + cold];
    struct map map;
    int err = map_open(path, cold, &map);
    if (err < 0) {
        fprintf(stderr, "ceiling: %s: %s\n", path, strerror(-err));
        return 1;
    }
    char options[64];
    snprintf(options, sizeof(options), "ro,max_read=%d", MAX_READ_BYTES);
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    fuse_opt_add_arg(&args, argv[0]);
    fuse_opt_add_arg(&args, "-o");
    fuse_opt_add_arg(&args, options);
    struct fuse_session *session = fuse_session_new(&args, &ops, sizeof(ops), &map);
    int status = session ? serve(session, mountpoint) : 1;
    if (session)
        fuse_session_destroy(session);
    fuse_opt_free_args(&args);
    return status;
}
