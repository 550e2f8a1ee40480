/* SPDX-License-Identifier: Apache-2.0 */
/* One transfer of an engine (net/http.c): the request's copy, what was received so far, and how it
 * ends. Internal to net/http*.c. All of it belongs to the transfer thread that runs it, once it
 * runs. */
#pragma once

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "net/file.h"
#include "net/http_head.h"
#include "net/http_request.h"

struct http_transfer {
    TAILQ_ENTRY(http_transfer) link; /* the engine's: in one of its lists at a time */
    struct http_request ask;         /* flags, numbers and callbacks; its pointers are own copies */
    char *url;                       /* where it goes now: another one after a redirect */
    char *method;
    void *body;
    char *if_match;             /* for file:// */
    struct curl_slist *headers; /* without the caller's once a redirect has left the origin */
    bool is_file;

    CURL *easy;              /* the engine's; NULL while it does not run, and for file:// */
    struct file_range range; /* file:// only */
    struct http_head_parser head;
    bool is_redirect;                     /* the head is one to follow, and its body nobody's */
    int n_redirects;                      /* followed so far */
    int err;                              /* a callback's word, which ends the transfer */
    uint64_t body_off;                    /* of the request's body: sent so far */
    uint64_t n_received;                  /* body bytes since the last head */
    uint64_t n_first;                     /* of these, those that came at first */
    uint64_t deadline_ms;                 /* on clock_now_ms(); UINT64_MAX: none */
    uint64_t active_ms;                   /* when bytes last moved */
    atomic_uint_fast64_t *received_bytes; /* the engine's counter */
};

/* Copies @request. -EINVAL when its URL is none of http, https and file or a header has a line
 * break; -ENOMEM. */
int http_transfer_new(const struct http_request *request, struct http_transfer **out);
void http_transfer_free(struct http_transfer *t);

bool http_transfer_is_head(const struct http_transfer *t);

/* Hand on what came. 0, or what the transfer then ends with. */
int http_transfer_deliver_head(struct http_transfer *t, const struct http_head *head);
int http_transfer_deliver_data(struct http_transfer *t, const void *data, size_t len);

/* Turns a transfer whose head was a redirect into one to the new place. 0, -EPROTO when it may not
 * be followed, or -ENOMEM. */
int http_transfer_follow(struct http_transfer *t);

/* The same for file://: open delivers the head, step one piece through @buffer and is true when
 * that was all, *out_err then saying how it ended. */
int http_transfer_open_file(struct http_transfer *t);
bool http_transfer_step_file(struct http_transfer *t, void *buffer, size_t cap, int *out_err);
