/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/human.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)

void human_size(uint64_t bytes, char out[HUMAN_BYTES])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes / 1024;
    size_t unit = 0;
    if (bytes < 1024) {
        snprintf(out, HUMAN_BYTES, "%" PRIu64 " B", bytes);
        return;
    }
    /* 1023.5 KiB would be rounded to 1024 */
    for (; value >= 1023.5 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        value /= 1024;
    snprintf(out, HUMAN_BYTES, "%.*f %s", value < 99.95 ? 1 : 0, value, units[unit]);
}

void human_count(uint64_t n, char out[HUMAN_BYTES])
{
    static const char *const units[] = {"K", "M", "B", "T", "Qa", "Qi"};
    double value = (double)n / 1000;
    size_t unit = 0;
    if (n < 1000) {
        snprintf(out, HUMAN_BYTES, "%" PRIu64, n);
        return;
    }
    /* 999.5 K would be rounded to 1000 */
    for (; value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        value /= 1000;
    snprintf(out, HUMAN_BYTES, "%.*f %s",
             value < 9.995   ? 2
             : value < 99.95 ? 1
                             : 0,
             value, units[unit]);
}

void human_share(uint64_t part, uint64_t whole, char out[HUMAN_BYTES])
{
    double percent = whole ? 100 * (double)part / (double)whole : 0;
    if (!part || part >= whole)
        strcpy(out, part && whole ? "100 %" : "0 %");
    else if (percent < 0.05 || percent >= 99.95)
        strcpy(out, percent < 50 ? "< 0.1 %" : "> 99.9 %");
    else
        snprintf(out, HUMAN_BYTES, "%.1f %%", percent);
}

void human_age(int64_t then_ns, int64_t now_ns, char out[HUMAN_BYTES])
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{365 * 86400, "y"}, {30 * 86400, "mon"}, {86400, "d"}, {3600, "h"}, {60, "min"}};
    int64_t seconds = then_ns < now_ns ? (now_ns - then_ns) / NS_PER_S : 0;
    strcpy(out, then_ns ? "now" : "-");
    for (size_t i = 0; then_ns && i < sizeof(units) / sizeof(units[0]); i++)
        if (seconds >= units[i].seconds) {
            snprintf(out, HUMAN_BYTES, "%" PRId64 " %s", seconds / units[i].seconds, units[i].name);
            return;
        }
}

void human_number(double value, char out[HUMAN_BYTES])
{
    double size = fabs(value);
    bool is_plain = value == 0 || (size >= 0.001 && size < 100000);
    snprintf(out, HUMAN_BYTES, is_plain ? "%.4f" : "%.4g", value);
}

void human_duration(uint64_t seconds, char out[HUMAN_BYTES])
{
    uint64_t hours = seconds / 3600;
    unsigned minutes = (unsigned)(seconds / 60 % 60), rest = (unsigned)(seconds % 60);
    if (hours > 999999)
        strcpy(out, "-");
    else if (hours)
        snprintf(out, HUMAN_BYTES, "%u:%02u:%02u", (unsigned)hours, minutes, rest);
    else
        snprintf(out, HUMAN_BYTES, "%u:%02u", minutes, rest);
}

void human_latency(uint64_t ns, char out[HUMAN_BYTES])
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    double value = (double)ns;
    size_t unit = 0;
    /* 999.5 us would be rounded to 1000 */
    for (; value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        value /= 1000;
    snprintf(out, HUMAN_BYTES, "%.*f %s", unit && value < 9.95 ? 1 : 0, value, units[unit]);
}

void human_rate(double per_s, char out[HUMAN_BYTES])
{
    snprintf(out, HUMAN_BYTES, "%.*f", per_s > 0 && per_s < 9.95 ? 1 : 0, per_s);
}
