/* SPDX-License-Identifier: Apache-2.0 */
/* A .part may be gone on with when it is of the same version: with a digest that is found out in
 * the end, and a wrong one is begun anew, once. Without a digest it is the version's time that
 * tells: a .part that is left gets it, as the finished file does. A process that was killed leaves
 * the time of its last write, and such a .part is begun anew. */
#include "cmd/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/dest.h"
#include "cmd/file_digest.h"
#include "util/buf.h"
#include "vfs/names.h"

DEFINE_CLEANUP(struct digest_stream *, cleanup_digest, digest_stream_free)

/* A copy of one file under way. */
struct part {
    struct copy *copy;
    const struct supply_item *item;
    int parent;       /* the directory, owned */
    const char *name; /* in it */
    struct buf part_name;
    int fd; /* of the .part, owned */
    uint64_t off;
    uint64_t before_bytes; /* of the progress */
};

static void part_deinit(struct part *p)
{
    buf_deinit(&p->part_name);
    cleanup_close(&p->fd);
    cleanup_close(&p->parent);
}

static int64_t mtime_ns_of(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static int set_time(int fd, int64_t mtime_ns)
{
    int64_t seconds = mtime_ns / 1000000000, rest = mtime_ns % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        seconds--;
    }
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = (time_t)seconds, .tv_nsec = (long)rest}};
    return !mtime_ns || futimens(fd, times) == 0 ? 0 : -errno;
}

