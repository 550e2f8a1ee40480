/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP request as handlers see it: no socket, no library. All is borrowed for the request's
 * time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "serve/names.h"
#include "util/json.h"

enum { REQUEST_BASE_URL_BYTES = 272 };

struct request_pair {
    const char *name, *value;
};

struct request {
    const char *method;               /* GET for HEAD too */
    const char *path;                 /* decoded, as it came */
    const struct request_pair *query; /* decoded, UTF-8 */
    size_t n_query;
    const struct request_pair *headers;
    size_t n_headers;
    const char *base_url;    /* as request_format_base_url() says */
    const json_t *json;      /* the body; NULL when it is empty */
    char id[NAMES_ID_BYTES]; /* what the route's first `*` stands for */
    const char *rest;        /* what its `**` stands for */
};

/* The first value, or NULL. A header's name counts in any case. */
const char *request_query(const struct request *request, const char *name);
const char *request_header(const struct request *request, const char *name);

/* A parameter that clients send in the query or as a key of the JSON body: its text; NULL when it
 * is missing, null or empty. *out_wrong (may be NULL) is set when it is there and is no text. */
const char *request_param(const struct request *request, const char *name, bool *out_wrong);

/* What the client calls this server: `http://host:port`, no slash behind it. Links are made of
 * that, since the client may have come through a tunnel or a proxy; of @own_name when it does not
 * say. */
void request_format_base_url(const struct request *request, const char *own_name,
                             char out[REQUEST_BASE_URL_BYTES]);
