/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/tensor_files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "model/npy.h"
#include "util/buf.h"
#include "vfs/views.h"

enum {
    NAME_BYTES = 4096,
    HEADER_BYTES = 64 << 10, /* a mount's have some hundred, and those of .npz up to that */
};

static const char suffix[] = ".npy";

void tensor_files_deinit(struct tensor_files *tensors)
{
    local_files_deinit(&tensors->files);
    json_decref(tensors->by_name);
    tensors->by_name = NULL;
}

/* The attribute; else the file's path without its end. */
static int read_name(const struct tensor_files *tensors, const struct local_file *file,
                     char out[NAME_BYTES])
{
    CLEANUP(cleanup_close) int fd = local_files_open(&tensors->files, file);
    if (fd < 0)
        return fd;
    ssize_t n = fgetxattr(fd, VIEWS_XATTR_PREFIX "tensor", out, NAME_BYTES - 1);
    if (n > 0) {
        out[n] = '\0';
        return 0;
    }
    size_t len = strlen(file->path), cut = strlen(suffix);
    if (len > cut && strcmp(file->path + len - cut, suffix) == 0)
        len -= cut;
    if (len >= NAME_BYTES)
        return -ENAMETOOLONG;
    memcpy(out, file->path, len);
    out[len] = '\0';
    return 0;
}

/* Names are compared with those in JSON, which have U+FFFD for what is no character. */
static int add(struct tensor_files *tensors, size_t i)
{
    char name[NAME_BYTES];
    int r = read_name(tensors, &tensors->files.items[i], name);
    if (r < 0)
        return r;
    JSON_CLEANUP json_t *mended = json_new_text(name);
    json_t *index = json_integer((json_int_t)i);
    if (mended)
        return json_object_set_new(tensors->by_name, json_string_value(mended), index) < 0 ? -ENOMEM
                                                                                           : 0;
    json_decref(index);
    return -ENOMEM;
}

int tensor_files_scan(const char *dir, struct tensor_files *out)
{
    struct buf path BUF_CLEANUP = {0};
    CLEANUP(cleanup_free) char *where = NULL;
    int r = buf_printf(&path, "%s/.modelfs/tensors", dir);
    if (r == 0)
        r = local_files_scan(path.data, NULL, NULL, &out->files, &where);
    if (r < 0)
        return r;
    out->by_name = json_object();
    r = out->by_name ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < out->files.n; i++)
        r = add(out, i);
    return r;
}

/* Finds where the elements begin. */
static int read_header(int fd, struct tensor_file *out)
{
    CLEANUP(cleanup_free) uint8_t *head = malloc(HEADER_BYTES);
    struct npy_header header;
    ssize_t n = head ? pread(fd, head, HEADER_BYTES, 0) : -1;
    if (n < 0)
        return head ? -errno : -ENOMEM;
    if (npy_parse_header(head, (size_t)n, &header) < 0)
        return -EINVAL;
    out->data_off = header.n_bytes;
    out->is_big_endian = header.is_big_endian;
    return 0;
}

int tensor_files_open(const struct tensor_files *tensors, const char *name, struct tensor_file *out)
{
    struct stat st;
    const json_t *index = json_object_get(tensors->by_name, name);
    if (!index)
        return -ENOENT;
    size_t i = (size_t)json_integer_value(index);
    CLEANUP(cleanup_close) int fd = local_files_open(&tensors->files, &tensors->files.items[i]);
    if (fd < 0)
        return fd;
    int r = fstat(fd, &st) < 0 ? -errno : read_header(fd, out);
    if (r < 0)
        return r;
    if (out->data_off > (uint64_t)st.st_size)
        return -EINVAL;
    out->data_bytes = (uint64_t)st.st_size - out->data_off;
    out->fd = steal_fd(&fd);
    return 0;
}
