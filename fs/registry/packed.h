/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of a listing, and its packed form, a run of bytes: what memory and the cache hold of a
 * file, a quarter of what its parts take as structs and texts. A signed link is most of that, so
 * what the links of one listing have in common is kept once, and a signature in hexadecimal as
 * bytes. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/digest.h"

struct listing_entry {
    const char *id;   /* the registry's; of a file its path in the model */
    const char *name; /* the registry's word for people; of a file its path */
    const char *type; /* of a model: `Tensorflow`, `ONNX`, `Custom`, ...; else NULL */
    const char *url;  /* of a file: where its bytes were when it was listed; NULL: locate it */
    const char *etag; /* of a file: its validator as the source will say it, quotes included; NULL:
                         not known yet */
    uint64_t size_bytes;
    int64_t mtime_ns; /* since 1970 in UTC; 0 where the registry does not say */
    bool has_digest;
    struct digest digest; /* SHA-256 of a file's content */
};

/* What the links of a listing look like: <head>[<encoded id>]<tail><the rest>. */
struct links {
    bool has_id;
    char *tail; /* in the same memory, behind head's NUL */
    char head[];
};

/* The form of @url, the link of @id: free() it. NULL when memory is short. */
struct links *links_of(const char *url, const char *id);
struct links *links_new(const char *head, const char *tail, bool has_id);

/* Appends @entry; its url in a short form where @links (may be NULL) fits. 0, -ENOMEM. */
int packed_append(struct buf *out, const struct links *links, const struct listing_entry *entry);

/* Reads the record at @at, which ends before @end. Texts are borrowed from it; url is left NULL,
 * and so is an etag that is the digest in quotes. Where the next one begins, or NULL when there is
 * no whole record. */
const char *packed_read(const char *at, const char *end, struct listing_entry *out);

/* The same with url and etag; those not in the record as they are are appended to @texts, from
 * which @out borrows. 0, -EINVAL when there is no whole record, -ENOMEM. */
int packed_read_whole(const char *at, const char *end, const struct links *links, struct buf *texts,
                      struct listing_entry *out);
