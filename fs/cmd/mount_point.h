/* SPDX-License-Identifier: Apache-2.0 */
/* The directory to mount on: what may stand in the way, said before anything is started. */
#pragma once

/* The absolute path of @dir in fresh memory, when it can be mounted on. Else NULL: *out_code is the
 * exit code, and what is wrong and what to do was printed for @command. */
char *mount_point_check(const char *command, const char *dir, int *out_code);

/* The directory of the mount that @path (absolute, without links) lies in, in fresh memory; NULL
 * when that is none of ours. Asks the kernel's table, not the mount. */
char *mount_point_around(const char *path);

/* Whether the mount on @path is one of ours: 1, 0, or -errno. */
int mount_point_is_ours(const char *path);
