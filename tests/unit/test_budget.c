/* SPDX-License-Identifier: Apache-2.0 */
#include "read/budget.h"

#include <errno.h>
#include <pthread.h>

#include "check.h"
#include "util/cleanup.h"
#include "util/pool.h"

DEFINE_CLEANUP(struct budget *, cleanup_budget, budget_free)

enum { MAX_TAKEN = 64 };

struct taken {
    struct block_buf *bufs[MAX_TAKEN];
    int n;
};

/* Takes buffers of one lane until it is refused. */
static void take_all(struct budget *budget, enum budget_lane lane, struct taken *t)
{
    struct block_buf *buf;
    while (t->n < MAX_TAKEN && (buf = budget_take(budget, BLOCK_BYTES, lane)))
        t->bufs[t->n++] = buf;
}

static void bring_back(struct taken *t, int n)
{
    while (n-- > 0)
        block_buf_unref(t->bufs[--t->n]);
}

static struct budget *new_budget(uint64_t n_blocks)
{
    struct budget *budget = NULL;
    CHECK_EQ(budget_new(n_blocks * BLOCK_BYTES, NULL, &budget), 0);
    return budget;
}

static void the_limit_is_whole_blocks_and_eight(void)
{
    static const struct {
        uint64_t limit_bytes, blocks;
    } cases[] = {
        {0, 8},
        {1, 8},
        {8 * BLOCK_BYTES, 8},
        {9 * BLOCK_BYTES - 1, 8},
        {9 * BLOCK_BYTES, 9},
        {UINT64_MAX, UINT64_MAX / BLOCK_BYTES},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(cleanup_budget) struct budget *budget = NULL;
        CHECK_EQ(budget_new(cases[i].limit_bytes, NULL, &budget), 0);
        CHECK_EQ(budget_limit_bytes(budget) / BLOCK_BYTES, cases[i].blocks);
    }
}

static void demand_has_it_all_and_read_ahead_a_part(void)
{
    static const struct {
        uint64_t limit;
        int demand, ahead;
    } cases[] = {{8, 8, 6}, {9, 9, 6}, {16, 16, 12}, {20, 20, 15}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(cleanup_budget) struct budget *budget = new_budget(cases[i].limit);
        struct taken t = {.n = 0};
        take_all(budget, BUDGET_AHEAD, &t);
        CHECK_EQ(t.n, cases[i].ahead);
        take_all(budget, BUDGET_DEMAND, &t);
        CHECK_EQ(t.n, cases[i].demand);
        CHECK_EQ(budget_used_bytes(budget), cases[i].demand * BLOCK_BYTES);
        bring_back(&t, t.n);
        CHECK_EQ(budget_used_bytes(budget), 0);
    }
}

static void a_buffer_is_a_writable_block(void)
{
    CLEANUP(cleanup_budget) struct budget *budget = new_budget(8);
    struct block_buf *buf = budget_take(budget, BLOCK_BYTES, BUDGET_DEMAND);
    CHECK(buf && buf->data);
    CHECK_EQ(buf->refs, 1);
    CHECK_EQ(buf->present, 0);
    memset(buf->data, 0xaa, BLOCK_BYTES);
    block_buf_ref(buf);
    block_buf_unref(buf);
    CHECK_EQ(budget_used_bytes(budget), BLOCK_BYTES);
    block_buf_unref(buf);
    CHECK_EQ(budget_used_bytes(budget), 0);
}

static void a_reused_buffer_starts_anew(void)
{
    CLEANUP(cleanup_budget) struct budget *budget = new_budget(8);
    struct block_buf *buf = budget_take(budget, BLOCK_BYTES, BUDGET_DEMAND);
    uint8_t *data = buf->data;
    buf->present = 0xffff;
    buf->block = 7;
    block_buf_unref(buf);
    buf = budget_take(budget, BLOCK_BYTES, BUDGET_AHEAD);
    CHECK(buf->data == data);
    CHECK(buf->refs == 1 && !buf->present && !buf->block);
    CHECK_EQ(buf->len, BLOCK_BYTES);
    block_buf_unref(buf);
}

