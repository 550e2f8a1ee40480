/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a ZIP archive (PKWARE's APPNOTE.TXT, sections 4.3 and 4.5, with ZIP64), out of its
 * central directory. Bytes before the archive are passed over as Python's zipfile does. Archives in
 * several parts are none. Pure.
 *
 *     int r = zip_open(&zip, glimpse);
 *     while (r == 0 && (r = zip_next(&zip, &entry)) == 1)
 *         r = zip_find_data(&zip, &entry, ...);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/glimpse.h"

struct zip {
    struct glimpse *glimpse; /* borrowed */
    uint64_t at, end;        /* what is left of the central directory */
    uint64_t directory;      /* where it begins: all members lie before it */
    uint64_t before;         /* bytes before the archive */
};

struct zip_entry {
    const char *name; /* not NUL-terminated; borrowed until bytes are added to the glimpse */
    size_t name_len;
    bool is_stored;         /* its bytes are there as they are: not compressed, not encrypted */
    uint64_t size_bytes;    /* of its content */
    uint64_t packed_bytes;  /* in the archive */
    uint64_t header_offset; /* of its local header in the file */
};

/* Finds the central directory. 0; -EAGAIN, -EFBIG as glimpse_error(); -EBADMSG when it is no
 * archive. */
int zip_open(struct zip *zip, struct glimpse *glimpse);

/* The next member, in the directory's order: 1; 0 at the end; else as zip_open(). */
int zip_next(struct zip *zip, struct zip_entry *out);

/* Where the member's bytes begin in the file, and that all of them are there: its local header has
 * lengths of its own. Asks for @guess bytes from that header on, as glimpse_ask(). 0, or as
 * zip_open(). */
int zip_find_data(struct zip *zip, const struct zip_entry *entry, uint64_t guess, uint64_t *out);
