/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/request.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *request_query(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->n_query; i++) {
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    }
    return NULL;
}

const char *request_header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->n_headers; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return NULL;
}

const char *request_param(const struct request *request, const char *name, bool *out_wrong)
{
    const char *text = request_query(request, name);
    if (!text) {
        const json_t *value = json_object_get(request->json, name);
        if (value && !json_is_null(value) && !json_is_string(value) && out_wrong)
            *out_wrong = true;
        text = json_string_value(value);
    }
    return text && *text ? text : NULL;
}

void request_format_base_url(const struct request *request, const char *own_name,
                             char out[REQUEST_BASE_URL_BYTES])
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789.-_:[]";
    const size_t host_max = REQUEST_BASE_URL_BYTES - sizeof("https://");
    const char *host = request_header(request, "Host");
    const char *scheme = request_header(request, "X-Forwarded-Proto");
    if (!host || !*host || strlen(host) > host_max || host[strspn(host, allowed)] != '\0')
        host = own_name;
    bool tls = scheme && strcmp(scheme, "https") == 0;
    snprintf(out, REQUEST_BASE_URL_BYTES, "http%s://%s", tls ? "s" : "", host);
}
