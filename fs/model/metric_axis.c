/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metric_axis.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#define NS_PER_S  1e9
#define MS_PER_S  1e3
#define MAX_STEP  0x1p53 /* where doubles stop to count in ones */
#define MAX_S     9.2e9  /* the year 2261: nanoseconds fit */
#define SURELY_MS 1e11   /* in seconds the year 5138, in milliseconds 1973 */

/* The place of @name in @names, from 1; 0 when it is none of the @n. */
static int place_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(names[i], name) == 0)
            return (int)i + 1;
    return 0;
}

int metric_axis_step_rank(const char *name)
{
    static const char *const names[] = {"step", "global_step", "trainer/global_step", "_step",
                                        "iteration"};
    return place_of(name, names, sizeof(names) / sizeof(names[0]));
}

bool metric_axis_is_wall(const char *name)
{
    static const char *const names[] = {"timestamp", "wall_time", "_timestamp"};
    return place_of(name, names, sizeof(names) / sizeof(names[0])) != 0;
}

bool metric_axis_is(const char *name)
{
    static const char *const names[] = {"epoch", "_runtime"};
    return metric_axis_step_rank(name) || metric_axis_is_wall(name) ||
           place_of(name, names, sizeof(names) / sizeof(names[0]));
}

bool metric_axis_step(double number, int64_t *out)
{
    if (!(number >= 0 && number < MAX_STEP) || number != trunc(number))
        return false;
    *out = (int64_t)number;
    return true;
}

bool metric_axis_parse_step(const char *text, int64_t *out)
{
    char *end;
    double number = strtod(text, &end);
    return *text && !*end && metric_axis_step(number, out);
}

int64_t metric_axis_wall_ns(double number)
{
    double seconds = number >= SURELY_MS ? number / MS_PER_S : number;
    return seconds > 0 && seconds < MAX_S ? (int64_t)(seconds * NS_PER_S) : 0;
}
