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

/* A moment of an exchange, from its start. */
static uint64_t moment_us(CURL *easy, CURLINFO which)
{
    curl_off_t us = 0;
    curl_easy_getinfo(easy, which, &us);
    return us > 0 ? (uint64_t)us : 0;
}

/* When the request could go out: about at the start where the connection was there. Not curl's
 * "pretransfer", which is noted after the sending: a thread that loses its processor in between
 * finds the reply waiting, and the least of many waits would be one of those. */
static uint64_t ready_us(CURL *easy)
{
    uint64_t plain = moment_us(easy, CURLINFO_CONNECT_TIME_T);
    uint64_t secure = moment_us(easy, CURLINFO_APPCONNECT_TIME_T);
    return plain > secure ? plain : secure;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

void http_paces_note(struct http_paces *p, const struct http_transfer *t)
{
    char name[PACE_NAME_BYTES];
    bool sends = t->body || t->ask.read_body; /* then the wait is also that for its own bytes */
    if (sends || t->is_file || !t->easy || pace_name(t->url, name) < 0)
        return;
    uint64_t first_us = moment_us(t->easy, CURLINFO_STARTTRANSFER_TIME_T);
    const struct pace_sample sample = {
        .end_us = clock_now_ns() / NS_PER_US,
        .wait_us = less(first_us, ready_us(t->easy)),
        .body_us = less(moment_us(t->easy, CURLINFO_TOTAL_TIME_T), first_us),
        .bytes = t->n_received,
        .first_bytes = t->n_first,
    };
    pthread_mutex_lock(&p->lock);
    paces_note(&p->paces, name, &sample);
    pthread_mutex_unlock(&p->lock);
}
