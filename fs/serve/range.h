/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes of a file a request asks for (pure): Range and the conditions of RFC 9110, sections
 * 13 and 14. */
#pragma once

#include <stdint.h>

/* The request's headers, NULL where there is none. */
struct range_request {
    const char *range;
    const char *if_range;
    const char *if_match;
    const char *if_none_match;
};

/* The file as it is now. */
struct range_file {
    uint64_t size_bytes;
    const char *etag;          /* strong, with its quotes */
    const char *last_modified; /* as the reply will say it */
};

enum range_verdict {
    RANGE_WHOLE,        /* 200: all of it */
    RANGE_PART,         /* 206: out_off, out_len */
    RANGE_OUTSIDE,      /* 416 */
    RANGE_CHANGED,      /* 412: If-Match names other content */
    RANGE_NOT_MODIFIED, /* 304: If-None-Match names this content */
};

/* Decides. *out_off and *out_len are set for RANGE_WHOLE and RANGE_PART. Several ranges, a unit
 * other than bytes and a Range that does not parse are answered with the whole file, as the RFC
 * allows or asks. */
enum range_verdict range_decide(const struct range_request *request, const struct range_file *file,
                                uint64_t *out_off, uint64_t *out_len);
