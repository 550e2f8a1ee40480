/* SPDX-License-Identifier: Apache-2.0 */
/* A request that may have to wait (a directory that is not listed yet, bytes that are not here) is
 * parked as a small struct of its own and answered by whichever thread brings what it waits for;
 * the worker that took it from the kernel goes on to the next.
 *
 * Replies to read() are written straight from the cache's map or a flight's buffer. An inode's
 * content never changes (new content is a new inode), so the kernel may keep its pages for ever. */
#define FUSE_USE_VERSION 314
#include "vfs/ops.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cache/blocks.h"
#include "read/reader.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "vfs/tree.h"
#include "vfs/views.h"

#define XATTR_CACHED VIEWS_XATTR_PREFIX "cached"

enum { BLOCK_SIZE = 1 << 20, MAX_BACKGROUND = 64 };

struct ops {
    struct ops_options options;
    struct fuse_session *session;
    char *mountpoint;
    bool mounted;
    pthread_mutex_t lock;    /* guards files */
    struct open_file *files; /* all that are open: at the end the kernel does not release them */
    atomic_ullong counts[OPS_N_KINDS];
};

/* What an open file is: one of the three. */
struct open_file {
    struct reader *reader;        /* of a blob */
    struct tree_node node;        /* of a text made once */
    struct buf text;              /* of a text made at this open */
    struct open_file *next, **at; /* in ops->files */
};

/* A request that waits for a directory's listing. */
struct parked {
    fuse_req_t req;
    fuse_ino_t ino;
    void (*resume)(struct parked *p);
    size_t size; /* of the answer, for attributes */
    struct fuse_file_info fi;
    char name[]; /* of LOOKUP and GETXATTR */
};

static struct ops *ops_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static void count(struct ops *ops, enum ops_kind kind)
{
    atomic_fetch_add_explicit(&ops->counts[kind], 1, memory_order_relaxed);
}

/* Our -errno as what a POSIX caller expects. */
static void reply_error(fuse_req_t req, int err)
{
    switch (-err) {
    case EPROTO:
    case EAGAIN:
    case ECANCELED:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case EFBIG:
    case EINVAL:
        err = -EIO;
        break;
    default:
        break;
    }
    fuse_reply_err(req, -err);
}

static mode_t mode_of(const struct ops *ops, enum node_kind kind)
{
    mode_t mask = ~ops->options.umask;
    switch (kind) {
    case NODE_DIR:
    case NODE_PLACE:
        return S_IFDIR | (0555 & mask);
    case NODE_LINK:
        return S_IFLNK | 0777;
    default:
        return S_IFREG | (0444 & mask);
    }
}

/* st_blocks tells the file's size, not what is cached: archivers take a file with fewer blocks than
 * bytes for one with holes. */
static struct stat stat_of(const struct ops *ops, const struct tree_attr *attr)
{
    struct stat st = {
        .st_ino = attr->ino,
        .st_mode = mode_of(ops, attr->kind),
        .st_nlink = attr->n_links,
        .st_uid = ops->options.uid,
        .st_gid = ops->options.gid,
        .st_size = (off_t)attr->size_bytes,
        .st_blocks = (blkcnt_t)((attr->size_bytes + 511) / 512),
        .st_blksize = BLOCK_SIZE,
    };
    st.st_mtim.tv_sec = attr->mtime_ns / 1000000000;
    st.st_mtim.tv_nsec = attr->mtime_ns % 1000000000;
    st.st_atim = st.st_ctim = st.st_mtim;
    return st;
}

static struct fuse_entry_param entry_of(const struct ops *ops, const struct tree_attr *attr)
{
    return (struct fuse_entry_param){
        .ino = attr->ino,
        .attr = stat_of(ops, attr),
        .attr_timeout = ops->options.attr_timeout_s,
        .entry_timeout = ops->options.entry_timeout_s,
    };
}

static void on_ready(void *ctx, int err)
{
    struct parked *p = ctx;
    if (err < 0)
        reply_error(p->req, err);
    else
        p->resume(p);
    free(p);
}

