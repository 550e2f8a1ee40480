/* SPDX-License-Identifier: Apache-2.0 */
#include "model/relative.h"

#include <stdbool.h>
#include <string.h>

/* Takes the last part off a path that ends with `/` or is empty; false when there is none. */
static bool go_up(struct buf *path)
{
    if (!path->len)
        return false;
    do
        path->len--;
    while (path->len && path->data[path->len - 1] != '/');
    return true;
}

/* Adds a part, with a `/` behind it unless it is the last. */
static int go_down(struct buf *path, const char *part, size_t len, bool is_last)
{
    int r = buf_append(path, part, len);
    return r == 0 && !is_last ? buf_putc(path, '/') : r;
}

int relative_resolve(const char *from, const char *name, struct buf *out)
{
    const char *slash = strrchr(from, '/');
    bool is_file = false;
    int r = buf_append(out, from, slash ? (size_t)(slash - from) + 1 : 0);
    if (*name == '/')
        return 1;
    for (size_t len; r == 0 && *name; name += len + (name[len] == '/')) {
        len = strcspn(name, "/");
        bool stays = len == 0 || (len == 1 && *name == '.');
        bool goes_up = len == 2 && memcmp(name, "..", 2) == 0;
        is_file = !stays && !goes_up && !name[len];
        if (goes_up && !go_up(out))
            return 1;
        if (!stays && !goes_up)
            r = go_down(out, name, len, !name[len]);
    }
    return r < 0 ? r : is_file ? 0 : 1;
}
