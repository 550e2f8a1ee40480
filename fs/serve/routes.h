/* SPDX-License-Identifier: Apache-2.0 */
/* Which handler answers which method and path (pure). */
#pragma once

#include "serve/api.h"

enum route_kind {
    ROUTE_CALL,     /* wants a key; the body is JSON */
    ROUTE_DOWNLOAD, /* wants a signed URL */
    ROUTE_UPLOAD,   /* wants a signed URL; the body is a file, and there is no handler */
    ROUTE_LATER,    /* part of the API, but not of this server: 501 */
    ROUTE_OTHER,    /* the path is there, with another method: 405 */
    ROUTE_NONE,     /* 404 */
};

/* Finds the route of request->method and request->path, with or without a `/` at the end, and sets
 * the request's id and rest. *out_handler is set for ROUTE_CALL and ROUTE_DOWNLOAD. */
enum route_kind routes_find(struct request *request, api_handler *out_handler);