static void a_small_file_costs_what_it_is(void)
{
    static const struct {
        uint32_t len;
        uint64_t cost;
    } cases[] = {
        {1, 4096},
        {4096, 4096},
        {8192, 8192},
        {PIECE_BYTES, PIECE_BYTES},
        {PIECE_BYTES + 1, BLOCK_BYTES},
    };
    CLEANUP(cleanup_budget) struct budget *budget = new_budget(8);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct block_buf *buf = budget_take(budget, cases[i].len, BUDGET_AHEAD);
        CHECK(buf && buf->len == cases[i].len);
        memset(buf->data, 0xaa, buf->len);
        CHECK_EQ(budget_used_bytes(budget), cases[i].cost);
        block_buf_unref(buf);
        CHECK_EQ(budget_used_bytes(budget), 0);
    }
}

static void small_ones_stop_at_the_limit_too(void)
{
    CLEANUP(cleanup_budget) struct budget *budget = new_budget(8);
    struct taken t = {.n = 0};
    for (; t.n < 7; t.n++)
        t.bufs[t.n] = budget_take(budget, BLOCK_BYTES, BUDGET_DEMAND);
    for (int i = 0; i < 16; i++)
        CHECK((t.bufs[t.n++] = budget_take(budget, PIECE_BYTES, BUDGET_DEMAND)));
    CHECK(!budget_take(budget, 1, BUDGET_DEMAND));
    bring_back(&t, t.n);
}

/* Takes @n blocks and brings them all back. */
static void use(struct budget *budget, int n)
{
    struct taken t = {.n = 0};
    for (; t.n < n; t.n++) {
        t.bufs[t.n] = budget_take(budget, BLOCK_BYTES, BUDGET_DEMAND);
        CHECK(t.bufs[t.n]);
        t.bufs[t.n]->data[BLOCK_BYTES - 1] = 1;
    }
    bring_back(&t, n);
}

static void what_came_back_is_kept(void)
{
    CLEANUP(cleanup_budget) struct budget *budget = new_budget(40);
    for (int round = 0; round < 3; round++) {
        use(budget, 40);
        CHECK_EQ(budget_kept_bytes(budget), 40 * BLOCK_BYTES);
    }
}

static void what_nobody_needed_since_the_last_trim_goes(void)
{
    CLEANUP(cleanup_budget) struct budget *budget = new_budget(40);
    use(budget, 40);
    budget_trim(budget); /* all were in use since the start */
    CHECK_EQ(budget_kept_bytes(budget), 40 * BLOCK_BYTES);
    use(budget, 30);
    budget_trim(budget);
    CHECK_EQ(budget_kept_bytes(budget), 30 * BLOCK_BYTES);
    budget_trim(budget);
    CHECK_EQ(budget_kept_bytes(budget), 8 * BLOCK_BYTES);
    use(budget, 2);
    budget_trim(budget);
    CHECK_EQ(budget_kept_bytes(budget), 8 * BLOCK_BYTES);
}

/* The trim that was planned is run at once by the pool's end; it must not plan another for ever. */
static void a_pool_trims_until_it_ends(void)
{
    struct pool *pool = NULL;
    CLEANUP(cleanup_budget) struct budget *budget = NULL;
    CHECK_EQ(pool_new(1, &pool), 0);
    CHECK_EQ(budget_new(20 * BLOCK_BYTES, pool, &budget), 0);
    use(budget, 20);
    budget_trim(budget);
    CHECK_EQ(budget_kept_bytes(budget), 20 * BLOCK_BYTES);
    budget_stop(budget);
    pool_free(pool);
    CHECK_EQ(budget_kept_bytes(budget), 8 * BLOCK_BYTES);
    use(budget, 20);
}

static void count_room(void *ctx)
{
    ++*(int *)ctx;
}

