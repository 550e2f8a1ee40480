/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/pending.h"

#include <pthread.h>

#include "cache/buffer.h"

#include "check.h"

static const struct blob_id blob = {{1}}, other = {{1, 0, 0, 0, 1}}; /* one chain */
static _Atomic int n_alive;

static void release(struct block_buf *buf)
{
    n_alive--;
    free(buf);
}

static struct block_buf *buf_new(const struct blob_id *id, uint32_t block, uint32_t len)
{
    struct block_buf *buf = calloc(1, sizeof(*buf));
    *buf = (struct block_buf){
        .blob = *id, .block = block, .len = len, .present = 1, .release = release, .refs = 1};
    n_alive++;
    return buf;
}

static int count(struct pending *pending, const struct blob_id *id, uint32_t first, uint32_t n)
{
    struct block_buf *found[64];
    int n_found = pending_collect(pending, id, first, n, found, 64);
    for (int i = 0; i < n_found; i++) {
        CHECK(found[i]->block - first < n);
        block_buf_unref(found[i]);
    }
    return n_found;
}

static void what_is_added_is_collected_until_it_is_removed(void)
{
    struct pending *pending = pending_new();
    struct block_buf *buf = buf_new(&blob, 5, 100);
    CHECK_EQ(count(pending, &blob, 5, 1), 0);
    CHECK(pending_add(pending, buf));
    CHECK_EQ(pending_bytes(pending), 100);
    CHECK_EQ(count(pending, &blob, 5, 1), 1);
    CHECK_EQ(count(pending, &blob, 0, 10), 1);
    CHECK_EQ(count(pending, &blob, 4, 1), 0);
    CHECK_EQ(count(pending, &blob, 6, 5), 0);
    CHECK_EQ(count(pending, &other, 5, 1), 0);
    CHECK_EQ(count(pending, &blob, 5 + 1024, 1), 0); /* the same chain */
    pending_remove(pending, buf);
    CHECK_EQ(pending_bytes(pending), 0);
    CHECK_EQ(count(pending, &blob, 5, 1), 0);
    block_buf_unref(buf);
    CHECK_EQ(n_alive, 0);
    pending_free(pending);
}

static void what_was_collected_outlives_its_removal(void)
{
    struct pending *pending = pending_new();
    struct block_buf *buf = buf_new(&blob, 1, 10), *found[1];
    CHECK(pending_add(pending, buf));
    CHECK_EQ(pending_collect(pending, &blob, 1, 1, found, 1), 1);
    pending_remove(pending, buf);
    block_buf_unref(buf);
    CHECK_EQ(n_alive, 1);
    CHECK_EQ(found[0]->block, 1);
    block_buf_unref(found[0]);
    CHECK_EQ(n_alive, 0);
    pending_free(pending);
}

static void a_block_may_be_pending_several_times(void)
{
    struct pending *pending = pending_new();
    struct block_buf *one = buf_new(&blob, 1, 10), *two = buf_new(&blob, 1, 10);
    CHECK(pending_add(pending, one) && pending_add(pending, two));
    CHECK_EQ(count(pending, &blob, 1, 1), 2);
    pending_remove(pending, one);
    CHECK_EQ(count(pending, &blob, 1, 1), 1);
    pending_remove(pending, one); /* not there: nothing happens */
    CHECK_EQ(pending_bytes(pending), 10);
    pending_remove(pending, two);
    block_buf_unref(one);
    block_buf_unref(two);
    CHECK_EQ(n_alive, 0);
    pending_free(pending);
}

static void no_more_is_collected_than_there_is_room_for(void)
{
    struct pending *pending = pending_new();
    struct block_buf *bufs[8], *found[8];
    for (uint32_t i = 0; i < 8; i++) {
        bufs[i] = buf_new(&blob, i, 1);
        CHECK(pending_add(pending, bufs[i]));
    }
    CHECK_EQ(pending_collect(pending, &blob, 0, 8, found, 3), 3);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(found[i]->block, i); /* the leading ones */
        block_buf_unref(found[i]);
    }
    for (int i = 0; i < 8; i++) {
        pending_remove(pending, bufs[i]);
        block_buf_unref(bufs[i]);
    }
    CHECK_EQ(n_alive, 0);
    pending_free(pending);
}

static void the_last_block_number_is_one_of_many(void)
{
    struct pending *pending = pending_new();
    struct block_buf *buf = buf_new(&blob, UINT32_MAX, 1);
    CHECK(pending_add(pending, buf));
    CHECK_EQ(count(pending, &blob, UINT32_MAX, 1), 1);
    CHECK_EQ(count(pending, &blob, UINT32_MAX - 1, 2), 1);
    pending_remove(pending, buf);
    block_buf_unref(buf);
    pending_free(pending);
}

static void *work(void *ctx)
{
    for (uint32_t i = 0; i < 5000; i++) {
        struct block_buf *buf = buf_new(&blob, i % 20, 1), *found[8];
        pending_add(ctx, buf);
        int n = pending_collect(ctx, &blob, i % 20, 3, found, 8);
        for (int k = 0; k < n; k++)
            block_buf_unref(found[k]);
        pending_remove(ctx, buf);
        block_buf_unref(buf);
    }
    return NULL;
}

static void threads_may_work_at_once(void)
{
    struct pending *pending = pending_new();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, work, pending), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(pending_bytes(pending), 0);
    CHECK_EQ(n_alive, 0);
    pending_free(pending);
}

int main(void)
{
    TEST("what is added is collected until it is removed",
         what_is_added_is_collected_until_it_is_removed);
    TEST("what was collected outlives its removal", what_was_collected_outlives_its_removal);
    TEST("a block may be pending several times", a_block_may_be_pending_several_times);
    TEST("no more is collected than there is room for",
         no_more_is_collected_than_there_is_room_for);
    TEST("the last block number is one of many", the_last_block_number_is_one_of_many);
    TEST("threads may work at once", threads_may_work_at_once);
    pending_free(NULL);
    return check_done();
}
