/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/framing.h"

#include <stdlib.h>
#include <strings.h>

static unsigned count_headers(const struct request *request, const char *name)
{
    unsigned n = 0;
    for (size_t i = 0; i < request->n_headers; i++)
        n += strcasecmp(request->headers[i].name, name) == 0;
    return n;
}

bool framing_has_end(const struct request *request)
{
    const char *coding = request_header(request, "Transfer-Encoding");
    if (!coding)
        return true;
    return strcasecmp(coding, "chunked") == 0 && count_headers(request, "Transfer-Encoding") == 1;
}

unsigned framing_check(const struct request *request, const char **out_problem)
{
    unsigned n_lengths = count_headers(request, "Content-Length");
    /* Somebody before us may have read such a body otherwise (RFC 9112, 6.1). */
    *out_problem = "A body has either a length or a transfer encoding";
    if (n_lengths > 0 && request_header(request, "Transfer-Encoding"))
        return 400;
    *out_problem = "A body has one length";
    if (n_lengths > 1)
        return 400;
    *out_problem = "The only transfer encoding here is chunked";
    return framing_has_end(request) ? 0 : 501;
}

unsigned framing_check_upload(const struct request *request, const char **out_problem)
{
    *out_problem = "A file's upload says how long it is";
    if (!request_header(request, "Content-Length") && !request_header(request, "Transfer-Encoding"))
        return 411;
    /* RFC 9110, 14.5: who does not know partial PUTs must not take the part for the whole. */
    *out_problem = "A file is uploaded whole, not in ranges";
    return request_header(request, "Content-Range") ? 400 : 0;
}

uint64_t framing_announced_bytes(const struct request *request)
{
    const char *announced = request_header(request, "Content-Length");
    return announced ? strtoull(announced, NULL, 10) : 0;
}