static void who_was_refused_hears_of_room_once(void)
{
    CLEANUP(cleanup_budget) struct budget *budget = new_budget(8);
    struct taken t = {.n = 0};
    int told = 0;
    budget_on_room(budget, count_room, &told);
    take_all(budget, BUDGET_AHEAD, &t);
    bring_back(&t, 1);
    CHECK_EQ(told, 0); /* read-ahead that was refused is not told */
    take_all(budget, BUDGET_DEMAND, &t);
    bring_back(&t, 1);
    CHECK_EQ(told, 1);
    bring_back(&t, t.n);
    CHECK_EQ(told, 1);
}

/* on_room may take at once: no lock is held. */
static void take_one(void *ctx)
{
    struct budget *budget = ctx;
    struct block_buf *buf = budget_take(budget, BLOCK_BYTES, BUDGET_DEMAND);
    CHECK(buf);
    block_buf_unref(buf);
}

static void the_told_may_take_at_once(void)
{
    CLEANUP(cleanup_budget) struct budget *budget = new_budget(8);
    struct taken t = {.n = 0};
    budget_on_room(budget, take_one, budget);
    take_all(budget, BUDGET_DEMAND, &t);
    bring_back(&t, t.n);
    CHECK_EQ(budget_used_bytes(budget), 0);
}

static void nobody_to_tell_is_fine(void)
{
    CLEANUP(cleanup_budget) struct budget *budget = new_budget(8);
    struct taken t = {.n = 0};
    take_all(budget, BUDGET_DEMAND, &t);
    bring_back(&t, t.n);
    CHECK_EQ(budget_used_bytes(budget), 0);
    budget_free(NULL);
}

static void *take_and_bring_back(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        struct block_buf *buf = budget_take(arg, BLOCK_BYTES, i % 2 ? BUDGET_DEMAND : BUDGET_AHEAD);
        if (buf)
            buf->data[0] = (uint8_t)i;
        block_buf_unref(buf);
    }
    return NULL;
}

static void any_thread_may_call(void)
{
    CLEANUP(cleanup_budget) struct budget *budget = new_budget(8);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, take_and_bring_back, budget), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(budget_used_bytes(budget), 0);
}

static void the_default_is_sensible(void)
{
    CHECK(budget_default_bytes() > 0);
    CHECK(budget_default_bytes() <= UINT64_C(256) << 20);
}

static void no_memory_takes_nothing_of_the_budget(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        CLEANUP(cleanup_budget) struct budget *budget = NULL;
        int r = budget_new(0, NULL, &budget);
        CHECK(r == 0 || (r == -ENOMEM && !budget));
        struct block_buf *buf = r == 0 ? budget_take(budget, BLOCK_BYTES, BUDGET_DEMAND) : NULL;
        if (r == 0)
            CHECK_EQ(budget_used_bytes(budget), buf ? BLOCK_BYTES : 0);
        block_buf_unref(buf);
    }
}

int main(void)
{
    TEST("the limit is whole blocks, eight at least", the_limit_is_whole_blocks_and_eight);
    TEST("demand has it all, read-ahead three quarters", demand_has_it_all_and_read_ahead_a_part);
    TEST("a buffer is a writable block", a_buffer_is_a_writable_block);
    TEST("a reused buffer starts anew", a_reused_buffer_starts_anew);
    TEST("what came back is kept", what_came_back_is_kept);
    TEST("a small file costs what it is", a_small_file_costs_what_it_is);
    TEST("small ones stop at the limit, too", small_ones_stop_at_the_limit_too);
    TEST("what nobody needed since the last trim goes",
         what_nobody_needed_since_the_last_trim_goes);
    TEST("a pool trims until it ends", a_pool_trims_until_it_ends);
    TEST("a demand that was refused hears of room once", who_was_refused_hears_of_room_once);
    TEST("who hears of room may take at once", the_told_may_take_at_once);
    TEST("nobody to tell is fine", nobody_to_tell_is_fine);
    TEST("any thread may call", any_thread_may_call);
    TEST("the default is 256 MiB at most", the_default_is_sensible);
    TEST("no memory takes nothing of the budget", no_memory_takes_nothing_of_the_budget);
    return check_done();
}
