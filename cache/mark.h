/* SPDX-License-Identifier: Apache-2.0 */
/* Marks in a directory that say "a process wrote here in boot B and has not synced since". A mark
 * that outlived its boot means that the machine went down with writes that may never have reached
 * the disk. */
#pragma once

#include <stdbool.h>

struct mark;

/* Whether there is a mark of another boot in @dir: 1 or 0, -errno when it cannot be looked at. */
int mark_find_lost(const char *dir, const char *boot_id);
/* What those marks were about is gone: they become marks of this boot whose owner is dead, until
 * the next sync. 0 or -errno. */
int mark_renew_lost(const char *dir, const char *boot_id);

/* A mark for this process, not set yet. One thread at a time may call; NULL when memory is short.
 */
struct mark *mark_new(const char *dir, const char *boot_id);
/* Sets it, on the disk before this returns. 0 or -errno. Cheap when it is set already. */
int mark_set(struct mark *mark);
/* Takes over what dead processes of this boot left, so that nobody else does: who syncs after this
 * has synced what they wrote. */
void mark_adopt(struct mark *mark);
/* Leaves what it took over to others. */
void mark_give_back(struct mark *mark);
/* Whether it is set, or took over another one. */
bool mark_is_held(const struct mark *mark);
/* All is synced: takes it away, and what it took over. */
void mark_clear(struct mark *mark);
/* Frees; a mark that is held stays behind for the next one to take over. NULL is fine. */
void mark_free(struct mark *mark);

/* Puts the kernel's id of this boot at @out (37 bytes). 0 or -errno. */
int mark_boot_id(char out[37]);
