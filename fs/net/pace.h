/* SPDX-License-Identifier: Apache-2.0 */
/* How far away the hosts are that transfers come from, and how fast they are: estimates made of
 * exchanges that ended, by origin (`host:port`). Pure; the caller guards it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    PACE_ORIGINS = 32,     /* are kept; the one that was not used longest goes */
    PACE_NAME_BYTES = 264, /* a host of 255 characters and a port, with the NUL */
    PACE_SLOTS = 64,
};

/* What is known of an origin; 0: not yet. */
struct pace {
    uint64_t rtt_us;                 /* from a request's end to its reply's first byte, at best */
    uint64_t connection_bytes_per_s; /* of one connection, lately */
    uint64_t total_bytes_per_s;      /* of all together, at best lately; not less than of one */
};

/* One exchange that ended well. Times are microseconds. */
struct pace_sample {
    uint64_t end_us;      /* when, on a clock of the caller's that never goes back */
    uint64_t wait_us;     /* from the request's end to the first byte; 0: not known */
    uint64_t body_us;     /* from the first byte to the last */
    uint64_t bytes;       /* of the body */
    uint64_t first_bytes; /* of these, what came at once with the first */
};

struct pace_origin {
    char name[PACE_NAME_BYTES]; /* empty: free */
    uint64_t used_at;           /* paces.clock at its last sample */
    uint64_t half_began_us;     /* the time is cut in halves: see pace.c */
    uint64_t rtt_us[2];         /* the least of this half, and of the one before; 0: none */
    uint64_t peak[2];           /* the same of the largest total rate */
    uint64_t half_bytes;        /* came in this half */
    double rate_bytes, rate_us; /* decaying sums */
    struct {
        uint64_t number; /* its time divided by its length */
        double bytes;
    } slots[PACE_SLOTS];
};

struct paces {
    uint64_t clock;
    struct pace_origin origins[PACE_ORIGINS];
};

/* Writes `host:port` of an http or https URL, in lower case and with the port it has by default.
 * -EINVAL when it is none, or has a host that no text should show. */
int pace_name(const char *url, char out[PACE_NAME_BYTES]);

void paces_note(struct paces *paces, const char *name, const struct pace_sample *sample);

struct pace pace_of(const struct pace_origin *origin);
/* False when nothing is known of @name. */
bool paces_find(const struct paces *paces, const char *name, struct pace *out);
