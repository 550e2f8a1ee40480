/* SPDX-License-Identifier: Apache-2.0 */
/* What the folder of contents and a temporary are made of: for objects.c and objects_temp.c
 * only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/digest.h"

enum { TEMP_NAME_BYTES = 40 };

struct objects {
    int dir_fd;  /* objects/ */
    int temp_fd; /* tmp/ */
};

struct objects_temp {
    struct objects *objects;
    int fd;
    char name[TEMP_NAME_BYTES];
    bool installed;
    uint64_t size_bytes;
    uint64_t flushed_bytes;
    struct digest_stream *digest;
};
