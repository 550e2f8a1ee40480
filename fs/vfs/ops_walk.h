/* SPDX-License-Identifier: Apache-2.0 */
/* Read-ahead across files. */
#pragma once

#include "vfs/ops_common.h"

/* All of file @ino will soon have been read: when somebody goes through the files of its
 * directory, what comes next is fetched. Any thread; does not wait. */
void ops_walk_on(struct ops *ops, fuse_ino_t ino);
