/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP reply as handlers make it: a status and either a text or a piece of an open file.
 * Embedded by value; starts from reply_init(), ends with reply_deinit(). */
#pragma once

#include <stdint.h>

#include "util/buf.h"
#include "util/json.h"

enum { REPLY_HEADERS = 8, REPLY_HEADER_BYTES = 160 };

struct reply_header {
    const char *name; /* static */
    char value[REPLY_HEADER_BYTES];
};

struct reply {
    unsigned status;
    struct buf body;
    int fd; /* owned; -1: the body is `body` */
    uint64_t off, len;
    struct reply_header headers[REPLY_HEADERS];
    unsigned n_headers;
    char problem[160]; /* what went wrong, for the log */
};

#define REPLY_CLEANUP CLEANUP(reply_deinit)

void reply_init(struct reply *reply);
void reply_deinit(struct reply *reply);
/* Back to nothing, so that another reply can be made instead. */
void reply_reset(struct reply *reply);

/* Adds a header; a value that is too long is a bug. */
void reply_add_header(struct reply *reply, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* All below give 0 or -ENOMEM. */

/* Takes @json over; NULL counts as memory that was short. */
int reply_json(struct reply *reply, unsigned status, json_t *json);
/* A bare JSON string. */
int reply_text(struct reply *reply, unsigned status, const char *text);
/* No body. */
int reply_empty(struct reply *reply, unsigned status);

/* `{"error":{"name":"Error","status":404,"message":"..."}}` */
int reply_error(struct reply *reply, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* 422: the value of @field of a @what (`project`) is not as it should be, say because it `can't be
 * blank`. */
int reply_invalid(struct reply *reply, const char *what, const char *field, const char *message);
/* 401, in the shape that clients know. */
int reply_no_key(struct reply *reply);
/* What a failure of ours (-errno) looks like from outside: 507 when the disk is full, 503 when
 * memory, descriptors or readers are short, else 500. */
int reply_failure(struct reply *reply, int error);
