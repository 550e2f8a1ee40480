/* SPDX-License-Identifier: Apache-2.0 */
#include "util/histogram.h"

#include <errno.h>
#include <pthread.h>

#include "check.h"

enum { N_THREADS = 4, N_ADDS = 20000 };

static void buckets_follow_each_other_without_a_gap(void)
{
    for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
        CHECK_EQ(histogram_bucket(histogram_bound(i) - 1), i);
        CHECK_EQ(histogram_bucket(histogram_bound(i)), i + 1);
    }
}

static void a_bucket_is_a_quarter_wide_at_most(void)
{
    for (unsigned i = HISTOGRAM_PARTS; i + 1 < HISTOGRAM_BUCKETS; i++) {
        uint64_t first = histogram_bound(i - 1), bound = histogram_bound(i);
        CHECK((bound - first) * HISTOGRAM_PARTS <= first);
    }
}

static void known_values_have_known_buckets(void)
{
    static const struct {
        uint64_t value;
        unsigned bucket;
    } cases[] = {
        {0, 0},
        {3, 3},
        {4, 4},
        {7, 7},
        {8, 8},
        {9, 8},
        {10, 9},
        {15, 11},
        {16, 12},
        {UINT64_C(1) << 38, 148},
        {UINT64_C(1) << 39, 151},
        {UINT64_MAX, HISTOGRAM_BUCKETS - 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(histogram_bucket(cases[i].value), cases[i].bucket);
    CHECK_EQ(histogram_bound(HISTOGRAM_BUCKETS - 1), INT64_C(1) << 39);
}

static void add(struct histogram *h, uint64_t value)
{
    h->n[histogram_bucket(value)]++;
    h->sum += value;
    h->max = h->max > value ? h->max : value;
}

static void nothing_has_no_quantile(void)
{
    struct histogram h = {0};
    CHECK_EQ(histogram_count(&h), 0);
    CHECK_EQ(histogram_quantile(&h, 0.5), 0);
    CHECK_EQ(histogram_quantile(&h, 1), 0);
}

static void a_quantile_is_up_to_a_quarter_too_large_and_never_too_small(void)
{
    struct histogram h = {0};
    for (uint64_t value = 1; value <= 10000; value++)
        add(&h, value);
    CHECK_EQ(histogram_count(&h), 10000);
    static const double quantiles[] = {0.01, 0.25, 0.5, 0.9, 0.99, 0.999};
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
        uint64_t exact = (uint64_t)(quantiles[i] * 10000),
                 told = histogram_quantile(&h, quantiles[i]);
        CHECK(told >= exact);
        CHECK(told <= exact + exact / HISTOGRAM_PARTS + 1);
    }
}

static void the_last_quantile_is_the_largest_value(void)
{
    struct histogram h = {0};
    add(&h, 100);
    add(&h, 1000001);
    CHECK_EQ(histogram_quantile(&h, 1), 1000001);
    CHECK_EQ(histogram_quantile(&h, 0.5), histogram_bound(histogram_bucket(100)) - 1);
    add(&h, UINT64_MAX - 5); /* behind the last bucket's bound */
    CHECK_EQ(histogram_quantile(&h, 1), (long long)(UINT64_MAX - 5));
}

static void a_rare_slow_one_shows_in_the_tail_only(void)
{
    struct histogram h = {0};
    for (int i = 0; i < 995; i++)
        add(&h, 1000);
    for (int i = 0; i < 5; i++)
        add(&h, 900000);
    CHECK(histogram_quantile(&h, 0.99) < 1300);
    CHECK_EQ(histogram_quantile(&h, 0.999), 900000);
}

static void a_difference_is_what_came_since(void)
{
    struct histogram before = {0}, now = {0};
    for (int i = 0; i < 100; i++)
        add(&before, 5000000);
    now = before;
    for (int i = 0; i < 10; i++)
        add(&now, 200);
    histogram_subtract(&now, &before);
    CHECK_EQ(histogram_count(&now), 10);
    CHECK_EQ(now.sum, 2000);
    CHECK_EQ(now.max, histogram_bound(histogram_bucket(200)) - 1); /* not that of before */
    CHECK(histogram_quantile(&now, 0.99) < 256);
}

static void a_difference_with_itself_is_nothing(void)
{
    struct histogram h = {0}, same;
    add(&h, 7);
    add(&h, 70000);
    same = h;
    histogram_subtract(&h, &same);
    CHECK_EQ(histogram_count(&h), 0);
    CHECK_EQ(h.sum, 0);
    CHECK_EQ(h.max, 0);
}

/* Who looks at two mounts one after the other at the same place. */
static void a_difference_is_never_below_nothing(void)
{
    struct histogram h = {0}, more = {0};
    add(&h, 7);
    for (int i = 0; i < 9; i++)
        add(&more, 7);
    histogram_subtract(&h, &more);
    CHECK_EQ(histogram_count(&h), 0);
    CHECK_EQ(h.sum, 0);
}

static void two_together_are_their_sum(void)
{
    struct histogram a = {0}, b = {0};
    add(&a, 7);
    add(&b, 7);
    add(&b, 900);
    histogram_merge(&a, &b);
    CHECK_EQ(a.n[7], 2);
    CHECK_EQ(histogram_count(&a), 3);
    CHECK_EQ(a.sum, 914);
    CHECK_EQ(a.max, 900);
}

static void text_is_read_back(void)
{
    struct histogram h = {0}, back = {0};
    BUF_CLEANUP struct buf text = {0};
    static const uint64_t values[] = {0, 1, 5, 1000, 1000, 123456789, UINT64_MAX};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        add(&h, values[i]);
    CHECK_EQ(histogram_format(&h, &text), 0);
    CHECK_EQ(histogram_parse(text.data, &back), 0);
    CHECK_EQ(memcmp(h.n, back.n, sizeof(h.n)), 0);
}

static void text_has_bounds_and_counts(void)
{
    struct histogram h = {0};
    BUF_CLEANUP struct buf text = {0};
    add(&h, 2);
    add(&h, 9);
    add(&h, 8);
    CHECK_EQ(histogram_format(&h, &text), 0);
    CHECK_STR(text.data, " 3:1 10:2");
}

static void text_that_is_none_is_refused(void)
{
    static const char *const bad[] = {"x",   "1",       "1:",   ":1",  "1:x",
                                      "0:1", "1:2,3:4", "-1:2", "1:-2"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct histogram h = {0};
        CHECK_EQ(histogram_parse(bad[i], &h), -EINVAL);
    }
    struct histogram h = {0};
    CHECK_EQ(histogram_parse("", &h), 0);
    CHECK_EQ(histogram_count(&h), 0);
}

static struct histogram_meter meter;

static void *add_many(void *arg)
{
    for (uint64_t i = 0; i < N_ADDS; i++)
        histogram_add(&meter, i);
    return arg;
}

static void nothing_is_lost_between_threads(void)
{
    pthread_t threads[N_THREADS];
    struct histogram h;
    for (int i = 0; i < N_THREADS; i++)
        pthread_create(&threads[i], NULL, add_many, NULL);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    histogram_load(&meter, &h);
    CHECK_EQ(histogram_count(&h), N_THREADS * N_ADDS);
    CHECK_EQ(h.sum, (long long)N_THREADS * N_ADDS * (N_ADDS - 1) / 2);
    CHECK_EQ(h.max, N_ADDS - 1);
}

int main(void)
{
    TEST("buckets follow each other without a gap", buckets_follow_each_other_without_a_gap);
    TEST("a bucket is a quarter wide at most", a_bucket_is_a_quarter_wide_at_most);
    TEST("known values have known buckets", known_values_have_known_buckets);
    TEST("nothing has no quantile", nothing_has_no_quantile);
    TEST("a quantile is up to a quarter too large and never too small",
         a_quantile_is_up_to_a_quarter_too_large_and_never_too_small);
    TEST("the last quantile is the largest value", the_last_quantile_is_the_largest_value);
    TEST("a rare slow one shows in the tail only", a_rare_slow_one_shows_in_the_tail_only);
    TEST("a difference is what came since", a_difference_is_what_came_since);
    TEST("a difference with itself is nothing", a_difference_with_itself_is_nothing);
    TEST("a difference is never below nothing", a_difference_is_never_below_nothing);
    TEST("two together are their sum", two_together_are_their_sum);
    TEST("text is read back", text_is_read_back);
    TEST("text has bounds and counts", text_has_bounds_and_counts);
    TEST("text that is none is refused", text_that_is_none_is_refused);
    TEST("nothing is lost between threads", nothing_is_lost_between_threads);
    return check_done();
}
