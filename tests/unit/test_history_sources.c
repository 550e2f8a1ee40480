/* SPDX-License-Identifier: Apache-2.0 */
#include "model/history_sources.h"

#include <errno.h>

#include "check.h"
#include "util/buf.h"

/* The paths that are picked, in order, with a space between. */
static void check_pick(const char *const *paths, size_t n, const char *want)
{
    BUF_CLEANUP struct buf got = {0};
    CLEANUP(cleanup_free) uint32_t *picked = NULL;
    size_t n_picked = 0;
    buf_puts(&got, "");
    CHECK_EQ(history_sources_pick(paths, n, &picked, &n_picked), 0);
    for (size_t i = 0; i < n_picked; i++)
        buf_printf(&got, "%s%s", i ? " " : "", paths[picked[i]]);
    CHECK_STR(got.data, want);
}

#define CHECK_PICK(want, ...)                                                                      \
    check_pick((const char *const[]){__VA_ARGS__},                                                 \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), want)

static void what_tells_metrics_is_picked_in_order(void)
{
    CHECK_PICK("eval/events.out.tfevents.2 events.out.tfevents.1 metrics.csv", "metrics.csv", "x",
               "events.out.tfevents.1", "model.safetensors", "eval/events.out.tfevents.2");
    CHECK_PICK("", "a", "b/metrics.cs");
    check_pick(NULL, 0, "");
}

static void of_trainer_states_the_last_of_a_directory_is_picked(void)
{
    CHECK_PICK("checkpoint-1000/trainer_state.json", "checkpoint-900/trainer_state.json",
               "checkpoint-1000/trainer_state.json", "checkpoint-20/trainer_state.json");
    CHECK_PICK("a/checkpoint-2/trainer_state.json b/checkpoint-1/trainer_state.json "
               "trainer_state.json",
               "b/checkpoint-1/trainer_state.json", "a/checkpoint-2/trainer_state.json",
               "trainer_state.json", "a/checkpoint-1/trainer_state.json");
    /* no such directories */
    CHECK_PICK("checkpoint-/trainer_state.json xcheckpoint-1/trainer_state.json "
               "xcheckpoint-2/trainer_state.json",
               "xcheckpoint-1/trainer_state.json", "xcheckpoint-2/trainer_state.json",
               "checkpoint-/trainer_state.json");
}

static void many_sources_are_cut(void)
{
    enum { N = HISTORY_MAX_SOURCES + 10 };
    static char names[N][32];
    static const char *paths[N];
    CLEANUP(cleanup_free) uint32_t *picked = NULL;
    size_t n;
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof(names[i]), "%05d/metrics.csv", N - i);
        paths[i] = names[i];
    }
    CHECK_EQ(history_sources_pick(paths, N, &picked, &n), 0);
    CHECK_EQ(n, HISTORY_MAX_SOURCES);
    CHECK_STR(paths[picked[0]], "00001/metrics.csv");
}

static void survives_each_allocation_failure(void)
{
    static const char *const paths[] = {"metrics.csv"};
    FOR_EACH_ALLOC_FAILURE
    {
        CLEANUP(cleanup_free) uint32_t *picked = NULL;
        size_t n;
        int r = history_sources_pick(paths, 1, &picked, &n);
        CHECK(r == -ENOMEM || (r == 0 && n == 1));
    }
}

int main(void)
{
    TEST("what tells metrics is picked in order", what_tells_metrics_is_picked_in_order);
    TEST("of trainer states the last of a directory is picked",
         of_trainer_states_the_last_of_a_directory_is_picked);
    TEST("many sources are cut", many_sources_are_cut);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
