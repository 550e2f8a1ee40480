/* SPDX-License-Identifier: Apache-2.0 */
#include "net/retry.h"

#include <errno.h>

#include "check.h"

static void statuses_become_errnos(void)
{
    static const struct {
        int status, err;
    } cases[] = {
        {200, 0},       {206, 0},       {201, -EPROTO}, {204, -EPROTO}, {302, -EPROTO},
        {304, -EPROTO}, {400, -EPROTO}, {401, -EACCES}, {403, -EACCES}, {404, -ENOENT},
        {405, -EPROTO}, {408, -EAGAIN}, {409, -EPROTO}, {410, -ENOENT}, {412, -ESTALE},
        {416, -ESTALE}, {429, -EAGAIN}, {499, -EPROTO}, {500, -EAGAIN}, {503, -EAGAIN},
        {599, -EAGAIN}, {600, -EPROTO}, {0, -EPROTO},   {-1, -EPROTO},  {100, -EPROTO},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (retry_status_errno(cases[i].status) != cases[i].err)
            printf("# status %d\n", cases[i].status);
        CHECK_EQ(retry_status_errno(cases[i].status), cases[i].err);
    }
}

static void only_passing_failures_are_transient(void)
{
    static const int passing[] = {-EAGAIN,    -ECONNREFUSED, -ECONNRESET, -EPIPE,
                                  -ETIMEDOUT, -EHOSTUNREACH, -ENETUNREACH};
    static const int lasting[] = {0,       -ENOENT,    -EACCES, -ESTALE, -EPROTO, -EINVAL,
                                  -ENOMEM, -ECANCELED, -EFBIG,  -EIO,    EAGAIN};
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
        CHECK(retry_is_transient(passing[i]));
    for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++)
        CHECK(!retry_is_transient(lasting[i]));
}

static void delays_double_up_to_a_cap(void)
{
    static const int spans[] = {200, 400, 800, 1600, 3200, 5000, 5000, 5000};
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(retry_delay_ms(i + 1, -1, 0.0, 0, UINT64_MAX), 0);
        CHECK_EQ(retry_delay_ms(i + 1, -1, 0.5, 0, UINT64_MAX), spans[i] / 2);
        CHECK_EQ(retry_delay_ms(i + 1, -1, 0.9999, 0, UINT64_MAX), (int)(spans[i] * 0.9999));
    }
    CHECK_EQ(retry_delay_ms(2000000000, -1, 0.5, 0, UINT64_MAX), 2500);
    CHECK_EQ(retry_delay_ms(-5, -1, 0.5, 0, UINT64_MAX), 50);
}

static void retry_after_is_obeyed_within_reason(void)
{
    CHECK_EQ(retry_delay_ms(1, 3000, 0.5, 0, UINT64_MAX), 3000);
    CHECK_EQ(retry_delay_ms(1, 20, 0.5, 0, UINT64_MAX), 100);
    CHECK_EQ(retry_delay_ms(1, 0, 0.0, 0, UINT64_MAX), 0);
    CHECK_EQ(retry_delay_ms(1, 3600000, 0.5, 0, UINT64_MAX), 60000);
    CHECK_EQ(retry_delay_ms(1, INT64_MAX, 0.5, 0, UINT64_MAX), 60000);
}

static void no_wait_goes_past_the_deadline(void)
{
    CHECK_EQ(retry_delay_ms(1, 500, 0.0, 1000, 1500), 500);
    CHECK_EQ(retry_delay_ms(1, 501, 0.0, 1000, 1500), -1);
    CHECK_EQ(retry_delay_ms(1, -1, 0.0, 1500, 1500), 0);
    CHECK_EQ(retry_delay_ms(1, -1, 0.0, 1501, 1500), -1);
    CHECK_EQ(retry_delay_ms(1, 60000, 0.0, UINT64_MAX - 10, UINT64_MAX), -1);
}

int main(void)
{
    TEST("each status has its errno", statuses_become_errnos);
    TEST("only failures that pass are transient", only_passing_failures_are_transient);
    TEST("delays double up to a cap, with full jitter", delays_double_up_to_a_cap);
    TEST("Retry-After is obeyed, up to a minute", retry_after_is_obeyed_within_reason);
    TEST("no wait goes past the deadline", no_wait_goes_past_the_deadline);
    return check_done();
}
