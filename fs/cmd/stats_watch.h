/* SPDX-License-Identifier: Apache-2.0 */
/* A mount's stats, live: one screen that is redrawn, or where standard output is none, a line at a
 * time. */
#pragma once

#include <stdint.h>

#include "cmd/stats_mount.h"

/* Looks every @interval_ms until `q`, Ctrl-C or the mount's end, which it complains of for
 * @command. SIGTERM and SIGHUP end the process, the terminal given back before. An exit code. */
int stats_watch(const struct stats_mount *mount, const char *command, uint64_t interval_ms);
