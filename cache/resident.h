/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a mapped file, asked from the disk in one piece. */
#pragma once

#include <stddef.h>

/* Has what is not in memory of [data, data + len) read, and waits for nothing: who touches the
 * bytes waits for them. Costs a system call where all is there. The range may lie behind the file's
 * end. */
void resident_bring(const void *data, size_t len);
