/* SPDX-License-Identifier: Apache-2.0 */
/* A mount whose stats are looked at. */
#pragma once

#include "cmd/look.h"
#include "util/cleanup.h"

/* Starts from {0}. */
struct stats_mount {
    char *dir;    /* where it is mounted */
    char *source; /* what it shows */
};

/* Finds the mount that @path lies in. Prints what is wrong for @command. An exit code. */
int stats_mount_open(struct stats_mount *mount, const char *command, const char *path);
void stats_mount_deinit(struct stats_mount *mount);
#define STATS_MOUNT_CLEANUP CLEANUP(stats_mount_deinit)

/* Reads its stats as they are now. 0 or -errno: -EINVAL when they are none. */
int stats_mount_look(const struct stats_mount *mount, struct look *out);

/* Prints why a look failed. An exit code. */
int stats_mount_complain(const struct stats_mount *mount, const char *command, int err);
