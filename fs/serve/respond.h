/* SPDX-License-Identifier: Apache-2.0 */
/* A reply's way into libmicrohttpd. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>

#include "serve/reply.h"

/* Queues @reply on the connection, whose file and text the library takes over; with @closes it is
 * the connection's last. MHD_NO, at which the library closes the connection, when that fails. */
enum MHD_Result respond(struct MHD_Connection *connection, struct reply *reply, bool closes);
