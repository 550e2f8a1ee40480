/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange of a transfer: its request put into a curl easy handle, its reply taken out.
 * Internal to net/http*.c; all on the transfer thread. */
#pragma once

#include <curl/curl.h>
#include <stdatomic.h>

#include "net/http_transfer.h"

/* What every exchange of an engine has in common. Strings are the engine's, or NULL. */
struct http_setup {
    int connect_timeout_ms;
    const char *ca_file;
    const char *user_agent;
    atomic_int *n_connections; /* open now; NULL: nobody counts */
};

/* Puts everything a fresh or reset @easy needs for @t into it. -ENOMEM when it does not take it. */
int http_exchange_prepare(struct http_transfer *t, CURL *easy, const struct http_setup *setup);

/* How the exchange that curl ended with @code ended: 0, or what on_done is told. Needs t->easy. */
int http_exchange_end(struct http_transfer *t, CURLcode code);
