/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/json.h"
#include "util/log.h"

enum { MAX_FILE_BYTES = 65536 };

static int read_small(int fd, struct buf *out)
{
    int r = buf_reserve(out, MAX_FILE_BYTES);
    if (r < 0)
        return r;
    ssize_t n = read(fd, out->data, MAX_FILE_BYTES);
    if (n < 0)
        return -errno;
    out->len = (size_t)n;
    out->data[out->len] = '\0';
    return 0;
}

static int copy_key(const char *text, size_t len, char **out)
{
    while (len && strchr(" \t\r\n", text[len - 1]))
        len--;
    if (len)
        *out = strndup(text, len);
    return len && !*out ? -ENOMEM : 0;
}

static int key_from_file(const char *path, char **out)
{
    struct buf text BUF_CLEANUP = {0};
    struct stat st;
    CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        int err = errno;
        log_error("cannot read the key file %s: %s", path, strerror(err));
        return -err;
    }
    if (st.st_mode & 077) {
        log_error("the key file %s can be read by others: run `chmod 600 %s`", path, path);
        return -EPERM;
    }
    int r = read_small(fd, &text);
    return r < 0 ? r : copy_key(text.data, text.len, out);
}

/* The client's own file; that it is missing or odd is no error, since nobody named it. */
static int key_from_client(char **out)
{
    struct buf path BUF_CLEANUP = {0}, text BUF_CLEANUP = {0};
    const char *home = getenv("HOME");
    int r = buf_printf(&path, "%s/.paperspace/config.json", home ? home : "/root");
    if (r < 0)
        return r;
    CLEANUP(cleanup_close) int fd = open(path.data, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read_small(fd, &text) < 0)
        return 0;
    JSON_CLEANUP json_t *config = json_parse(text.data, text.len, NULL);
    const char *key = json_get_text(config, "apiKey");
    return key ? copy_key(key, strlen(key), out) : 0;
}

int credentials_api_key(char **out)
{
    static const char *const variables[] = {"MODELFS_API_KEY", "PAPERSPACE_API_KEY"};
    *out = NULL;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *value = getenv(variables[i]);
        if (value && *value)
            return copy_key(value, strlen(value), out);
    }
    const char *file = getenv("MODELFS_API_KEY_FILE");
    return file && *file ? key_from_file(file, out) : key_from_client(out);
}
