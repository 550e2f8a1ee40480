/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers are whole blocks, or for less than a piece (small files) just what is needed: a thousand
 * small files on their way are then a few MiB, not a thousand blocks.
 *
 * Faulting in the pages of a fresh block costs as much as receiving its bytes, so whatever came
 * back is kept, the last one on top. How few were kept at any moment since the last trim says how
 * many of them nobody needed: those go. Two blocks in a huge page would save the kernel a tenth of
 * its copying, and were tried: making one stalls a reader for milliseconds now and then. */
#include "read/budget.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "util/cleanup.h"
#include "util/pool.h"

enum { MIN_BLOCKS = 8, ALWAYS_KEPT = 8, TRIM_MS = 5000, LEAST_COST_BYTES = 4096 };
#define DEFAULT_BYTES (UINT64_C(256) << 20)

/* The data of a buffer that came back; the link lies in its first bytes. */
struct spare {
    struct spare *next;
};

struct budget {
    uint64_t limit_bytes; /* whole blocks */
    pthread_mutex_t lock; /* guards all below */
    struct pool *pool;    /* NULL once stopped */
    uint64_t used_bytes;
    bool refused_demand;
    bool trim_planned;
    struct spare *spares;
    uint64_t n_spares;
    uint64_t n_unused; /* the fewest spares since the last trim */
    void (*on_room)(void *ctx);
    void *on_room_ctx;
};

int budget_new(uint64_t limit_bytes, struct pool *pool, struct budget **out)
{
    struct budget *budget = calloc(1, sizeof(*budget));
    if (!budget)
        return -ENOMEM;
    pthread_mutex_init(&budget->lock, NULL);
    uint64_t n_blocks = limit_bytes / BLOCK_BYTES;
    budget->limit_bytes = (n_blocks < MIN_BLOCKS ? MIN_BLOCKS : n_blocks) * BLOCK_BYTES;
    budget->pool = pool;
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

static void push_spare(struct budget *budget, uint8_t *data)
{
    struct spare *spare = (struct spare *)data;
    spare->next = budget->spares;
    budget->spares = spare;
    budget->n_spares++;
}

static uint8_t *pop_spare(struct budget *budget)
{
    struct spare *spare = budget->spares;
    if (!spare)
        return NULL;
    budget->spares = spare->next;
    budget->n_spares--;
    if (budget->n_unused > budget->n_spares)
        budget->n_unused = budget->n_spares;
    return (uint8_t *)spare;
}

void budget_free(struct budget *budget)
{
    if (!budget)
        return;
    assert(budget->used_bytes == 0);
    while (budget->n_spares)
        unmap_data(pop_spare(budget));
    pthread_mutex_destroy(&budget->lock);
    free(budget);
}

/* One unused spare less; NULL when enough are gone. */
static uint8_t *drop_unused(struct budget *budget, uint64_t *n)
{
    pthread_mutex_lock(&budget->lock);
    uint8_t *data = *n && budget->n_spares > ALWAYS_KEPT ? pop_spare(budget) : NULL;
    pthread_mutex_unlock(&budget->lock);
    --*n;
    return data;
}

void budget_trim(struct budget *budget)
{
    pthread_mutex_lock(&budget->lock);
    uint64_t n = budget->n_unused;
    pthread_mutex_unlock(&budget->lock);
    uint8_t *data;
    while ((data = drop_unused(budget, &n)))
        unmap_data(data);
    pthread_mutex_lock(&budget->lock);
    budget->n_unused = budget->n_spares;
    pthread_mutex_unlock(&budget->lock);
}

static void trim_again(void *ctx);

/* Under the lock. */
static void plan_trim(struct budget *budget)
{
    if (budget->pool && !budget->trim_planned && budget->n_spares > ALWAYS_KEPT)
        budget->trim_planned = pool_add_after(budget->pool, TRIM_MS, trim_again, budget) == 0;
}

static void trim_again(void *ctx)
{
    struct budget *budget = ctx;
    budget_trim(budget);
    pthread_mutex_lock(&budget->lock);
    budget->trim_planned = false;
    plan_trim(budget);
    pthread_mutex_unlock(&budget->lock);
}

void budget_stop(struct budget *budget)
{
    pthread_mutex_lock(&budget->lock);
    budget->pool = NULL;
    pthread_mutex_unlock(&budget->lock);
}

static bool is_small(uint32_t len)
{
    return len <= PIECE_BYTES;
}

/* What a buffer counts. */
static uint64_t cost_of(uint32_t len)
{
    if (!is_small(len))
        return BLOCK_BYTES;
    return len < LEAST_COST_BYTES ? LEAST_COST_BYTES : len;
}

/* The last reference went: a block's data is kept, and whoever was refused hears of it. */
static void give_back(struct block_buf *buf)
{
    struct budget *budget = buf->owner;
    if (is_small(buf->len))
        free(buf->data);
    pthread_mutex_lock(&budget->lock);
    if (!is_small(buf->len)) {
        push_spare(budget, buf->data);
        plan_trim(budget);
    }
    budget->used_bytes -= cost_of(buf->len);
    bool tell = budget->refused_demand;
    budget->refused_demand = false;
    pthread_mutex_unlock(&budget->lock);
    free(buf);
    if (tell && budget->on_room)
        budget->on_room(budget->on_room_ctx);
}

/* Counts one more buffer; *out_data is a spare block or NULL. */
static bool admit(struct budget *budget, uint32_t len, enum budget_lane lane, uint8_t **out_data)
{
    uint64_t limit = lane == BUDGET_DEMAND ? budget->limit_bytes : budget->limit_bytes / 4 * 3;
    uint64_t cost = cost_of(len);
    pthread_mutex_lock(&budget->lock);
    bool admitted = budget->used_bytes + cost <= limit;
    *out_data = admitted && !is_small(len) ? pop_spare(budget) : NULL;
    budget->used_bytes += admitted ? cost : 0;
    if (!admitted && lane == BUDGET_DEMAND)
        budget->refused_demand = true;
    pthread_mutex_unlock(&budget->lock);
    return admitted;
}

struct block_buf *budget_take(struct budget *budget, uint32_t len, enum budget_lane lane)
{
    uint8_t *data;
    if (!admit(budget, len, lane, &data))
        return NULL;
    struct block_buf *buf = calloc(1, sizeof(*buf));
    if (!data)
        data = is_small(len) ? malloc(len) : map_data();
    if (buf && data) {
        *buf = (struct block_buf){
            .len = len, .release = give_back, .owner = budget, .refs = 1, .data = data};
        return buf;
    }
    free(buf);
    if (is_small(len))
        free(data);
    else
        unmap_data(data);
    pthread_mutex_lock(&budget->lock);
    budget->used_bytes -= cost_of(len);
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
    uint64_t used = budget->used_bytes;
    pthread_mutex_unlock(&budget->lock);
    return used;
}

uint64_t budget_kept_bytes(struct budget *budget)
{
    pthread_mutex_lock(&budget->lock);
    uint64_t kept = budget->n_spares * BLOCK_BYTES;
    pthread_mutex_unlock(&budget->lock);
    return kept;
}

uint64_t budget_limit_bytes(const struct budget *budget)
{
    return budget->limit_bytes;
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
