/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/respond.h"

static struct MHD_Response *make_response(struct reply *reply)
{
    if (reply->fd >= 0 && reply->len > 0) {
        struct MHD_Response *response =
            MHD_create_response_from_fd_at_offset64(reply->len, reply->fd, reply->off);
        if (response)
            reply->fd = -1; /* the response closes it */
        return response;
    }
    if (reply->body.len == 0)
        return MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.len, reply->body.data, MHD_RESPMEM_MUST_FREE);
    if (response)
        reply->body = (struct buf){0};
    return response;
}

enum MHD_Result respond(struct MHD_Connection *connection, struct reply *reply, bool closes)
{
    struct MHD_Response *response = make_response(reply);
    if (!response)
        return MHD_NO;
    for (unsigned i = 0; i < reply->n_headers; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    if (closes)
        MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}
