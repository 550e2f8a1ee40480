/* SPDX-License-Identifier: Apache-2.0 */
/* One list of jobs, sorted by when they are due (then by arrival). Every idle thread waits for the
 * head's time; a new head wakes one. Delayed jobs are few (a timer each for listings that are being
 * waited for), so a list is enough. */
#include "util/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/clock.h"

struct job {
    pool_job_fn *fn;
    void *ctx;
    uint64_t due_ms;
    struct job *next;
};

struct pool {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    struct job *head;
    bool ending;
    int n_threads;
    pthread_t threads[];
};

static void wait_until(struct pool *pool, uint64_t due_ms)
{
    struct timespec at = {.tv_sec = (time_t)(due_ms / 1000),
                          .tv_nsec = (long)(due_ms % 1000) * 1000000};
    pthread_cond_timedwait(&pool->wake, &pool->lock, &at);
}

/* The next job that is due, waited for; NULL when the pool ends and nothing is left. */
static struct job *take_job(struct pool *pool)
{
    for (;;) {
        struct job *job = pool->head;
        if (job && (pool->ending || job->due_ms <= clock_now_ms())) {
            pool->head = job->next;
            return job;
        }
        if (pool->ending)
            return NULL;
        if (job)
            wait_until(pool, job->due_ms);
        else
            pthread_cond_wait(&pool->wake, &pool->lock);
    }
}

static void *run_jobs(void *arg)
{
    struct pool *pool = arg;
    struct job *job;
    pthread_mutex_lock(&pool->lock);
    while ((job = take_job(pool))) {
        pthread_mutex_unlock(&pool->lock);
        job->fn(job->ctx);
        free(job);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void init_locks(struct pool *pool)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&pool->lock, NULL);
}

int pool_new(int n_threads, struct pool **out)
{
    struct pool *pool = calloc(1, sizeof(*pool) + (size_t)n_threads * sizeof(pool->threads[0]));
    if (!pool)
        return -ENOMEM;
    init_locks(pool);
    for (; pool->n_threads < n_threads; pool->n_threads++) {
        int err = pthread_create(&pool->threads[pool->n_threads], NULL, run_jobs, pool);
        if (err) {
            pool_free(pool);
            return -err;
        }
    }
    *out = pool;
    return 0;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n_threads; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

int pool_add_after(struct pool *pool, int64_t delay_ms, pool_job_fn *fn, void *ctx)
{
    struct job *job = malloc(sizeof(*job));
    if (!job)
        return -ENOMEM;
    *job = (struct job){.fn = fn, .ctx = ctx, .due_ms = clock_now_ms() + (uint64_t)delay_ms};
    pthread_mutex_lock(&pool->lock);
    struct job **at = &pool->head;
    while (*at && (*at)->due_ms <= job->due_ms)
        at = &(*at)->next;
    job->next = *at;
    *at = job;
    pthread_cond_signal(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    return 0;
}

int pool_add(struct pool *pool, pool_job_fn *fn, void *ctx)
{
    return pool_add_after(pool, 0, fn, ctx);
}
