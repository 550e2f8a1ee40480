/* SPDX-License-Identifier: Apache-2.0 */
/* The registry server: HTTP on a socket in front of a store. */
#pragma once

#include "serve/listener.h"
#include "serve/store.h"

struct server;

/* Starts answering in threads of its own; returns at once. The store must outlive the server; the
 * listener's descriptor is taken over on success. With @key_required no call is served without a
 * key. -errno. */
int server_start(struct store *store, struct listener *listener, bool key_required,
                 struct server **out);

/* Stops: no new connections from now on, requests on their way get up to @grace_ms to end. NULL is
 * fine. */
void server_stop(struct server *server, unsigned grace_ms);
