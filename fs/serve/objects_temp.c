/* SPDX-License-Identifier: Apache-2.0 */
/* Content on its way in. Written pages are pushed to the disk while more arrive, so that the fsync
 * at the end of a large upload finds little left to do. */
#include "serve/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "serve/objects_state.h"

enum {
    COPY_BYTES = 1 << 18,
    FLUSH_BYTES = 16 << 20, /* large enough for the disk, small enough to begin early */
};

static int open_temp_file(struct objects_temp *temp)
{
    uint64_t random[2];
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return -EIO;
    snprintf(temp->name, sizeof(temp->name), "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    temp->fd =
        openat(temp->objects->temp_fd, temp->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return temp->fd < 0 ? -errno : 0;
}

int objects_temp_new(struct objects *objects, struct objects_temp **out)
{
    struct objects_temp *temp CLEANUP(cleanup_objects_temp) = calloc(1, sizeof(*temp));
    if (!temp)
        return -ENOMEM;
    temp->objects = objects;
    temp->fd = -1;
    temp->digest = digest_stream_new();
    int r = temp->digest ? open_temp_file(temp) : -ENOMEM;
    if (r < 0)
        return r;
    *out = steal_ptr(temp);
    return 0;
}

void objects_temp_free(struct objects_temp *temp)
{
    if (!temp)
        return;
    if (temp->fd >= 0 && !temp->installed)
        unlinkat(temp->objects->temp_fd, temp->name, 0);
    cleanup_close(&temp->fd);
    digest_stream_free(temp->digest);
    free(temp);
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int objects_temp_write(struct objects_temp *temp, const void *data, size_t len)
{
    int r = write_all(temp->fd, data, len);
    if (r < 0)
        return r;
    digest_stream_update(temp->digest, data, len);
    temp->size_bytes += len;
    uint64_t waiting = temp->size_bytes - temp->flushed_bytes;
    if (waiting >= FLUSH_BYTES) { /* a hint: fsync decides later whether all went well */
        sync_file_range(temp->fd, (off_t)temp->flushed_bytes, (off_t)waiting,
                        SYNC_FILE_RANGE_WRITE);
        temp->flushed_bytes = temp->size_bytes;
    }
    return 0;
}

/* Appends all that stands in @from to @temp. */
static int copy_from(struct objects_temp *temp, int from)
{
    char *piece CLEANUP(cleanup_free) = malloc(COPY_BYTES);
    if (!piece)
        return -ENOMEM;
    for (off_t off = 0;;) {
        ssize_t n = pread(from, piece, COPY_BYTES, off);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        int r = objects_temp_write(temp, piece, (size_t)n);
        if (r < 0)
            return r;
        off += n;
    }
}

int objects_temp_prepend(struct objects_temp *temp, const void *data, size_t len)
{
    struct objects_temp *whole CLEANUP(cleanup_objects_temp) = NULL;
    int r = objects_temp_new(temp->objects, &whole);
    if (r == 0)
        r = objects_temp_write(whole, data, len);
    if (r == 0)
        r = copy_from(whole, temp->fd);
    if (r < 0)
        return r;
    struct objects_temp old = *temp;
    *temp = *whole;
    *whole = old;
    return 0;
}

int objects_temp_finish(struct objects_temp *temp, struct digest *out, uint64_t *out_size_bytes)
{
    if (fsync(temp->fd) < 0)
        return -errno;
    digest_stream_final(temp->digest, out);
    *out_size_bytes = temp->size_bytes;
    return 0;
}
