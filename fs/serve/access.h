/* SPDX-License-Identifier: Apache-2.0 */
/* May this request be served? Keys for calls, signatures for files. */
#pragma once

#include "serve/reply.h"
#include "serve/request.h"
#include "serve/store.h"

/* Named outcome: refused, and the reply says why. */
enum { ACCESS_REFUSED = 1 };

/* A call of the API. With no keys in the store and without @key_required everybody may. 0,
 * ACCESS_REFUSED or -errno. */
int access_check_call(struct store *store, bool key_required, const struct request *request,
                      struct reply *reply);

/* A file's URL at @now_s. 0, ACCESS_REFUSED or -errno. */
int access_check_signed(struct store *store, const struct request *request, int64_t now_s,
                        struct reply *reply);
