/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine's exchanges said of their origins. Internal to net/http*.c. Any thread. */
#pragma once

#include <pthread.h>

#include "net/http_transfer.h"
#include "net/pace.h"

/* Embedded in the engine. */
struct http_paces {
    pthread_mutex_t lock; /* guards the rest */
    struct paces paces;
};

void http_paces_init(struct http_paces *p);
void http_paces_deinit(struct http_paces *p);

/* Notes an exchange of @t that ended well, while it still has its handle. */
void http_paces_note(struct http_paces *p, const struct http_transfer *t);
