/* SPDX-License-Identifier: Apache-2.0 */
/* An archive ends with the end record, which a comment may follow. Before it stand, in a ZIP64
 * archive, a locator of fixed size and the ZIP64 end record; before those the central directory. So
 * the directory's place is known from its end and its size, and the offset that is said of it shows
 * how many bytes were put before the archive. */
#include "model/zip.h"

#include <errno.h>
#include <string.h>

#include "util/bytes.h"
#include "util/minmax.h"

enum {
    END_BYTES = 22,
    MAX_COMMENT_BYTES = 65535,
    LOCATOR_BYTES = 20,
    END64_BYTES = 56,
    ENTRY_BYTES = 46,
    LOCAL_BYTES = 30,
    EXTRA_ZIP64 = 1,
    FLAG_ENCRYPTED = 1,
    /* The first round trip: all of a small archive, and the directory of most others. */
    WHOLE_BYTES = 1 << 20,
    TAIL_BYTES = 128 << 10,
};
#define END_MAGIC     "PK\5\6"
#define LOCATOR_MAGIC "PK\6\7"
#define END64_MAGIC   "PK\6\6"
#define ENTRY_MAGIC   "PK\1\2"
#define LOCAL_MAGIC   "PK\3\4"

static bool is(const uint8_t *at, const char *magic)
{
    return memcmp(at, magic, 4) == 0;
}

/* The last end record whose comment is not cut off. */
static int find_end(struct glimpse *glimpse, uint64_t *out)
{
    uint64_t size = glimpse->size_bytes;
    if (size < END_BYTES)
        return -EBADMSG;
    uint64_t tail = min_u64(size, size <= WHOLE_BYTES ? WHOLE_BYTES : TAIL_BYTES);
    const uint8_t *data = glimpse_at(glimpse, size - tail, tail);
    if (!data)
        return glimpse_error(glimpse);
    uint64_t last = tail - END_BYTES;
    for (uint64_t behind = 0; behind <= min_u64(last, MAX_COMMENT_BYTES); behind++) {
        const uint8_t *at = data + (last - behind);
        if (is(at, END_MAGIC) && bytes_le(at + 20, 2) <= behind) {
            *out = size - END_BYTES - behind;
            return 0;
        }
    }
    return -EBADMSG;
}

/* The directory ends at @end, and is said to be @len bytes at @offset. */
static int set_directory(struct zip *zip, uint64_t end, uint64_t len, uint64_t offset)
{
    if (len > end || offset > end - len)
        return -EBADMSG;
    zip->at = zip->directory = end - len;
    zip->end = end;
    zip->before = zip->directory - offset;
    return 0;
}

/* With the end record at @end: 1 when a ZIP64 end record stands before it. */
static int open_zip64(struct zip *zip, uint64_t end)
{
    const uint64_t n = LOCATOR_BYTES + END64_BYTES;
    if (end < n)
        return 0;
    const uint8_t *data = glimpse_at(zip->glimpse, end - n, n);
    if (!data)
        return glimpse_error(zip->glimpse);
    if (!is(data + END64_BYTES, LOCATOR_MAGIC))
        return 0;
    if (!is(data, END64_MAGIC) || bytes_le(data + 16, 4) != 0 || bytes_le(data + 20, 4) != 0)
        return -EBADMSG;
    int r = set_directory(zip, end - n, bytes_le(data + 40, 8), bytes_le(data + 48, 8));
    return r < 0 ? r : 1;
}

int zip_open(struct zip *zip, struct glimpse *glimpse)
{
    uint64_t end = 0;
    *zip = (struct zip){.glimpse = glimpse};
    int r = find_end(glimpse, &end);
    if (r == 0)
        r = open_zip64(zip, end);
    if (r != 0)
        return r < 0 ? r : 0;
    const uint8_t *record = glimpse_at(glimpse, end, END_BYTES);
    if (!record)
        return glimpse_error(glimpse);
    if (bytes_le(record + 4, 2) != 0 || bytes_le(record + 6, 2) != 0)
        return -EBADMSG;
    return set_directory(zip, end, bytes_le(record + 12, 4), bytes_le(record + 16, 4));
}

