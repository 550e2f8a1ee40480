/* SPDX-License-Identifier: Apache-2.0 */
/* Small records in the block cache's environment: listings, validators, "this blob was verified". A
 * record has a key of text, a value, and the wall time it was put at. Values carry a checksum; a
 * damaged record is absent. All together take an eighth of the cache's limit at most, and never
 * over 128 MiB; beyond that the older ones are forgotten. Any thread may call. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct meta;

/* Copies the value under @key into fresh memory (*out, free() it). Returns 0, or -ENOENT when there
 * is none, it is damaged or the cache has failed; -ENOMEM. @out_put_at_ns (may be NULL): when it
 * was put, nanoseconds since 1970. */
int meta_get(struct meta *meta, const char *key, void **out, size_t *out_len,
             int64_t *out_put_at_ns);

/* Puts a copy of @value under @key in place of what was there. Waits for the disk's write side: not
 * for FUSE workers or transfer threads. Returns 0; -ENOSPC for a value of more than half of what
 * all records may take; -errno. A caller that can go on without should. */
int meta_put(struct meta *meta, const char *key, const void *value, size_t len);
int meta_delete(struct meta *meta, const char *key); /* 0 also when there was none */
