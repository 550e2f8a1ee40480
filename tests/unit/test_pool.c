/* SPDX-License-Identifier: Apache-2.0 */
#include "util/pool.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "check.h"
#include "util/cleanup.h"
#include "util/clock.h"

DEFINE_CLEANUP(struct pool *, cleanup_pool, pool_free)

static atomic_int n_run;

static void count(void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&n_run, 1);
}

static void post(void *ctx)
{
    sem_post(ctx);
}

static void hold(void *ctx)
{
    sem_wait(ctx);
}

/* Whether @sem is posted within @ms. */
static bool is_posted(sem_t *sem, int ms)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += ms / 1000;
    end.tv_nsec += ms % 1000 * 1000000L;
    if (end.tv_nsec >= 1000000000L) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000L;
    }
    return sem_timedwait(sem, &end) == 0;
}

static struct pool *new_pool(int n_threads)
{
    struct pool *pool = NULL;
    CHECK_EQ(pool_new(n_threads, &pool), 0);
    return pool;
}

static void every_job_is_run_once(void)
{
    atomic_store(&n_run, 0);
    struct pool *pool = new_pool(4);
    for (int i = 0; i < 5000; i++)
        CHECK_EQ(pool_add(pool, count, NULL), 0);
    pool_free(pool);
    CHECK_EQ(atomic_load(&n_run), 5000);
}

enum { ORDERED = 200 };
static int order[ORDERED];
static atomic_int n_order;

static void note_order(void *ctx)
{
    order[atomic_fetch_add(&n_order, 1)] = *(int *)ctx;
}

static void one_thread_keeps_the_order(void)
{
    static int numbers[ORDERED];
    struct pool *pool = new_pool(1);
    atomic_store(&n_order, 0);
    for (int i = 0; i < ORDERED; i++) {
        numbers[i] = i;
        pool_add(pool, note_order, &numbers[i]);
    }
    pool_free(pool);
    for (int i = 0; i < ORDERED; i++)
        CHECK_EQ(order[i], i);
}

static void delayed_jobs_come_by_their_time(void)
{
    static const int delays_ms[] = {60, 20, 40, 0, 20, -5};
    static const int want[] = {5, 3, 1, 4, 2, 0};
    enum { N = sizeof(want) / sizeof(want[0]) };
    int numbers[N];
    sem_t done, held;
    sem_init(&done, 0, 0);
    sem_init(&held, 0, 0);
    CLEANUP(cleanup_pool) struct pool *pool = new_pool(1);
    atomic_store(&n_order, 0);
    pool_add_after(pool, -1000, hold, &held);
    for (int i = 0; i < N; i++) {
        numbers[i] = i;
        pool_add_after(pool, delays_ms[i], note_order, &numbers[i]);
    }
    pool_add_after(pool, 80, post, &done);
    sem_post(&held);
    CHECK(is_posted(&done, 10000));
    for (int i = 0; i < N; i++)
        CHECK_EQ(order[i], want[i]);
}

static void no_delayed_job_is_early(void)
{
    sem_t done;
    sem_init(&done, 0, 0);
    CLEANUP(cleanup_pool) struct pool *pool = new_pool(2);
    uint64_t start = clock_now_ms();
    pool_add_after(pool, 50, post, &done);
    CHECK(is_posted(&done, 10000));
    CHECK(clock_now_ms() - start >= 50);
}

static void a_new_job_does_not_wait_for_a_delayed_one(void)
{
    sem_t done;
    sem_init(&done, 0, 0);
    CLEANUP(cleanup_pool) struct pool *pool = new_pool(1);
    pool_add_after(pool, 3600000, count, NULL);
    pool_add(pool, post, &done);
    CHECK(is_posted(&done, 10000));
}

/* Whoever sleeps must wake up for the next job when the others are held by theirs. */
static void held_threads_keep_no_other_waiting(void)
{
    enum { THREADS = 4, ROUNDS = 20 };
    sem_t held, done;
    sem_init(&held, 0, 0);
    sem_init(&done, 0, 0);
    CLEANUP(cleanup_pool) struct pool *pool = new_pool(THREADS);
    bool in_time = true;
    for (int round = 0; round < ROUNDS && in_time; round++) {
        pool_add_after(pool, 4, post, &done);
        for (int i = 0; i < THREADS - 1; i++)
            pool_add_after(pool, i, hold, &held);
        in_time = is_posted(&done, 2000);
        for (int i = 0; i < THREADS - 1; i++)
            sem_post(&held);
    }
    CHECK(in_time);
}

static void the_end_runs_delayed_jobs_at_once(void)
{
    atomic_store(&n_run, 0);
    struct pool *pool = new_pool(2);
    uint64_t start = clock_now_ms();
    for (int i = 0; i < 10; i++)
        pool_add_after(pool, 3600000 + i, count, NULL);
    pool_free(pool);
    CHECK_EQ(atomic_load(&n_run), 10);
    CHECK(clock_now_ms() - start < 60000);
    pool_free(NULL);
}

static struct pool *own_pool;

static void add_more(void *ctx)
{
    int *left = ctx;
    atomic_fetch_add(&n_run, 1);
    if (--*left > 0)
        pool_add(own_pool, add_more, left);
}

static void jobs_may_add_jobs_to_the_end(void)
{
    int left = 100;
    atomic_store(&n_run, 0);
    own_pool = new_pool(3);
    pool_add(own_pool, add_more, &left);
    pool_free(own_pool);
    CHECK_EQ(atomic_load(&n_run), 100);
}

static void no_memory_is_an_error(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        struct pool *pool = NULL;
        atomic_store(&n_run, 0);
        int r = pool_new(1, &pool);
        CHECK(r == 0 || (r == -ENOMEM && !pool));
        int added = r == 0 ? pool_add(pool, count, NULL) : r;
        CHECK(added == 0 || added == -ENOMEM);
        pool_free(pool);
        CHECK_EQ(atomic_load(&n_run), added == 0);
    }
}

int main(void)
{
    TEST("every job is run once", every_job_is_run_once);
    TEST("one thread keeps the order of arrival", one_thread_keeps_the_order);
    TEST("delayed jobs come by their time, then by arrival", delayed_jobs_come_by_their_time);
    TEST("no delayed job is early", no_delayed_job_is_early);
    TEST("a new job does not wait for a delayed one", a_new_job_does_not_wait_for_a_delayed_one);
    TEST("held threads keep no other waiting", held_threads_keep_no_other_waiting);
    TEST("the end runs delayed jobs at once", the_end_runs_delayed_jobs_at_once);
    TEST("jobs may add jobs, to the end", jobs_may_add_jobs_to_the_end);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
