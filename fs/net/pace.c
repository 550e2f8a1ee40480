/* SPDX-License-Identifier: Apache-2.0 */
/* **The round trip** is the least wait seen lately: what a server thinks about and what stands in
 * queues on the way only makes it longer.
 *
 * **One connection's rate** is what bodies carried by the time they took, the last eight or so
 * counting. What came with the first byte is left out: it waited in buffers, and its time is the
 * round trip's. Small bodies say nothing.
 *
 * **The total rate** is the most that came in RUN slots of time one after another, a body's bytes
 * being spread over the time it took. Most of the time nobody asks for all that could come, so an
 * average would tell of the readers and not of the origin.
 *
 * "Lately" is this half and the one before: when HALF_US are over the older half is forgotten, but
 * for a half in which next to nothing came. An origin that nobody asks keeps what was known of it.
 */
#include "net/pace.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { RUN = 2, HISTORY = 8 };
#define HALF_US          UINT64_C(15000000)
#define SLOT_US          UINT64_C(100000)
#define US_PER_S         1e6
#define HALF_LEAST_BYTES (UINT64_C(4) << 20)
#define RATE_LEAST_BYTES (UINT64_C(64) << 10) /* behind the first: less says nothing */

/* ---- names ---- */

static const char *host_of(const char *url, const char **out_port)
{
    *out_port = "80";
    if (strncasecmp(url, "http://", 7) == 0)
        return url + 7;
    *out_port = "443";
    return strncasecmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

static bool is_host_character(char c)
{
    return isalnum((unsigned char)c) || (c && strchr(".-_:[]%", c));
}

/* Whether @host of @len bytes ends in a port. An IPv6 address stands in brackets. */
static bool has_port(const char *host, size_t len)
{
    const char *colon = memrchr(host, ':', len), *bracket = memrchr(host, ']', len);
    return colon && (!bracket || bracket < colon);
}

int pace_name(const char *url, char out[PACE_NAME_BYTES])
{
    const char *port, *host = host_of(url, &port);
    size_t len = host ? strcspn(host, "/?#") : 0;
    if (!len || len + sizeof(":443") > PACE_NAME_BYTES)
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        if (!is_host_character(host[i]))
            return -EINVAL;
        out[i] = (char)tolower((unsigned char)host[i]);
    }
    out[len] = '\0';
    if (!has_port(host, len))
        snprintf(out + len, PACE_NAME_BYTES - len, ":%s", port);
    return 0;
}

/* ---- samples ---- */

static uint64_t least_of(uint64_t a, uint64_t b)
{
    return !a || (b && b < a) ? b : a;
}

static uint64_t most_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void turn_halves(struct pace_origin *o, uint64_t now_us)
{
    if (now_us < o->half_began_us + HALF_US)
        return;
    o->half_began_us = now_us;
    if (o->rtt_us[0])
        o->rtt_us[1] = o->rtt_us[0];
    o->rtt_us[0] = 0;
    if (o->half_bytes < HALF_LEAST_BYTES)
        return;
    o->peak[1] = o->peak[0];
    o->peak[0] = o->half_bytes = 0;
}

static void note_rate(struct pace_origin *o, const struct pace_sample *s)
{
    const double keep = (double)(HISTORY - 1) / HISTORY;
    if (s->bytes < s->first_bytes + RATE_LEAST_BYTES || !s->body_us)
        return;
    o->rate_bytes = o->rate_bytes * keep + (double)(s->bytes - s->first_bytes);
    o->rate_us = o->rate_us * keep + (double)s->body_us;
}

static void add_to_slot(struct pace_origin *o, uint64_t number, double bytes)
{
    if (o->slots[number % PACE_SLOTS].number > number)
        return; /* samples of two threads, the older one last */
    if (o->slots[number % PACE_SLOTS].number != number) {
        o->slots[number % PACE_SLOTS].number = number;
        o->slots[number % PACE_SLOTS].bytes = 0;
    }
    o->slots[number % PACE_SLOTS].bytes += bytes;
}

