/* SPDX-License-Identifier: Apache-2.0 */
/* Drives one parser over bytes in memory as an inquiry would, and looks at what came of it. */
#pragma once

#include <errno.h>
#include <stdint.h>

#include "check.h"
#include "model/contents.h"
#include "model/inquiry.h"
#include "util/buf.h"
#include "util/json.h"

DEFINE_CLEANUP(FILE *, probe_fclose, fclose)

/* A file of the corpus; empty when it cannot be read, which is said. */
static inline int probe_read(struct buf *out, const char *path)
{
    FILE *file CLEANUP(probe_fclose) = fopen(path, "rb");
    char block[4096];
    size_t n = 0;
    while (file && (n = fread(block, 1, sizeof(block), file)) > 0)
        if (buf_append(out, block, n) < 0)
            return -ENOMEM;
    CHECK(file && out->len);
    return 0;
}

struct probe {
    struct contents_file file;
    struct contents contents;
    int n_rounds; /* of the last run */
};

static inline void probe_init(struct probe *probe, const char *path)
{
    *probe = (struct probe){.file.path = path};
    contents_init(&probe->contents, &probe->file, 1);
}

static inline void probe_deinit(struct probe *probe)
{
    contents_deinit(&probe->contents);
}
#define PROBE_CLEANUP CLEANUP(probe_deinit)

/* Bytes at @offset of a file that is @size long, of which only @data is something. */
static inline int probe_give(struct inquiry_file *file, const char *data, size_t len)
{
    const struct glimpse *glimpse = &file->glimpse;
    uint8_t *copy = calloc(1, glimpse->want_len);
    if (!copy)
        return -ENOMEM;
    if (glimpse->want_offset < len) {
        size_t left = len - glimpse->want_offset;
        memcpy(copy, data + glimpse->want_offset,
               left < glimpse->want_len ? left : glimpse->want_len);
    }
    return inquiry_give(file, copy, glimpse->want_len);
}

/* Parses a file of @size bytes that begins with @data and ends with NULs: its result. */
static inline int probe_parse_sparse(struct probe *probe, inquiry_parse_fn *parse, const char *data,
                                     size_t len, uint64_t size)
{
    struct inquiry inquiry;
    inquiry_init(&inquiry, &probe->contents);
    probe->file.size_bytes = size;
    probe->n_rounds = 0;
    int r = inquiry_add(&inquiry, 0, size, parse);
    while (r == 0 && (r = inquiry_step(&inquiry)) == -EAGAIN) {
        probe->n_rounds++;
        r = probe_give(inquiry.files[0], data, len);
    }
    if (r == 0)
        r = inquiry.files[0]->result;
    inquiry_deinit(&inquiry);
    return r;
}

static inline int probe_parse(struct probe *probe, inquiry_parse_fn *parse, const struct buf *data)
{
    return probe_parse_sparse(probe, parse, data->data, data->len, data->len);
}

/* All tensors on a line each: `name dtype [shape] offset+bytes`, `F` behind the shape of Fortran's
 * order, `>` before the type of the other byte order, `-` for no type, `*` for no window, `/npy` at
 * the end. */
static inline void probe_describe(const struct contents *contents, struct buf *out)
{
    int r = buf_puts(out, "");
    for (size_t i = 0; i < contents->n_tensors; i++) {
        const struct tensor *t = &contents->tensors[i];
        r |= buf_printf(out, "%s %s%s [", t->name, t->is_big_endian ? ">" : "",
                        t->dtype ? t->dtype->name : "-");
        for (uint32_t k = 0; k < t->n_dims; k++)
            r |= buf_printf(out, k ? ",%llu" : "%llu", (unsigned long long)t->shape[k]);
        r |= buf_puts(out, t->is_fortran ? "]F " : "] ");
        if (t->offset == TENSOR_SCATTERED)
            r |= buf_puts(out, "*");
        else
            r |= buf_printf(out, "%llu", (unsigned long long)t->offset);
        r |= buf_printf(out, "+%llu", (unsigned long long)t->n_bytes);
        r |= t->npy_bytes ? buf_printf(out, "/%u\n", t->npy_bytes) : buf_puts(out, "\n");
    }
    CHECK_EQ(r, 0);
}

/* What was told or missed, as compact JSON with sorted keys; `null` for nothing. */
static inline void probe_json(const json_t *json, struct buf *out)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    CHECK_EQ(buf_puts(out, text ? text : "null"), 0);
    free(text);
}

static inline void probe_check(const struct probe *probe, const char *tensors, const char *metadata,
                               const char *missing)
{
    BUF_CLEANUP struct buf t = {0}, m = {0}, l = {0};
    probe_describe(&probe->contents, &t);
    probe_json(probe->contents.metadata, &m);
    probe_json(probe->contents.missing, &l);
    CHECK_STR(t.data, tensors);
    CHECK_STR(m.data, metadata);
    CHECK_STR(l.data, missing);
}

/* Parses @path: its result, and what came of it. */
static inline void probe_corpus(inquiry_parse_fn *parse, const char *path, int result,
                                const char *tensors, const char *metadata, const char *missing)
{
    PROBE_CLEANUP struct probe probe;
    BUF_CLEANUP struct buf data = {0};
    probe_init(&probe, strrchr(path, '/') + 1);
    probe_read(&data, path);
    CHECK_EQ(probe_parse(&probe, parse, &data), result);
    probe_check(&probe, tensors, metadata, missing);
}

/* Every prefix of @data is refused or found too short, and no byte of it turned over makes the
 * parser fall. */
static inline void probe_damage(inquiry_parse_fn *parse, const struct buf *data)
{
    for (size_t len = 0; len < data->len; len++) {
        PROBE_CLEANUP struct probe probe;
        probe_init(&probe, "x");
        int r = probe_parse_sparse(&probe, parse, data->data, len, len);
        CHECK(r == -EBADMSG || (r == 0 && json_array_size(probe.contents.missing) == 1));
        CHECK_EQ(probe.contents.n_tensors, 0);
    }
    for (size_t i = 0; i < 8 * data->len; i++) {
        PROBE_CLEANUP struct probe probe;
        probe_init(&probe, "x");
        data->data[i / 8] ^= (char)(1 << i % 8);
        int r = probe_parse(&probe, parse, data);
        data->data[i / 8] ^= (char)(1 << i % 8);
        CHECK(r == 0 || r == -EBADMSG || r == -EFBIG);
        CHECK(r == 0 || probe.contents.n_tensors == 0);
    }
}