/* Whether the file at its own name is this very version: 1, 0 or -errno. */
static int is_there(const struct part *p)
{
    const struct supply_item *item = p->item;
    struct digest digest;
    struct stat st;
    CLEANUP(cleanup_close)
    int fd = openat(p->parent, p->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    bool same_time = !item->mtime_ns || mtime_ns_of(&st) == item->mtime_ns;
    if ((uint64_t)st.st_size != item->size_bytes)
        return 0;
    if (!item->has_digest)
        return same_time && item->mtime_ns;
    int r = file_digest(fd, item->size_bytes, &digest);
    if (r < 0 || !digest_equal(&digest, &item->digest))
        return r == -EINTR ? r : 0;
    if (!same_time)
        set_time(fd, item->mtime_ns);
    return 1;
}

/* A name that no other file of the supply has, as an entry of the directory. */
static int choose_part_name(struct part *p)
{
    static const char *const suffixes[] = {".part", ".modelfs-part"};
    struct buf other BUF_CLEANUP = {0}, name BUF_CLEANUP = {0};
    int r = buf_printf(&other, "%s%s", p->item->path, suffixes[0]);
    if (r < 0)
        return r;
    r = buf_printf(&name, "%s%s", p->name, suffixes[supply_has(p->copy->supply, other.data)]);
    return r < 0 ? r : name_to_entry(name.data, &p->part_name);
}

/* Whether the locked file still stands at the name that it was opened by: another copy may have
 * finished it in between, and then it is not ours to write to. */
static bool is_current(const struct part *p, const struct stat *st)
{
    struct stat named;
    return fstatat(p->parent, p->part_name.data, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           named.st_ino == st->st_ino && named.st_dev == st->st_dev;
}

/* Opens the .part for us alone. */
static int lock_part(struct part *p, struct stat *out_st)
{
    p->fd = openat(p->parent, p->part_name.data,
                   O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (p->fd < 0)
        return -errno;
    if (flock(p->fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    if (fstat(p->fd, out_st) < 0)
        return -errno;
    if (!is_current(p, out_st))
        return -EBUSY;
    return S_ISREG(out_st->st_mode) && out_st->st_nlink == 1 ? 0 : -EEXIST; /* not made by us */
}

/* Opens the .part and finds where to go on. */
static int open_part(struct part *p)
{
    const struct supply_item *item = p->item;
    struct stat st;
    int r = lock_part(p, &st);
    if (r < 0)
        return r;
    bool same_time = item->mtime_ns && mtime_ns_of(&st) == item->mtime_ns;
    p->off = (uint64_t)st.st_size;
    if (p->off <= item->size_bytes && (item->has_digest || same_time))
        return 0;
    p->off = 0;
    return ftruncate(p->fd, 0) == 0 ? 0 : -errno;
}

static int write_all(struct part *p, const char *data, size_t len)
{
    while (len) {
        ssize_t n = pwrite(p->fd, data, len, (off_t)p->off);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
            p->off += (uint64_t)n;
        }
    }
    return 0;
}

/* Copies what is left; @digest (may be NULL) is fed as well. */
static int pump(struct part *p, struct supply_stream *stream, struct digest_stream *digest)
{
    struct copy *copy = p->copy;
    while (p->off < p->item->size_bytes) {
        const void *data;
        copy->at_source = true;
        ssize_t n = copy->supply->ops->next(stream, &data);
        if (n <= 0)
            return n < 0 ? (int)n : -ESTALE;
        copy->at_source = false;
        int r = write_all(p, data, (size_t)n);
        if (r < 0)
            return r;
        if (digest)
            digest_stream_update(digest, data, (size_t)n);
        progress_set(copy->progress, p->before_bytes + p->off);
    }
    return 0;
}

static int pump_rest(struct part *p, struct digest_stream *digest)
{
    struct supply_stream *stream = NULL;
    const struct supply *supply = p->copy->supply;
    p->copy->at_source = true;
    int r = supply->ops->open(supply->self, p->item, p->off, &stream);
    if (r < 0)
        return r;
    r = pump(p, stream, digest);
    supply->ops->close(stream);
    return r;
}

/* From p->off to the end, and is it the right content? */
static int fill_part(struct part *p)
{
    struct digest got;
    CLEANUP(cleanup_digest) struct digest_stream *digest = NULL;
    if (p->item->has_digest) {
        digest = digest_stream_new();
        int r = digest ? file_digest_feed(digest, p->fd, p->off) : -ENOMEM;
        if (r < 0)
            return r;
    }
    p->copy->progress->skipped_bytes += p->off;
    int r = pump_rest(p, digest);
    if (r < 0 || !digest)
        return r;
    p->copy->at_source = true;
    digest_stream_final(digest, &got);
    return digest_equal(&got, &p->item->digest) ? 0 : -EBADMSG;
}

/* What was there before may have been of another version: then once more from the start. */
static int fill_and_check(struct part *p)
{
    bool was_begun = p->off > 0;
    int r = fill_part(p);
    if (r != -EBADMSG || !was_begun)
        return r;
    p->off = 0;
    return ftruncate(p->fd, 0) == 0 ? fill_part(p) : -errno;
}

static int finish(struct part *p)
{
    p->copy->at_source = false;
    int r = set_time(p->fd, p->item->mtime_ns);
    if (r == 0 && renameat(p->parent, p->part_name.data, p->parent, p->name) < 0)
        r = -errno;
    progress_set(p->copy->progress, p->before_bytes + p->item->size_bytes);
    return r;
}

/* Leaves the .part fit to go on with, or takes it away. */
static void give_up(const struct part *p, int err)
{
    if (err == -EBADMSG || err == -ESTALE || !p->off)
        unlinkat(p->parent, p->part_name.data, 0);
    else
        set_time(p->fd, p->item->mtime_ns);
}

static int copy_part(struct part *p)
{
    int r = choose_part_name(p);
    if (r == 0)
        r = open_part(p);
    if (r < 0)
        return r;
    r = fill_and_check(p);
    if (r == 0)
        r = finish(p);
    if (r < 0)
        give_up(p, r);
    return r;
}

int copy_file(struct copy *copy, const struct supply_item *item)
{
    CLEANUP(part_deinit)
    struct part p = {.copy = copy,
                     .item = item,
                     .parent = -1,
                     .fd = -1,
                     .before_bytes = copy->progress->done_bytes};
    copy->at_source = false;
    progress_name(copy->progress, item->path);
    p.parent = dest_open_parent(copy->dest_fd, item->path, &p.name);
    int r = p.parent < 0 ? p.parent : is_there(&p);
    if (r == 0)
        return copy_part(&p);
    if (r < 0)
        return r;
    progress_skip(copy->progress, item->size_bytes);
    return COPY_WAS_THERE;
}
