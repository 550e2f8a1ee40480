/* SPDX-License-Identifier: Apache-2.0 */
/* One call of the Gradient API: JSON out and back, with the user's API key. */
#pragma once

#include <stdint.h>

#include "util/json.h"

struct http;

/* What models without a project stand under, as if it were a project's id and name. */
#define GRADIENT_UNASSIGNED "unassigned"

struct gradient_call {
    const char *method; /* NULL: GET */
    const char *path;   /* with its query, from the `/` on */
    const json_t *body; /* may be NULL; also sent with a GET, as this API has it */
};

/* Sends @call to the registry at @base (http://HOST:PORT) and waits: one attempt. 0 with *out new
 * (the reply's JSON); else -errno as registry_list(), and one line in the log with what the
 * registry said. @out_retry_after_ms: what it asked for, or -1. Not for transfer threads. */
int gradient_call(struct http *http, const char *base, const struct gradient_call *call,
                  json_t **out, int64_t *out_retry_after_ms);

/* The same in two parts, where the reply is a list: sends @call, of which nothing is kept (NULL:
 * memory is short), and waits for the reply, whose items go to @item, see json_each(). @sent NULL:
 * -ENOMEM. */
struct gradient_sent;
struct gradient_sent *gradient_send(struct http *http, const char *base,
                                    const struct gradient_call *call);
int gradient_each(struct gradient_sent *sent, json_item_fn *item, void *ctx,
                  int64_t *out_retry_after_ms);
/* Waits for a reply that is of no use any more. */
void gradient_drop(struct gradient_sent *sent);
