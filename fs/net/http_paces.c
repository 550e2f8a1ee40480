/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_paces.h"

#include "util/clock.h"

enum { NS_PER_US = 1000 };

void http_paces_init(struct http_paces *p)
{
    pthread_mutex_init(&p->lock, NULL);
}

void http_paces_deinit(struct http_paces *p)
{
    pthread_mutex_destroy(&p->lock);
}

/* The time between two moments of an exchange; 0 when they are not in that order. */
static uint64_t between_us(CURL *easy, CURLINFO from, CURLINFO to)
{
    curl_off_t from_us = 0, to_us = 0;
    curl_easy_getinfo(easy, from, &from_us);
    curl_easy_getinfo(easy, to, &to_us);
    return to_us > from_us ? (uint64_t)(to_us - from_us) : 0;
}

void http_paces_note(struct http_paces *p, const struct http_transfer *t)
{
    char name[PACE_NAME_BYTES];
    bool sends = t->body || t->ask.read_body; /* then the wait is also that for its own bytes */
    if (sends || t->is_file || !t->easy || pace_name(t->url, name) < 0)
        return;
    const struct pace_sample sample = {
        .end_us = clock_now_ns() / NS_PER_US,
        .wait_us = between_us(t->easy, CURLINFO_PRETRANSFER_TIME_T, CURLINFO_STARTTRANSFER_TIME_T),
        .body_us = between_us(t->easy, CURLINFO_STARTTRANSFER_TIME_T, CURLINFO_TOTAL_TIME_T),
        .bytes = t->n_received,
        .first_bytes = t->n_first,
    };
    pthread_mutex_lock(&p->lock);
    paces_note(&p->paces, name, &sample);
    pthread_mutex_unlock(&p->lock);
}
