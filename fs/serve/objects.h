/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of contents: each file's bytes stand once under their SHA-256, `objects/ab/cdef...`.
 * Which of them are wanted is not known here. Any thread may call; a temporary belongs to one
 * thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/cleanup.h"
#include "util/digest.h"

struct objects;
struct objects_temp;

/* Opens or makes the folders in @dir (0700). -errno. */
int objects_open(const char *dir, struct objects **out);
void objects_close(struct objects *objects); /* NULL is fine */

/* Begins content of unknown length under a temporary name in the same file system. */
int objects_temp_new(struct objects *objects, struct objects_temp **out);
/* Removes it unless it was installed. NULL is fine. */
void objects_temp_free(struct objects_temp *temp);
DEFINE_CLEANUP(struct objects_temp *, cleanup_objects_temp, objects_temp_free)

/* Appends, and hashes on the way. -ENOSPC, -EDQUOT, -EFBIG, -EIO and the like. */
int objects_temp_write(struct objects_temp *temp, const void *data, size_t len);
/* Puts @len bytes in front of what was written, at the cost of one pass over it. */
int objects_temp_prepend(struct objects_temp *temp, const void *data, size_t len);
/* Ends the content: its bytes are on the disk when this returns. */
int objects_temp_finish(struct objects_temp *temp, struct digest *out, uint64_t *out_size_bytes);

/* Gives finished content its lasting name, durably. The caller sees to it that nobody removes
 * @digest meanwhile. */
int objects_install(struct objects_temp *temp, const struct digest *digest);

/* Is there an object of that digest and size? */
bool objects_has(struct objects *objects, const struct digest *digest, uint64_t size_bytes);
/* A descriptor for reading. -ENOENT and the like, or -EIO when the object is not @size_bytes long:
 * a damaged one, which must not be sent. */
int objects_open_read(struct objects *objects, const struct digest *digest, uint64_t size_bytes);
/* 0 also when there was none. */
int objects_remove(struct objects *objects, const struct digest *digest);

/* Removes what earlier processes left half done. Only for the one process that uploads, before it
 * does. */
int objects_clear_temps(struct objects *objects);
/* Removes all objects that @is_wanted does not want. The same rule. */
typedef bool (*objects_wanted)(const struct digest *digest, void *arg);
int objects_sweep(struct objects *objects, objects_wanted is_wanted, void *arg);