/* Parks a request until directory @ino can be looked into. */
static void park(struct parked *p)
{
    if (p)
        tree_need(ops_of(p->req)->options.tree, p->ino, on_ready, p);
}

static struct parked *new_parked(fuse_req_t req, fuse_ino_t ino, const char *name,
                                 void (*resume)(struct parked *p))
{
    struct parked *p = calloc(1, sizeof(*p) + strlen(name) + 1);
    if (!p) {
        fuse_reply_err(req, ENOMEM);
        return NULL;
    }
    p->req = req;
    p->ino = ino;
    p->resume = resume;
    strcpy(p->name, name);
    return p;
}

static void resume_lookup(struct parked *p)
{
    struct ops *ops = ops_of(p->req);
    struct tree_attr attr;
    int r = tree_lookup(ops->options.tree, p->ino, p->name, &attr);
    if (r < 0) {
        reply_error(p->req, r);
        return;
    }
    struct fuse_entry_param entry = entry_of(ops, &attr);
    if (fuse_reply_entry(p->req, &entry) < 0)
        tree_forget(ops->options.tree, attr.ino, 1);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    count(ops_of(req), OPS_LOOKUP);
    park(new_parked(req, parent, name, resume_lookup));
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
    tree_forget(ops_of(req)->options.tree, ino, n);
    fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *forgets)
{
    for (size_t i = 0; i < n; i++)
        tree_forget(ops_of(req)->options.tree, forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct ops *ops = ops_of(req);
    struct tree_attr attr;
    (void)fi;
    count(ops, OPS_GETATTR);
    int r = tree_getattr(ops->options.tree, ino, &attr);
    if (r < 0) {
        reply_error(req, r);
        return;
    }
    struct stat st = stat_of(ops, &attr);
    fuse_reply_attr(req, &st, ops->options.attr_timeout_s);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    int r = tree_get(ops_of(req)->options.tree, ino, &node);
    const struct layout_node *n = r == 0 ? &node.layout->nodes[node.index] : NULL;
    if (n && n->kind == NODE_LINK)
        fuse_reply_readlink(req, node.layout->texts[n->ref].data);
    else
        reply_error(req, r < 0 ? r : -EINVAL);
}

static void free_file(struct open_file *file)
{
    reader_close(file->reader);
    tree_node_deinit(&file->node);
    buf_deinit(&file->text);
    free(file);
}
DEFINE_CLEANUP(struct open_file *, cleanup_file, free_file)

static struct open_file *file_of(const struct fuse_file_info *fi)
{
    return (struct open_file *)(uintptr_t)fi->fh;
}

static int open_blob(struct ops *ops, const struct tree_node *node, struct open_file *file)
{
    const struct layout_place *where = node->layout->place;
    const struct blob_source source = {
        .origin = where->origin,
        .place = {where->project_id, where->model_id},
        .entry = &node->layout->listing->entries[node->layout->nodes[node->index].ref],
    };
    return reader_open(ops->options.fetch, &source, &file->reader);
}

static int open_node(struct ops *ops, fuse_ino_t ino, struct open_file *file,
                     struct fuse_file_info *fi)
{
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    int r = tree_get(ops->options.tree, ino, &node);
    if (r < 0)
        return r;
    const struct layout_node *n = &node.layout->nodes[node.index];
    fi->keep_cache = n->kind != NODE_LIVE;
    fi->direct_io = n->kind == NODE_LIVE;
    switch ((enum node_kind)n->kind) {
    case NODE_FILE:
        return open_blob(ops, &node, file);
    case NODE_LIVE:
        return ops->options.live_text(ops->options.live_ctx, n->ref, &file->text);
    case NODE_TEXT:
        file->node = node;
        node.layout = NULL;
        return 0;
    default:
        return -EISDIR;
    }
}

static void link_file(struct ops *ops, struct open_file *file)
{
    pthread_mutex_lock(&ops->lock);
    file->next = ops->files;
    file->at = &ops->files;
    if (file->next)
        file->next->at = &file->next;
    ops->files = file;
    pthread_mutex_unlock(&ops->lock);
}

static void unlink_file(struct ops *ops, struct open_file *file)
{
    pthread_mutex_lock(&ops->lock);
    *file->at = file->next;
    if (file->next)
        file->next->at = file->at;
    pthread_mutex_unlock(&ops->lock);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    count(ops_of(req), OPS_OPEN);
    if ((fi->flags & O_ACCMODE) != O_RDONLY) {
        fuse_reply_err(req, EROFS);
        return;
    }
    CLEANUP(cleanup_file) struct open_file *file = calloc(1, sizeof(*file));
    int r = file ? open_node(ops_of(req), ino, file, fi) : -ENOMEM;
    if (r < 0) {
        reply_error(req, r);
        return;
    }
    fi->fh = (uintptr_t)file;
    struct ops *ops = ops_of(req);
    link_file(ops, file);
    if (fuse_reply_open(req, fi) == 0)
        (void)steal_ptr(file);
    else
        unlink_file(ops, file);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    unlink_file(ops_of(req), file_of(fi));
    free_file(file_of(fi));
    fuse_reply_err(req, 0);
}

static void on_read(void *ctx, int err, const struct iovec *iov, int n_iov)
{
    fuse_req_t req = ctx;
    if (err < 0)
        reply_error(req, err);
    else
        fuse_reply_iov(req, iov, n_iov);
}

static void reply_text(fuse_req_t req, const char *data, size_t len, size_t size, off_t off)
{
    size_t from = (uint64_t)off < len ? (size_t)off : len;
    fuse_reply_buf(req, data ? data + from : NULL, size < len - from ? size : len - from);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi)
{
    const struct open_file *file = file_of(fi);
    (void)ino;
    count(ops_of(req), OPS_READ);
    if (file->reader) {
        reader_read(file->reader, (uint64_t)off, size, on_read, req);
    } else if (file->node.layout) {
        const struct layout_text *text =
            &file->node.layout->texts[file->node.layout->nodes[file->node.index].ref];
        reply_text(req, text->data, text->len, size, off);
    } else {
        reply_text(req, file->text.data, file->text.len, size, off);
    }
}

static void free_dir(struct tree_node *dir)
{
    tree_node_deinit(dir);
    free(dir);
}
DEFINE_CLEANUP(struct tree_node *, cleanup_dir, free_dir)

static void resume_opendir(struct parked *p)
{
    CLEANUP(cleanup_dir) struct tree_node *dir = calloc(1, sizeof(*dir));
    int r = dir ? tree_get(ops_of(p->req)->options.tree, p->ino, dir) : -ENOMEM;
    if (r < 0) {
        reply_error(p->req, r);
        return;
    }
    p->fi.fh = (uintptr_t)dir;
    if (fuse_reply_open(p->req, &p->fi) == 0)
        (void)steal_ptr(dir);
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct parked *p = new_parked(req, ino, "", resume_opendir);
    if (p)
        p->fi = *fi;
    park(p);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    free_dir((struct tree_node *)(uintptr_t)fi->fh);
    fuse_reply_err(req, 0);
}

/* Appends one entry to a reply of READDIR or READDIRPLUS; its bytes, or 0 when it does not fit any
 * more. */
static size_t append_entry(fuse_req_t req, char *at, size_t room, const char *name,
                           const struct tree_attr *attr, off_t next, bool plus)
{
    struct ops *ops = ops_of(req);
    size_t need;
    if (plus) {
        struct fuse_entry_param entry = entry_of(ops, attr);
        if (next <= 2)
            entry.ino = 0; /* `.` and `..` are not looked up */
        need = fuse_add_direntry_plus(req, at, room, name, &entry, next);
    } else {
        struct stat st = stat_of(ops, attr);
        need = fuse_add_direntry(req, at, room, name, &st, next);
    }
    return need <= room ? need : 0;
}

static void reply_dir(fuse_req_t req, size_t size, off_t off, const struct tree_node *dir,
                      bool plus)
{
    struct tree *tree = ops_of(req)->options.tree;
    CLEANUP(cleanup_free) char *out = malloc(size);
    size_t used = 0;
    struct tree_attr attr;
    const char *name;
    if (!out) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    while (tree_read_dir(tree, dir, (uint64_t)off, plus, &name, &attr) == 0) {
        size_t n = append_entry(req, out + used, size - used, name, &attr, off + 1, plus);
        if (!n) {
            if (plus && off >= 2)
                tree_forget(tree, attr.ino, 1);
            break;
        }
        used += n;
        off++;
    }
    fuse_reply_buf(req, out, used);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                       struct fuse_file_info *fi)
{
    (void)ino;
    count(ops_of(req), OPS_READDIR);
    reply_dir(req, size, off, (const struct tree_node *)(uintptr_t)fi->fh, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                           struct fuse_file_info *fi)
{
    (void)ino;
    count(ops_of(req), OPS_READDIR);
    reply_dir(req, size, off, (const struct tree_node *)(uintptr_t)fi->fh, true);
}

/* The mount's space is the cache's. */
static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
    struct ops *ops = ops_of(req);
    struct blocks_stats stats = {0};
    (void)ino;
    if (ops->options.blocks)
        blocks_get_stats(ops->options.blocks, &stats);
    uint64_t free_bytes =
        stats.limit_bytes > stats.used_bytes ? stats.limit_bytes - stats.used_bytes : 0;
    struct statvfs st = {
        .f_bsize = BLOCK_SIZE,
        .f_frsize = 4096,
        .f_blocks = stats.limit_bytes / 4096,
        .f_bfree = free_bytes / 4096,
        .f_bavail = free_bytes / 4096,
        .f_namemax = 255,
        .f_flag = ST_RDONLY,
    };
    fuse_reply_statfs(req, &st);
}

/* How much of a file's content the cache holds. */
static int append_cached(struct ops *ops, const struct tree_node *node, struct buf *out)
{
    const struct layout_node *n = &node->layout->nodes[node->index];
    const struct layout_place *where = node->layout->place;
    struct blob_id id;
    if (n->kind != NODE_FILE || !ops->options.blocks)
        return -ENODATA;
    const struct blob_source source = {where->origin,
                                       {where->project_id, where->model_id},
                                       &node->layout->listing->entries[n->ref]};
    blob_source_id(&source, &id);
    uint64_t present = blocks_present_bytes(ops->options.blocks, &id, source.entry->size_bytes);
    return buf_printf(out, "%llu", (unsigned long long)present);
}

static void reply_xattr(fuse_req_t req, const struct buf *value, size_t size)
{
    if (size == 0)
        fuse_reply_xattr(req, value->len);
    else if (value->len > size)
        fuse_reply_err(req, ERANGE);
    else
        fuse_reply_buf(req, value->data, value->len);
}

static int get_xattr(struct ops *ops, const struct tree_node *node, const char *name,
                     struct buf *out)
{
    if (strcmp(name, XATTR_CACHED) == 0)
        return append_cached(ops, node, out);
    return views_get_xattr(node->layout, node->index, name, out);
}

static void resume_getxattr(struct parked *p)
{
    struct ops *ops = ops_of(p->req);
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    BUF_CLEANUP struct buf value = {0};
    int r = tree_get(ops->options.tree, p->ino, &node);
    if (r == 0)
        r = get_xattr(ops, &node, p->name, &value);
    if (r < 0)
        reply_error(p->req, r);
    else
        reply_xattr(p->req, &value, p->size);
}

/* `ls -l` asks every directory for its access list: that must not fetch what is in it, so only our
 * own names do. */
static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    count(ops_of(req), OPS_XATTR);
    if (strncmp(name, VIEWS_XATTR_PREFIX, strlen(VIEWS_XATTR_PREFIX)) != 0) {
        fuse_reply_err(req, ENODATA);
        return;
    }
    struct parked *p = new_parked(req, ino, name, resume_getxattr);
    if (p)
        p->size = size;
    park(p);
}

