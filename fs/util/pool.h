/* SPDX-License-Identifier: Apache-2.0 */
/* A small pool of threads for work that may wait: listings, locators, verifying a whole blob. Any
 * thread may call. */
#pragma once

#include <stdint.h>

struct pool;

typedef void pool_job_fn(void *ctx);

/* Starts @n_threads threads. 0 or -errno. */
int pool_new(int n_threads, struct pool **out);
/* Runs what is queued and due, drops nothing that is not: delayed jobs run at once. Then ends the
 * threads. NULL is fine. */
void pool_free(struct pool *pool);

/* Runs fn(ctx) on a thread of the pool, in order of arrival. 0 or -ENOMEM. */
int pool_add(struct pool *pool, pool_job_fn *fn, void *ctx);
/* The same, not before @delay_ms from now. */
int pool_add_after(struct pool *pool, int64_t delay_ms, pool_job_fn *fn, void *ctx);
