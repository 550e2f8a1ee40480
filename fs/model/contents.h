/* SPDX-License-Identifier: Apache-2.0 */
/* What a checkpoint's files hold: tensors, each a run of bytes in a file, and facts. Filled by the
 * parsers of model formats, each of which adds to it all at once or nothing. Pure; not thread-safe.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/dtype.h"
#include "util/arena.h"

enum {
    TENSOR_MAX_DIMS = 32, /* what NumPy before 2.0 takes */
    TENSOR_MAX_NAME_BYTES = 4096,
    CONTENTS_MAX_TENSORS = 1 << 22,
    CONTENTS_MAX_MISSING = 1000,
};

/* Its bytes do not lie in one run: they are compressed, in slices, or texts. It is told of, and has
 * no window. */
#define TENSOR_SCATTERED UINT64_MAX
#define CONTENTS_NO_FILE UINT32_MAX

struct tensor {
    const char *name;          /* any bytes but NUL, at most TENSOR_MAX_NAME_BYTES */
    const struct dtype *dtype; /* NULL: a type that has none here, as TensorFlow's strings */
    const uint64_t *shape;     /* the slowest dimension first */
    uint32_t n_dims;
    bool is_fortran;    /* the first dimension is the fastest */
    bool is_big_endian; /* its elements are */
    uint32_t file;      /* of the contents' files */
    uint64_t offset;    /* of its first byte in that file, or TENSOR_SCATTERED */
    uint64_t n_bytes;
    uint32_t npy_bytes; /* of a NumPy header that stands right before it in the file; 0: none */
};

/* A file of the checkpoint. */
struct contents_file {
    const char *path; /* within the checkpoint; borrowed */
    uint64_t size_bytes;
};

struct contents {
    const struct contents_file *files; /* borrowed */
    size_t n_files;
    struct tensor *tensors; /* owned */
    size_t n_tensors;
    json_t *metadata;    /* owned: {format or file: {key: value}}, or NULL; see contents_tell() */
    json_t *missing;     /* owned: what files lack, as texts; see contents_miss() */
    struct arena *texts; /* of names and shapes */
};

void contents_init(struct contents *contents, const struct contents_file *files, size_t n_files);
void contents_deinit(struct contents *contents);

/* Adds a copy of @tensor (its name and shape too). -EBADMSG when it cannot be: too many dimensions,
 * elements that overflow or do not make n_bytes (where dtype and offset are known), a run that is
 * not within its file; -EFBIG when there are too many; -ENOMEM. */
int contents_add(struct contents *contents, const struct tensor *tensor);

/* Takes back what was added since there were @n_tensors: for a parser that must ask for more. */
void contents_cut(struct contents *contents, size_t n_tensors);

/* Notes a fact of @group (a format's word, or a file's path): takes @value over, replacing an older
 * one. NULL passes, as memory that was short. What is no UTF-8 in @group and @key is mended. 0 or
 * -ENOMEM. */
int contents_tell(struct contents *contents, const char *group, const char *key, json_t *value);

/* Notes that something is lacking, for people: `model-00002-of-00003.safetensors`, or `big.bin (12
 * of 4096 bytes)`. Once each; behind CONTENTS_MAX_MISSING of them nothing more is noted. 0 or
 * -ENOMEM. */
int contents_miss(struct contents *contents, const char *what);
/* Notes that a file ends too early: `big.bin (12 of 4096 bytes)`, @n_bytes being what it should
 * have. */
int contents_miss_rest(struct contents *contents, uint32_t file, uint64_t n_bytes);

/* The file that @name, a relative path as one file's content says it, names seen from @from's
 * directory: `x`, `./x`, `sub/x`; never above the checkpoint. CONTENTS_NO_FILE when there is
 * none. */
uint32_t contents_find(const struct contents *contents, uint32_t from, const char *name);
/* The file at exactly @path; CONTENTS_NO_FILE when there is none. */
uint32_t contents_find_path(const struct contents *contents, const char *path);

/* Elements of a tensor; false when they overflow. */
bool tensor_elements(const struct tensor *tensor, uint64_t *out);
/* Elements of all tensors, at most INT64_MAX. */
uint64_t contents_parameters(const struct contents *contents);
