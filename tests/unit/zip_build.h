/* SPDX-License-Identifier: Apache-2.0 */
/* Makes ZIP archives, also ones that make no sense. */
#pragma once

#include "check.h"
#include "util/buf.h"

enum { ZIP_BUILD_MAX = 600 };

struct zip_member {
    const char *name;
    const char *content;
    size_t len;
    uint16_t method, flags;
    uint16_t local_extra; /* so many bytes of it */
    bool is_zip64;        /* sizes and offset stand in the extra field */
    uint32_t shift;       /* what is added to the offset */
};

struct zip_build {
    struct buf out;
    struct zip_member members[ZIP_BUILD_MAX];
    uint64_t offsets[ZIP_BUILD_MAX];
    size_t n;
    uint64_t before, directory; /* where the archive and its directory begin */
};

static inline void zip_build_deinit(struct zip_build *zip)
{
    buf_deinit(&zip->out);
}
#define ZIP_BUILD_CLEANUP CLEANUP(zip_build_deinit)

/* @n bytes, the least first, as the machines have it that tests run on. */
static inline void zip_put(struct zip_build *zip, uint64_t value, size_t n)
{
    CHECK_EQ(buf_append(&zip->out, &value, n), 0);
}

static inline void zip_put_bytes(struct zip_build *zip, const char *data, size_t len)
{
    CHECK_EQ(buf_append(&zip->out, data, len), 0);
}

static inline void zip_add(struct zip_build *zip, struct zip_member member)
{
    static const char zeroes[256];
    zip->offsets[zip->n] = zip->out.len - zip->before;
    zip->members[zip->n++] = member;
    zip_put_bytes(zip, "PK\3\4", 4);
    zip_put(zip, 20, 2);
    zip_put(zip, member.flags, 2);
    zip_put(zip, member.method, 2);
    zip_put(zip, 0, 8); /* time, date, checksum */
    zip_put(zip, member.len, 4);
    zip_put(zip, member.len, 4);
    zip_put(zip, strlen(member.name), 2);
    zip_put(zip, member.local_extra, 2);
    zip_put_bytes(zip, member.name, strlen(member.name));
    zip_put_bytes(zip, zeroes, member.local_extra);
    zip_put_bytes(zip, member.content, member.len);
}

static inline void zip_put_entry(struct zip_build *zip, size_t i)
{
    const struct zip_member *member = &zip->members[i];
    uint64_t offset = zip->offsets[i] + member->shift;
    zip_put_bytes(zip, "PK\1\2", 4);
    zip_put(zip, 20, 2);
    zip_put(zip, 20, 2);
    zip_put(zip, member->flags, 2);
    zip_put(zip, member->method, 2);
    zip_put(zip, 0, 8);
    zip_put(zip, member->is_zip64 ? UINT32_MAX : member->len, 4);
    zip_put(zip, member->is_zip64 ? UINT32_MAX : member->len, 4);
    zip_put(zip, strlen(member->name), 2);
    zip_put(zip, member->is_zip64 ? 6 + 4 + 24 : 0, 2);
    zip_put(zip, 1, 2); /* a comment */
    zip_put(zip, 0, 8);
    zip_put(zip, member->is_zip64 ? UINT32_MAX : offset, 4);
    zip_put_bytes(zip, member->name, strlen(member->name));
    if (member->is_zip64) {
        zip_put_bytes(zip, "\7\0\2\0xx\1\0\x18\0", 10); /* behind a field that nobody knows */
        zip_put(zip, member->len, 8);
        zip_put(zip, member->len, 8);
        zip_put(zip, offset, 8);
    }
    zip_put_bytes(zip, "#", 1);
}

static inline void zip_put_directory(struct zip_build *zip)
{
    zip->directory = zip->out.len;
    for (size_t i = 0; i < zip->n; i++)
        zip_put_entry(zip, i);
}

static inline void zip_put_end64(struct zip_build *zip)
{
    uint64_t end = zip->out.len;
    zip_put_bytes(zip, "PK\6\6", 4);
    zip_put(zip, 44, 8);
    zip_put(zip, 0, 4); /* versions */
    zip_put(zip, 0, 8); /* parts */
    zip_put(zip, zip->n, 8);
    zip_put(zip, zip->n, 8);
    zip_put(zip, end - zip->directory, 8);
    zip_put(zip, zip->directory - zip->before, 8);
    zip_put_bytes(zip, "PK\6\7", 4);
    zip_put(zip, 0, 4);
    zip_put(zip, end - zip->before, 8);
    zip_put(zip, 1, 4);
}

/* @len and @offset are what is said of the directory. */
static inline void zip_put_end(struct zip_build *zip, uint64_t len, uint64_t offset,
                               const char *comment)
{
    zip_put_bytes(zip, "PK\5\6", 4);
    zip_put(zip, 0, 4);
    zip_put(zip, zip->n, 2);
    zip_put(zip, zip->n, 2);
    zip_put(zip, len, 4);
    zip_put(zip, offset, 4);
    zip_put(zip, strlen(comment), 2);
    zip_put_bytes(zip, comment, strlen(comment));
}

static inline void zip_finish(struct zip_build *zip)
{
    zip_put_directory(zip);
    zip_put_end(zip, zip->out.len - zip->directory, zip->directory - zip->before, "");
}