/* Spreads a body over the slots in which it came; what is older than they reach back is left out.
 */
static void spread(struct pace_origin *o, const struct pace_sample *s)
{
    uint64_t begin = s->end_us > s->body_us ? s->end_us - s->body_us : 0;
    uint64_t last = s->end_us / SLOT_US, first = begin / SLOT_US;
    if (begin == s->end_us) {
        add_to_slot(o, last, (double)s->bytes);
        return;
    }
    double per_us = (double)s->bytes / (double)s->body_us;
    if (last - first >= PACE_SLOTS)
        first = last - PACE_SLOTS + 1;
    for (uint64_t i = first; i <= last; i++) {
        uint64_t from = most_of(begin, i * SLOT_US);
        uint64_t to = i == last ? s->end_us : (i + 1) * SLOT_US;
        add_to_slot(o, i, per_us * (double)(to - from));
    }
}

/* The largest rate of RUN slots one after another, up to slot @last. */
static uint64_t find_peak(const struct pace_origin *o, uint64_t last)
{
    double most = 0;
    for (int i = 0; i < PACE_SLOTS; i++) {
        double sum = 0;
        for (uint64_t k = 0; k < RUN; k++) {
            uint64_t number = o->slots[i].number + k;
            if (number <= last && o->slots[number % PACE_SLOTS].number == number)
                sum += o->slots[number % PACE_SLOTS].bytes;
        }
        if (o->slots[i].number + PACE_SLOTS > last && sum > most)
            most = sum;
    }
    return (uint64_t)(most * US_PER_S / (double)(RUN * SLOT_US));
}

static void note_total(struct pace_origin *o, const struct pace_sample *s)
{
    if (!s->bytes)
        return;
    o->half_bytes += s->bytes;
    spread(o, s);
    o->peak[0] = most_of(o->peak[0], find_peak(o, s->end_us / SLOT_US));
}

/* ---- the table ---- */

static struct pace_origin *find(struct paces *paces, const char *name)
{
    for (int i = 0; i < PACE_ORIGINS; i++)
        if (strcmp(paces->origins[i].name, name) == 0)
            return &paces->origins[i];
    return NULL;
}

static struct pace_origin *replace_oldest(struct paces *paces, const char *name, uint64_t now_us)
{
    struct pace_origin *oldest = &paces->origins[0];
    for (int i = 1; i < PACE_ORIGINS; i++)
        if (paces->origins[i].used_at < oldest->used_at)
            oldest = &paces->origins[i];
    *oldest = (struct pace_origin){.half_began_us = now_us};
    snprintf(oldest->name, sizeof(oldest->name), "%s", name);
    return oldest;
}

void paces_note(struct paces *paces, const char *name, const struct pace_sample *sample)
{
    struct pace_origin *o = find(paces, name);
    if (!o)
        o = replace_oldest(paces, name, sample->end_us);
    o->used_at = ++paces->clock;
    turn_halves(o, sample->end_us);
    o->rtt_us[0] = least_of(o->rtt_us[0], sample->wait_us);
    note_rate(o, sample);
    note_total(o, sample);
}

struct pace pace_of(const struct pace_origin *o)
{
    uint64_t one = o->rate_us > 0 ? (uint64_t)(o->rate_bytes * US_PER_S / o->rate_us) : 0;
    return (struct pace){
        .rtt_us = least_of(o->rtt_us[0], o->rtt_us[1]),
        .connection_bytes_per_s = one,
        .total_bytes_per_s = most_of(one, most_of(o->peak[0], o->peak[1])),
    };
}

bool paces_find(const struct paces *paces, const char *name, struct pace *out)
{
    const struct pace_origin *o = *name ? find((struct paces *)paces, name) : NULL;
    if (o)
        *out = pace_of(o);
    return o != NULL;
}
