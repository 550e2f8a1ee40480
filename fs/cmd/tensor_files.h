/* SPDX-License-Identifier: Apache-2.0 */
/* The tensors that a mount shows of a checkpoint, by their true names: files below
 * `.modelfs/tensors`, each a .npy. */
#pragma once

#include "cmd/local_files.h"
#include "util/json.h"

/* Starts from {0}. */
struct tensor_files {
    struct local_files files;
    json_t *by_name; /* owned: {name: index into files} */
};
void tensor_files_deinit(struct tensor_files *tensors);
#define TENSOR_FILES_CLEANUP CLEANUP(tensor_files_deinit)

/* Looks through those of the checkpoint at @dir. 0 or -errno: -ENOENT when it shows none. */
int tensor_files_scan(const char *dir, struct tensor_files *out);

/* One that is open, and where its elements are. */
struct tensor_file {
    int fd; /* owned */
    uint64_t data_off, data_bytes;
    bool is_big_endian; /* its elements are */
};
/* 0 or -errno: -ENOENT when there is none of that name, -EINVAL when it is no .npy. */
int tensor_files_open(const struct tensor_files *tensors, const char *name,
                      struct tensor_file *out);