static void resume_listxattr(struct parked *p)
{
    struct ops *ops = ops_of(p->req);
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    BUF_CLEANUP struct buf names = {0};
    int r = tree_get(ops->options.tree, p->ino, &node);
    if (r == 0)
        r = views_list_xattrs(node.layout, node.index, &names);
    if (r == 0 && node.layout->nodes[node.index].kind == NODE_FILE && ops->options.blocks)
        r = buf_append(&names, XATTR_CACHED, sizeof(XATTR_CACHED));
    if (r < 0)
        reply_error(p->req, r);
    else
        reply_xattr(p->req, &names, p->size);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    count(ops_of(req), OPS_XATTR);
    struct parked *p = new_parked(req, ino, "", resume_listxattr);
    if (p)
        p->size = size;
    park(p);
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA; /* content never changes under an inode */
    conn->want |=
        conn->capable & (FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS |
                         FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_ASYNC_READ);
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
    .releasedir = op_releasedir,
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

/* Undoes mountinfo's octal escapes in place. */
static void unescape(char *text)
{
    char *to = text;
    for (unsigned code; *text; to++) {
        if (sscanf(text, "\\%3o", &code) == 1) {
            *to = (char)code;
            text += 4;
        } else {
            *to = *text++;
        }
    }
    *to = '\0';
}

/* The device number of the mount, from mountinfo: stat() would need an answer from ourselves. */
static bool find_device(const char *mountpoint, unsigned *out_major, unsigned *out_minor)
{
    CLEANUP(cleanup_fclose) FILE *f = fopen("/proc/self/mountinfo", "re");
    CLEANUP(cleanup_free) char *line = NULL;
    size_t cap = 0;
    bool found = false;
    while (f && getline(&line, &cap, f) > 0) {
        CLEANUP(cleanup_free) char *at = NULL;
        unsigned major, minor;
        if (sscanf(line, "%*u %*u %u:%u %*s %ms", &major, &minor, &at) != 3)
            continue;
        unescape(at);
        if (strcmp(at, mountpoint) != 0)
            continue;
        *out_major = major; /* the last one lies on top */
        *out_minor = minor;
        found = true;
    }
    return found;
}

/* Raises the kernel's own read-ahead for this mount, which FUSE itself can only lower: for root, by
 * the mount's backing device. */
static void set_kernel_read_ahead(const struct ops *ops)
{
    char path[96];
    unsigned major, minor;
    if (!ops->options.read_ahead_kib || !find_device(ops->mountpoint, &major, &minor))
        return;
    snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", major, minor);
    CLEANUP(cleanup_fclose) FILE *f = fopen(path, "we");
    if (!f || fprintf(f, "%d\n", ops->options.read_ahead_kib) < 0)
        log_debug("the kernel's read-ahead stays as it is: %s", strerror(errno));
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
    ops->options = *options;
    ops->mountpoint = strdup(mountpoint);
    int r = ops->mountpoint ? add_options(options, &args) : -ENOMEM;
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
    set_kernel_read_ahead(ops);
    int r = fuse_session_loop_mt(ops->session, config);
    fuse_loop_cfg_destroy(config);
    fuse_remove_signal_handlers(ops->session);
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
    while (ops->files) {
        struct open_file *file = ops->files;
        unlink_file(ops, file);
        free_file(file);
    }
    if (ops->session)
        fuse_session_destroy(ops->session);
    pthread_mutex_destroy(&ops->lock);
    free(ops->mountpoint);
    free(ops);
}

void ops_get_counts(const struct ops *ops, uint64_t out[OPS_N_KINDS])
{
    for (int i = 0; i < OPS_N_KINDS; i++)
        out[i] = atomic_load_explicit(&ops->counts[i], memory_order_relaxed);
}
