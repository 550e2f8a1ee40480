/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/scale.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

bool scale_can_show(bool is_log, double value)
{
    return isfinite(value) && (!is_log || value >= DBL_MIN);
}

struct scale scale_over(double low, double high, bool is_log)
{
    struct scale scale = {low, high, is_log};
    if (low < high)
        return scale;
    double aside = low == 0 ? 1 : fabs(low) / 10;
    scale.low = is_log ? fmax(low / 2, DBL_MIN) : fmax(low - aside, -DBL_MAX);
    scale.high = is_log ? fmin(low * 2, DBL_MAX) : fmin(low + aside, DBL_MAX);
    /* next to nothing has no tenth */
    if (!(scale.low < scale.high))
        scale = (struct scale){is_log ? DBL_MIN : -1, 1, is_log};
    return scale;
}

double scale_place(const struct scale *scale, double value)
{
    double low = scale->low, high = scale->high;
    if (scale->is_log)
        return (log(value) - log(low)) / (log(high) - log(low));
    /* halves, since the range of finite numbers may be infinite */
    return (value / 2 - low / 2) / (high / 2 - low / 2);
}

/* The least of 1, 2 and 5 times a power of ten that is not below @step. */
static double round_up(double step)
{
    double power = pow(10, floor(log10(step)));
    static const double nice[] = {1, 2, 5, 10};
    for (size_t i = 0; i < sizeof(nice) / sizeof(nice[0]); i++)
        /* a hair less, for log10's last digit */
        if (nice[i] * power >= step * (1 - 1e-9))
            return nice[i] * power;
    return 10 * power;
}

static void linear_ticks(const struct scale *scale, size_t most, struct ticks *out)
{
    double range = scale->high / 2 - scale->low / 2;
    double step = round_up(range / (most > 1 ? (double)most - 1 : 1) * 2);
    if (!isfinite(step) || step < DBL_MIN)
        return;
    out->step = step;
    double first = ceil(scale->low / step - 1e-9);
    for (size_t i = 0; out->n < most; i++) {
        double at = (first + (double)i) * step;
        if (!(at <= scale->high + step * 1e-9) || at - step == at)
            return;
        out->at[out->n++] = at == 0 ? 0 : at; /* no -0 */
    }
}

/* Powers of ten; where there is none or one within, the ends as well. */
static void log_ticks(const struct scale *scale, size_t most, struct ticks *out)
{
    int low = (int)ceil(log10(scale->low) - 1e-9), high = (int)floor(log10(scale->high) + 1e-9);
    int every = high >= low ? (high - low) / (int)most + 1 : 1;
    bool is_short = high - low < 1;
    if (is_short)
        out->at[out->n++] = scale->low;
    for (int power = low; power <= high && out->n < most; power += every) {
        double at = pow(10, power);
        if (!is_short || (at > scale->low * 1.5 && at < scale->high / 1.5))
            out->at[out->n++] = at;
    }
    if (is_short && out->n < most)
        out->at[out->n++] = scale->high;
}

void scale_ticks(const struct scale *scale, size_t most, struct ticks *out)
{
    *out = (struct ticks){0};
    if (most > SCALE_MAX_TICKS)
        most = SCALE_MAX_TICKS;
    if (!most)
        return;
    if (scale->is_log)
        log_ticks(scale, most, out);
    else
        linear_ticks(scale, most, out);
}

void scale_label(const struct ticks *ticks, size_t i, char out[HUMAN_BYTES])
{
    double value = ticks->at[i], step = ticks->step, size = fabs(value);
    double decimals = step > 0 ? ceil(-log10(step) - 1e-9) : 0;
    if (step == 0 || size >= 1e9 || decimals > 6)
        snprintf(out, HUMAN_BYTES, "%.4g", value);
    else
        snprintf(out, HUMAN_BYTES, "%.*f", decimals > 0 ? (int)decimals : 0, value);
}