/* The numbers that do not fit their field stand in an extra field, in this order. */
static int read_zip64(const uint8_t *extra, size_t len, struct zip_entry *entry)
{
    uint64_t *const numbers[] = {&entry->size_bytes, &entry->packed_bytes, &entry->header_offset};
    while (len >= 4) {
        size_t n = bytes_le(extra + 2, 2);
        bool is_zip64 = bytes_le(extra, 2) == EXTRA_ZIP64;
        extra += 4;
        len -= 4;
        if (n > len)
            return -EBADMSG;
        for (size_t i = 0; is_zip64 && i < 3; i++) {
            if (*numbers[i] != UINT32_MAX)
                continue;
            if (n < 8)
                return -EBADMSG;
            *numbers[i] = bytes_le(extra, 8);
            extra += 8;
            len -= 8;
            n -= 8;
        }
        if (is_zip64)
            return 0;
        extra += n;
        len -= n;
    }
    return 0;
}

static int read_entry(const struct zip *zip, const uint8_t *data, struct zip_entry *out)
{
    size_t name_len = bytes_le(data + 28, 2), extra_len = bytes_le(data + 30, 2);
    *out = (struct zip_entry){
        .name = (const char *)data + ENTRY_BYTES,
        .name_len = name_len,
        .packed_bytes = bytes_le(data + 20, 4),
        .size_bytes = bytes_le(data + 24, 4),
        .header_offset = bytes_le(data + 42, 4),
    };
    int r = read_zip64(data + ENTRY_BYTES + name_len, extra_len, out);
    if (r < 0 || out->header_offset > zip->directory - zip->before)
        return -EBADMSG;
    out->header_offset += zip->before;
    out->is_stored = bytes_le(data + 10, 2) == 0 && !(data[8] & FLAG_ENCRYPTED) &&
                     out->packed_bytes == out->size_bytes;
    return 1;
}

int zip_next(struct zip *zip, struct zip_entry *out)
{
    uint64_t left = zip->end - zip->at;
    if (left == 0)
        return 0;
    if (left < ENTRY_BYTES)
        return -EBADMSG;
    const uint8_t *data = glimpse_ask(zip->glimpse, zip->at, ENTRY_BYTES, left);
    if (!data)
        return glimpse_error(zip->glimpse);
    uint64_t n =
        ENTRY_BYTES + bytes_le(data + 28, 2) + bytes_le(data + 30, 2) + bytes_le(data + 32, 2);
    if (!is(data, ENTRY_MAGIC) || n > left)
        return -EBADMSG;
    data = glimpse_ask(zip->glimpse, zip->at, n, left);
    if (!data)
        return glimpse_error(zip->glimpse);
    zip->at += n;
    return read_entry(zip, data, out);
}

int zip_find_data(struct zip *zip, const struct zip_entry *entry, uint64_t guess, uint64_t *out)
{
    uint64_t left = zip->directory - entry->header_offset;
    uint64_t n = LOCAL_BYTES + entry->name_len;
    if (n > left)
        return -EBADMSG;
    const uint8_t *data = glimpse_ask(zip->glimpse, entry->header_offset, n, guess);
    if (!data)
        return glimpse_error(zip->glimpse);
    if (!is(data, LOCAL_MAGIC) || bytes_le(data + 26, 2) != entry->name_len ||
        memcmp(data + LOCAL_BYTES, entry->name, entry->name_len) != 0)
        return -EBADMSG;
    n += bytes_le(data + 28, 2);
    if (n > left || entry->packed_bytes > left - n)
        return -EBADMSG;
    *out = entry->header_offset + n;
    return 0;
}
