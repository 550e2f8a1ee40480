/* SPDX-License-Identifier: Apache-2.0 */
#include "net/retry.h"

#include <errno.h>

enum {
    BASE_MS = 100,
    BACKOFF_MAX_MS = 5000,      /* reached by the sixth attempt */
    RETRY_AFTER_MAX_MS = 60000, /* a server that asks for an hour is not waited for */
    DOUBLINGS_MAX = 10,         /* keeps the shift small; the cap above holds long before */
};

int retry_status_errno(int status)
{
    switch (status) {
    case 200:
    case 206:
        return 0;
    case 401:
    case 403:
        return -EACCES;
    case 404:
    case 410:
        return -ENOENT;
    case 412:
    case 416:
        return -ESTALE;
    case 408:
    case 429:
        return -EAGAIN;
    default:
        return status >= 500 && status <= 599 ? -EAGAIN : -EPROTO;
    }
}

bool retry_is_transient(int err)
{
    switch (err) {
    case -EAGAIN:
    case -ECONNREFUSED: /* a server being restarted */
    case -ECONNRESET:
    case -EPIPE:
    case -ETIMEDOUT:
    case -EHOSTUNREACH:
    case -ENETUNREACH:
        return true;
    default:
        return false;
    }
}

int64_t retry_delay_ms(int attempt, int64_t retry_after_ms, double chance, uint64_t now_ms,
                       uint64_t deadline_ms)
{
    int doublings = attempt < 0 ? 0 : attempt > DOUBLINGS_MAX ? DOUBLINGS_MAX : attempt;
    int64_t span = (int64_t)BASE_MS << doublings;
    if (span > BACKOFF_MAX_MS)
        span = BACKOFF_MAX_MS;
    int64_t delay = (int64_t)((double)span * chance);
    if (retry_after_ms > RETRY_AFTER_MAX_MS)
        retry_after_ms = RETRY_AFTER_MAX_MS;
    if (delay < retry_after_ms)
        delay = retry_after_ms;
    if (now_ms > deadline_ms || (uint64_t)delay > deadline_ms - now_ms)
        return -1;
    return delay;
}
