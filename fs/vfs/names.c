/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/names.h"

#include <ctype.h>
#include <string.h>
#include <xxhash.h>

static bool is_reserved(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".modelfs") == 0;
}

static bool must_escape(const char *name, size_t i, bool reserved)
{
    unsigned char c = (unsigned char)name[i];
    if (c == '%')
        return (isxdigit((unsigned char)name[i + 1]) && isxdigit((unsigned char)name[i + 2])) ||
               name[1] == '\0';
    return c < 0x20 || c == 0x7f || c == '/' || (reserved && c == '.');
}

/* How many bytes before text[at] its UTF-8 character begins: 0 where there is none. */
static size_t bytes_into_character(const char *text, size_t at)
{
    enum { MORE_BYTES_MAX = 3 };
    size_t back = 0;
    while (back <= MORE_BYTES_MAX && ((unsigned char)text[at - back] & 0xc0) == 0x80)
        back++;
    return back <= MORE_BYTES_MAX ? back : 0;
}

/* Cuts @out, which holds an entry from @start on, to what a directory can hold. */
static int shorten(struct buf *out, size_t start, const char *name)
{
    if (out->len - start <= NAME_MAX_BYTES)
        return 0;
    unsigned long long hash = XXH3_64bits(name, strlen(name));
    size_t keep = start + NAME_MAX_BYTES - 17;
    out->len = keep - bytes_into_character(out->data, keep);
    return buf_printf(out, "~%016llx", hash);
}

bool name_is_entry(const char *name)
{
    size_t i = 0;
    if (is_reserved(name))
        return false;
    while (name[i] && i <= NAME_MAX_BYTES && !must_escape(name, i, false))
        i++;
    return i > 0 && i <= NAME_MAX_BYTES && !name[i];
}

int name_to_entry(const char *name, struct buf *out)
{
    size_t start = out->len;
    bool reserved = is_reserved(name);
    int r = *name ? 0 : buf_putc(out, '%');
    for (size_t i = 0; r == 0 && name[i]; i++) {
        if (must_escape(name, i, reserved))
            r = buf_printf(out, "%%%02X", (unsigned char)name[i]);
        else
            r = buf_putc(out, name[i]);
    }
    return r < 0 ? r : shorten(out, start, name);
}

int name_twin(const char *entry, const char *id, struct buf *out)
{
    BUF_CLEANUP struct buf whole = {0};
    size_t start = out->len;
    int r = buf_printf(&whole, "%s~", entry);
    if (r == 0)
        r = name_to_entry(id, &whole);
    if (r == 0)
        r = buf_append(out, whole.data, whole.len);
    return r < 0 ? r : shorten(out, start, whole.data);
}
