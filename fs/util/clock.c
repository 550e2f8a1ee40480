/* SPDX-License-Identifier: Apache-2.0 */
#include "util/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NS_PER_S = 1000000000, NS_PER_MS = 1000000 };

uint64_t clock_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

int64_t clock_wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* `.157` into nanoseconds; moves *text behind the digits. */
static int64_t parse_fraction(const char **text)
{
    int64_t ns = 0, unit = NS_PER_S / 10;
    if (**text != '.' && **text != ',')
        return 0;
    for ((*text)++; **text >= '0' && **text <= '9'; (*text)++) {
        ns += (**text - '0') * unit;
        unit /= 10;
    }
    return ns;
}

/* `Z`, `+01:30`, `-0200` or nothing, as seconds east of Greenwich. */
static int parse_zone(const char *text, int64_t *out_seconds)
{
    int hours, minutes, end = 0;
    char sign;
    *out_seconds = 0;
    if (*text == '\0' || strcmp(text, "Z") == 0)
        return 0;
    if (sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &end) != 3 &&
        sscanf(text, "%c%2d%2d%n", &sign, &hours, &minutes, &end) != 3)
        return -EINVAL;
    if (text[end] != '\0' || (sign != '+' && sign != '-'))
        return -EINVAL;
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return -EINVAL;
    *out_seconds = (sign == '-' ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
    return 0;
}

int clock_parse_iso(const char *text, int64_t *out_ns)
{
    struct tm tm = {0};
    int64_t zone;
    const char *rest = strptime(text, "%Y-%m-%d", &tm);
    if (!rest || (*rest != 'T' && *rest != ' '))
        return -EINVAL;
    rest = strptime(rest + 1, "%H:%M:%S", &tm);
    if (!rest)
        return -EINVAL;
    int64_t fraction = parse_fraction(&rest);
    if (parse_zone(rest, &zone) < 0 || tm.tm_year < 0 || tm.tm_year > 200)
        return -EINVAL;
    *out_ns = ((int64_t)timegm(&tm) - zone) * NS_PER_S + fraction;
    return 0;
}

void clock_format_iso(int64_t ns, char out[CLOCK_ISO_BYTES])
{
    /* Rounded down on either side of 1970: -1 ns is in the last millisecond of 1969. */
    int64_t all_ms = ns / NS_PER_MS - (ns % NS_PER_MS < 0);
    time_t seconds = all_ms / 1000 - (all_ms % 1000 < 0);
    int ms = (int)(all_ms - seconds * 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t n = strftime(out, CLOCK_ISO_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, CLOCK_ISO_BYTES - n, ".%03dZ", ms);
}
