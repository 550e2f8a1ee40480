/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_redirect.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "util/cleanup.h"

DEFINE_CLEANUP(CURLU *, cleanup_url, curl_url_cleanup)
DEFINE_CLEANUP(char *, cleanup_curl_text, curl_free)

static bool is_same_part(const CURLU *a, const CURLU *b, CURLUPart part)
{
    char *text_a CLEANUP(cleanup_curl_text) = NULL;
    char *text_b CLEANUP(cleanup_curl_text) = NULL;
    return curl_url_get((CURLU *)a, part, &text_a, CURLU_DEFAULT_PORT) == CURLUE_OK &&
           curl_url_get((CURLU *)b, part, &text_b, CURLU_DEFAULT_PORT) == CURLUE_OK &&
           strcasecmp(text_a, text_b) == 0;
}

int http_redirect_resolve(const char *base, const char *location, char **out, bool *out_same_origin)
{
    CURLU *from CLEANUP(cleanup_url) = curl_url();
    CURLU *to CLEANUP(cleanup_url) = curl_url();
    char *url CLEANUP(cleanup_curl_text) = NULL;
    char *scheme CLEANUP(cleanup_curl_text) = NULL;
    if (!from || !to)
        return -ENOMEM;
    if (curl_url_set(from, CURLUPART_URL, base, 0) || curl_url_set(to, CURLUPART_URL, base, 0) ||
        curl_url_set(to, CURLUPART_URL, location, CURLU_URLENCODE) ||
        curl_url_get(to, CURLUPART_SCHEME, &scheme, 0) || curl_url_get(to, CURLUPART_URL, &url, 0))
        return -EPROTO;
    bool is_http = strcmp(scheme, "http") == 0;
    if ((is_http && strncasecmp(base, "https:", 6) == 0) ||
        (!is_http && strcmp(scheme, "https") != 0))
        return -EPROTO;
    *out_same_origin = is_same_part(from, to, CURLUPART_SCHEME) &&
                       is_same_part(from, to, CURLUPART_HOST) &&
                       is_same_part(from, to, CURLUPART_PORT);
    *out = strdup(url);
    return *out ? 0 : -ENOMEM;
}
