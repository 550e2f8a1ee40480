/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own read-ahead of a mount. */
#pragma once

/* Raises it for the mount on @mountpoint (absolute) to @kib, which FUSE itself can only lower; 0
 * leaves it. By the mount's backing device in /sys, which is root's: it stays as it is where that
 * may not be written. */
void read_ahead_set(const char *mountpoint, int kib);
