/* SPDX-License-Identifier: Apache-2.0 */
/* One request on its way through the server: between libmicrohttpd, whose callbacks these are, and
 * the handlers, which do not know it. Callbacks of one connection come from one thread. */
#pragma once

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "serve/store.h"

/* What all exchanges share. */
struct exchange_context {
    struct store *store;
    bool key_required;    /* even when the store has no key (any more) */
    const char *own_name; /* host:port for clients that do not say what they call us */
    atomic_int n_open;    /* requests that have begun and not ended */
    atomic_bool closing;  /* no request after this one on a connection */
};

/* No activity on a connection for this long ends it. */
enum { EXCHANGE_TIMEOUT_S = 60 };

enum MHD_Result exchange_handle(void *context, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *data_len, void **exchange);
void exchange_completed(void *context, struct MHD_Connection *connection, void **exchange,
                        enum MHD_RequestTerminationCode how);
