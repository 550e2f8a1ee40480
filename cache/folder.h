/* SPDX-License-Identifier: Apache-2.0 */
/* The folder that an environment's files live in: made and owned by us, locked while one process
 * opens it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Makes @dir with its parents (0700). -EPERM when it belongs to somebody else or others may write
 * in it; else as the system says. */
int folder_make(const char *dir);

/* Waits for and takes the lock that is held while an environment is opened. A file descriptor to
 * close, or -errno. */
int folder_lock(const char *dir);

/* Says that the environment is in use for as long as the file descriptor that it returns is open;
 * *out_alone: nobody else said so. To be called with the lock held. -errno. */
int folder_use(const char *dir, bool *out_alone);

/* Opens the data file to look at it. A file descriptor or -errno. */
int folder_open_data(const char *dir);
/* Size of the data file; 0 when there is none. */
uint64_t folder_data_bytes(const char *dir);

/* Removes the environment's files. Those who have them open go on with what is then nameless. 0 or
 * -errno. */
int folder_empty(const char *dir);

/* Remembers that the environment is damaged, for whoever opens it next; folder_empty() forgets. */
void folder_set_broken(const char *dir);
bool folder_is_broken(const char *dir);

/* A number that tells the data file at @dir from one made later. 0 when there is none. */
unsigned long folder_data_id(const char *dir);
