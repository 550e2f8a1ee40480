/* SPDX-License-Identifier: Apache-2.0 */
/* The directory that get writes into. Paths below it come from a registry: they are walked part by
 * part, and no symbolic link is followed, so that nothing is ever written anywhere else. */
#pragma once

#include <stdbool.h>

/* Opens the directory a person named, made with its parents where it is missing (links in this
 * path are theirs, and followed). A file descriptor, or -errno. */
int dest_open(const char *path);

/* Opens the directory that @path, below @dest_fd, is in; its parts are made where they are missing.
 * *out_name is the last part, borrowed from @path. A file descriptor, or -errno: -EINVAL for a path
 * with a part that is empty, `.` or `..`; -ELOOP or -ENOTDIR where a part is a link or no
 * directory. */
int dest_open_parent(int dest_fd, const char *path, const char **out_name);
