/* SPDX-License-Identifier: Apache-2.0 */
/* One file on its way in. It is fed the request's body and becomes part of its model in the end,
 * whole, or never. Belongs to one thread at a time. */
#pragma once

#include "serve/reply.h"
#include "serve/request.h"
#include "serve/store.h"

struct upload;

/* Begins; the request's id and rest name model and path. 0, or -errno; -ENOENT when there is no
 * such model. */
int upload_new(struct store *store, const struct request *request, struct upload **out);
/* Gives up what was not finished. NULL is fine. */
void upload_free(struct upload *upload);

/* Takes the next bytes. 0 or -errno, after which there is only free. */
int upload_feed(struct upload *upload, const void *data, size_t len);

/* The body is complete: when this replies 200 the file is on the disk and in its model. */
int upload_finish(struct upload *upload, struct reply *reply);
