/* SPDX-License-Identifier: Apache-2.0 */
/* The FUSE session: requests of the kernel, answered from the tree and the read engine. The only
 * room that knows FUSE. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vfs/ops_meter.h"
#include "vfs/ops_options.h"

struct ops;

/* Mounts on @mountpoint; requests wait until ops_loop(). 0 or -errno, then *out_why (static text)
 * says what to do. */
int ops_mount(const struct ops_options *options, const char *mountpoint, struct ops **out,
              const char **out_why);

/* Answers requests until the mount is gone or SIGINT, SIGTERM or SIGHUP comes. 0 or -errno. */
int ops_loop(struct ops *ops);

/* Takes the mount away; what is still parked may go on replying, into nothing. NULL is fine. */
void ops_unmount(struct ops *ops);
/* Closes what is open and frees. Everything parked must have been answered. NULL is fine. */
void ops_free(struct ops *ops);

void ops_get_stats(struct ops *ops, struct ops_stats *out);
