/* SPDX-License-Identifier: Apache-2.0 */
/* Marks in a directory that say "a process wrote here in boot B and has not synced since". A mark
 * that outlived its boot means that the machine went down with writes that may never have reached
 * the disk. */
#pragma once

#include <stdbool.h>

struct mark;

enum mark_found {
    MARK_NONE,     /* all that was written is on the disk, or belongs to processes that live */
    MARK_ORPHANED, /* a process died before it synced, in this boot: its writes are still in the
                      kernel */
    MARK_LOST,     /* a mark of another boot: writes may be missing */
};

/* Looks at all marks in @dir. -errno when it cannot. */
int mark_find(const char *dir, const char *boot_id, enum mark_found *out);
/* Removes those that mark_find() counts: all but those of living processes. */
void mark_sweep(const char *dir, const char *boot_id);

/* A mark for this process, not set yet. One thread at a time may call; NULL when memory is short.
 */
struct mark *mark_new(const char *dir, const char *boot_id);
/* Sets it, on the disk before this returns. 0 or -errno. Cheap when it is set already. */
int mark_set(struct mark *mark);
bool mark_is_set(const struct mark *mark);
/* All is synced: takes it away. */
void mark_clear(struct mark *mark);
/* Frees; a mark that is set stays behind as an orphan. NULL is fine. */
void mark_free(struct mark *mark);

/* Puts the kernel's id of this boot at @out (37 bytes). 0 or -errno. */
int mark_boot_id(char out[37]);
