/* SPDX-License-Identifier: Apache-2.0 */
/* A request that may have to wait (a directory that is not listed yet, bytes that are not here) is
 * parked as a small struct of its own and answered by whichever thread brings what it waits for;
 * the worker that took it from the kernel goes on to the next.
 *
 * Replies to read() are written straight from the cache's map or a flight's buffer. An inode's
 * content never changes (new content is a new inode), so the kernel may keep its pages for ever. */
#include "vfs/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "vfs/ops_handle.h"
#include "vfs/ops_handlers.h"
#include "vfs/ops_trace.h"

/* Requests of the kernel's that nobody waits for, at a time. Of one reader without a cache,
 * in MiB/s: 4 bring 1,460, 12 (the kernel's own choice) 1,470, 64 1,740, 256 1,690. */
enum { MAX_BACKGROUND = 64 };

/* Each reading of a directory brings what stat() wants to know, too. Where the kernel chooses, it
 * does so for the first part only when all names are read before any is looked at: `find -ls` of
 * 20,000 files then takes 1.1 s of processors instead of 0.3. A plain `ls` takes 0.12 instead of
 * 0.06.
 *
 * The kernel is not let keep directories (FOPEN_CACHE_DIR): `ls` again takes 0.01 s instead of
 * 0.04, but once names are older than entry_timeout each is looked up alone, and `ls -l` takes
 * 1.1 s instead of 0.2. */
static void op_init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA; /* content never changes under an inode */
    conn->want |= conn->capable & (FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_PARALLEL_DIROPS |
                                   FUSE_CAP_READDIRPLUS | FUSE_CAP_ASYNC_READ);
    conn->want &= ~(unsigned)FUSE_CAP_READDIRPLUS_AUTO;
    conn->max_background = MAX_BACKGROUND;
    conn->congestion_threshold = MAX_BACKGROUND * 3 / 4;
}

static const struct fuse_lowlevel_ops operations = {
    .init = op_init,
    .lookup = op_lookup,
    .forget = op_forget,
    .forget_multi = op_forget_multi,
    .getattr = op_getattr,
    .readlink = op_readlink,
    .open = op_open,
    .read = op_read,
    .release = op_release,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .readdirplus = op_readdirplus,
    .releasedir = op_release,
    .statfs = op_statfs,
    .getxattr = op_getxattr,
    .listxattr = op_listxattr,
};

static void cleanup_args(struct fuse_args *args)
{
    fuse_opt_free_args(args);
}

static int add_options(const struct ops_options *o, struct fuse_args *args)
{
    BUF_CLEANUP struct buf text = {0};
    int r = buf_printf(&text, "-oro,nosuid,nodev,default_permissions,subtype=modelfs,fsname=");
    for (const char *c = o->source; r == 0 && *c; c++)
        r = *c == ',' || *c == '\\' ? buf_printf(&text, "\\%c", *c) : buf_putc(&text, *c);
    if (r == 0 && o->allow_other)
        r = buf_puts(&text, ",allow_other");
    if (r == 0 && (fuse_opt_add_arg(args, "modelfs") < 0 || fuse_opt_add_arg(args, text.data) < 0))
        r = -ENOMEM;
    if (r == 0 && o->debug && fuse_opt_add_arg(args, "-d") < 0)
        r = -ENOMEM;
    return r;
}

static int why_not_mounted(int err, const char **out_why)
{
    if (access("/dev/fuse", F_OK) < 0)
        *out_why = "there is no /dev/fuse: load the fuse module, or give the container that device";
    else if (access("/dev/fuse", R_OK | W_OK) < 0)
        *out_why = "/dev/fuse may not be opened: run as root, or join the group that may";
    else
        *out_why = "fuse refused the mount; for allow_other as a user, set user_allow_other in "
                   "/etc/fuse.conf";
    return err ? -err : -EIO;
}

int ops_mount(const struct ops_options *options, const char *mountpoint, struct ops **out,
              const char **out_why)
{
    CLEANUP(cleanup_args) struct fuse_args args = {0};
    struct ops *ops = calloc(1, sizeof(*ops));
    *out_why = "memory is short";
    if (!ops)
        return -ENOMEM;
    pthread_mutex_init(&ops->lock, NULL);
    pthread_mutex_init(&ops->walk_lock, NULL);
    ops->options = *options;
    ops->mountpoint = strdup(mountpoint);
    ops->trace = ops_trace_new(options->tree);
    int r = ops->mountpoint && ops->trace ? add_options(options, &args) : -ENOMEM;
    if (r == 0 && !(ops->session = fuse_session_new(&args, &operations, sizeof(operations), ops)))
        r = -EINVAL;
    if (r == 0) {
        errno = 0;
        ops->mounted = fuse_session_mount(ops->session, ops->mountpoint) == 0;
        r = ops->mounted ? 0 : why_not_mounted(errno, out_why);
    }
    if (r < 0)
        ops_free(ops);
    else
        *out = ops;
    return r;
}

int ops_loop(struct ops *ops)
{
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    if (!config || fuse_set_signal_handlers(ops->session) < 0) {
        if (config)
            fuse_loop_cfg_destroy(config);
        return -ENOMEM;
    }
    fuse_loop_cfg_set_clone_fd(config, 1);
    fuse_loop_cfg_set_max_threads(config, (unsigned)ops->options.n_threads);
    fuse_loop_cfg_set_idle_threads(config, (unsigned)ops->options.n_threads);
    int r = fuse_session_loop_mt(ops->session, config);
    fuse_loop_cfg_destroy(config);
    fuse_remove_signal_handlers(ops->session);
    ops_trace_end(ops->trace);
    return r < 0 ? r : 0;
}

void ops_unmount(struct ops *ops)
{
    if (ops && ops->mounted)
        fuse_session_unmount(ops->session);
    if (ops)
        ops->mounted = false;
}

void ops_free(struct ops *ops)
{
    if (!ops)
        return;
    ops_unmount(ops);
    ops_free_handles(ops);
    if (ops->session)
        fuse_session_destroy(ops->session);
    ops_trace_free(ops->trace);
    pthread_mutex_destroy(&ops->lock);
    pthread_mutex_destroy(&ops->walk_lock);
    free(ops->mountpoint);
    free(ops);
}

void ops_get_stats(struct ops *ops, struct ops_stats *out)
{
    ops_meter_load(&ops->meter, out);
}
