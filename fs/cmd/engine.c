/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/engine.h"

#include <semaphore.h>

#include "net/http.h"
#include "read/fetch.h"
#include "read/study_contents.h"
#include "read/study_history.h"
#include "util/cleanup.h"
#include "util/pool.h"

enum { POOL_THREADS = 2 };

int engine_start(struct engine *engine, struct source *source)
{
    *engine = (struct engine){.source = source};
    int r = pool_new(POOL_THREADS, &engine->pool);
    if (r < 0)
        return r;
    const struct fetch_options options = {
        .http = source->http, .registry = source->registry, .pool = engine->pool};
    return fetch_new(&options, &engine->fetch);
}

void engine_cancel(struct engine *engine)
{
    if (engine->fetch)
        fetch_stop(engine->fetch);
    http_stop(engine->source->http);
}

void engine_stop(struct engine *engine)
{
    if (!engine->source)
        return;
    engine_cancel(engine);
    pool_free(engine->pool);
    fetch_free(engine->fetch);
    *engine = (struct engine){0};
}

static struct study_target target_of(const struct engine *engine, const char *model_id,
                                     const struct listing *listing)
{
    return (struct study_target){
        .fetch = engine->fetch,
        .pool = engine->pool,
        .origin = registry_origin(engine->source->registry),
        .place = {engine->source->project_id, model_id},
        .listing = listing,
    };
}

/* What is waited for. */
struct answer {
    sem_t done;
    int err;
    struct study_history *history;
    struct study_contents *contents;
};

static void on_history(void *ctx, struct study_history *history, int err)
{
    struct answer *answer = ctx;
    answer->history = history;
    answer->err = err;
    sem_post(&answer->done);
}

static void on_contents(void *ctx, struct study_contents *contents, int err)
{
    struct answer *answer = ctx;
    answer->contents = contents;
    answer->err = err;
    sem_post(&answer->done);
}

static void wait_for(struct answer *answer)
{
    while (sem_wait(&answer->done) < 0)
        ;
    sem_destroy(&answer->done);
}

int engine_read_history(struct engine *engine, const char *model_id, struct listing *listing)
{
    const struct study_target target = target_of(engine, model_id, listing);
    struct answer answer = {0};
    sem_init(&answer.done, 0, 0);
    study_history_begin(&target, on_history, &answer);
    wait_for(&answer);
    int r = answer.err == 0 ? study_history_apply(answer.history, listing) : answer.err;
    study_history_free(answer.history);
    return r;
}

int engine_read_contents(struct engine *engine, const char *model_id, const struct listing *listing,
                         const struct checkpoint *checkpoint, struct study_contents **out)
{
    const struct study_target target = target_of(engine, model_id, listing);
    struct answer answer = {0};
    sem_init(&answer.done, 0, 0);
    study_contents_begin(&target, checkpoint, on_contents, &answer);
    wait_for(&answer);
    *out = answer.contents;
    return answer.err;
}
