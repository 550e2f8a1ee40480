/* SPDX-License-Identifier: Apache-2.0 */
/* The directory to mount on: what may stand in the way, said before anything is started. */
#pragma once

/* The absolute path of @dir in fresh memory, when it can be mounted on. Else NULL: *out_code is the
 * exit code, and what is wrong and what to do was printed for @command. */
char *mount_point_check(const char *command, const char *dir, int *out_code);

/* The absolute path of the modelfs mount that @path is in, in fresh memory. 0; -ENODEV: it is in
 * none; or -errno. */
int mount_point_find(const char *path, char **out_root);

/* Whether the mount on @path is one of ours: 1, 0, or -errno. */
int mount_point_is_ours(const char *path);
