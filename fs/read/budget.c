/* SPDX-License-Identifier: Apache-2.0 */
#include "read/budget.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "util/cleanup.h"

enum { MIN_BLOCKS = 8, MAX_SPARE = 16 };
#define DEFAULT_BYTES (UINT64_C(256) << 20)

struct budget {
    pthread_mutex_t lock; /* guards all below but limit */
    uint64_t limit_blocks;
    uint64_t used_blocks;
    bool refused_demand;
    int n_spare;
    uint8_t *spare[MAX_SPARE]; /* data of buffers that came back, warm in memory */
    void (*on_room)(void *ctx);
    void *on_room_ctx;
};

int budget_new(uint64_t limit_bytes, struct budget **out)
{
    struct budget *budget = calloc(1, sizeof(*budget));
    if (!budget)
        return -ENOMEM;
    pthread_mutex_init(&budget->lock, NULL);
    budget->limit_blocks =
        limit_bytes / BLOCK_BYTES < MIN_BLOCKS ? MIN_BLOCKS : limit_bytes / BLOCK_BYTES;
    *out = budget;
    return 0;
}

static uint8_t *map_data(void)
{
    void *data =
        mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return data == MAP_FAILED ? NULL : data;
}

static void unmap_data(uint8_t *data)
{
    if (data)
        munmap(data, BLOCK_BYTES);
}

void budget_free(struct budget *budget)
{
    if (!budget)
        return;
    assert(budget->used_blocks == 0);
    while (budget->n_spare)
        unmap_data(budget->spare[--budget->n_spare]);
    pthread_mutex_destroy(&budget->lock);
    free(budget);
}

/* The last reference went: the data is kept or unmapped, and whoever was refused hears of it. */
static void give_back(struct block_buf *buf)
{
    struct budget *budget = buf->owner;
    uint8_t *data = buf->data;
    free(buf);
    pthread_mutex_lock(&budget->lock);
    budget->used_blocks--;
    bool tell = budget->refused_demand;
    budget->refused_demand = false;
    if (budget->n_spare < MAX_SPARE) {
        budget->spare[budget->n_spare++] = data;
        data = NULL;
    }
    pthread_mutex_unlock(&budget->lock);
    unmap_data(data);
    if (tell && budget->on_room)
        budget->on_room(budget->on_room_ctx);
}

/* Counts one more block; *out_data is a spare one or NULL. */
static bool admit(struct budget *budget, enum budget_lane lane, uint8_t **out_data)
{
    uint64_t limit = lane == BUDGET_DEMAND ? budget->limit_blocks : budget->limit_blocks * 3 / 4;
    pthread_mutex_lock(&budget->lock);
    bool admitted = budget->used_blocks < limit;
    *out_data = admitted && budget->n_spare ? budget->spare[--budget->n_spare] : NULL;
    budget->used_blocks += admitted;
    if (!admitted && lane == BUDGET_DEMAND)
        budget->refused_demand = true;
    pthread_mutex_unlock(&budget->lock);
    return admitted;
}

struct block_buf *budget_take(struct budget *budget, enum budget_lane lane)
{
    uint8_t *data;
    if (!admit(budget, lane, &data))
        return NULL;
    struct block_buf *buf = calloc(1, sizeof(*buf));
    if (!data)
        data = map_data();
    if (buf && data) {
        *buf = (struct block_buf){.release = give_back, .owner = budget, .refs = 1, .data = data};
        return buf;
    }
    free(buf);
    unmap_data(data);
    pthread_mutex_lock(&budget->lock);
    budget->used_blocks--;
    pthread_mutex_unlock(&budget->lock);
    return NULL;
}

void budget_on_room(struct budget *budget, void (*fn)(void *ctx), void *ctx)
{
    budget->on_room = fn;
    budget->on_room_ctx = ctx;
}

uint64_t budget_used_bytes(struct budget *budget)
{
    pthread_mutex_lock(&budget->lock);
    uint64_t used = budget->used_blocks * BLOCK_BYTES;
    pthread_mutex_unlock(&budget->lock);
    return used;
}

uint64_t budget_limit_bytes(const struct budget *budget)
{
    return budget->limit_blocks * BLOCK_BYTES;
}

static uint64_t cgroup_limit(const char *path)
{
    unsigned long long bytes;
    CLEANUP(cleanup_fclose) FILE *f = fopen(path, "re");
    return f && fscanf(f, "%llu", &bytes) == 1 ? bytes : UINT64_MAX;
}

uint64_t budget_default_bytes(void)
{
    uint64_t v2 = cgroup_limit("/sys/fs/cgroup/memory.max");
    uint64_t v1 = cgroup_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    uint64_t quarter = (v1 < v2 ? v1 : v2) / 4;
    return quarter < DEFAULT_BYTES ? quarter : DEFAULT_BYTES;
}
