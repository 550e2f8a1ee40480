/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/tokens.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { N_VERIFIED = 1 << 16, N_TOUCHED = 1 << 13 };

struct tokens {
    /* Slot: the sum's low 16 bits. Content: its high 48 bits, then a bit a piece. */
    _Atomic uint64_t verified[N_VERIFIED];

    pthread_mutex_t mutex; /* guards the rest */
    uint8_t touched[N_TOUCHED][BLOCK_KEY_BYTES];
    bool in_use[N_TOUCHED];
    unsigned next; /* where taking goes on */
    unsigned n_touched;
};

struct tokens *tokens_new(void)
{
    struct tokens *tokens = calloc(1, sizeof(*tokens));
    if (tokens)
        pthread_mutex_init(&tokens->mutex, NULL);
    return tokens;
}

void tokens_free(struct tokens *tokens)
{
    if (!tokens)
        return;
    pthread_mutex_destroy(&tokens->mutex);
    free(tokens);
}

static uint64_t tag_of(uint64_t sum)
{
    return sum & ~UINT64_C(0xffff);
}

bool tokens_is_verified(const struct tokens *tokens, uint64_t header_sum, unsigned piece)
{
    uint64_t slot = atomic_load_explicit(
        &((struct tokens *)tokens)->verified[header_sum % N_VERIFIED], memory_order_relaxed);
    return tag_of(slot) == tag_of(header_sum) && (slot >> piece & 1);
}

void tokens_set_verified(struct tokens *tokens, uint64_t header_sum, unsigned piece)
{
    _Atomic uint64_t *slot = &tokens->verified[header_sum % N_VERIFIED];
    uint64_t old = atomic_load_explicit(slot, memory_order_relaxed), new;
    do
        new = (tag_of(old) == tag_of(header_sum) ? old : tag_of(header_sum)) | UINT64_C(1) << piece;
    while (!atomic_compare_exchange_weak(slot, &old, new));
}

static unsigned touch_slot(const uint8_t key[BLOCK_KEY_BYTES])
{
    struct blob_id blob;
    uint32_t block, head;
    block_key_parse(key, &blob, &block);
    memcpy(&head, blob.bytes, sizeof(head));
    return (head + block) % N_TOUCHED;
}

void tokens_touch(struct tokens *tokens, const uint8_t key[BLOCK_KEY_BYTES])
{
    unsigned slot = touch_slot(key);
    if (pthread_mutex_trylock(&tokens->mutex) != 0)
        return;
    if (!tokens->in_use[slot]) {
        tokens->in_use[slot] = true;
        memcpy(tokens->touched[slot], key, BLOCK_KEY_BYTES);
        tokens->n_touched++;
    }
    pthread_mutex_unlock(&tokens->mutex);
}

bool tokens_has_touched(struct tokens *tokens)
{
    pthread_mutex_lock(&tokens->mutex);
    bool has = tokens->n_touched > 0;
    pthread_mutex_unlock(&tokens->mutex);
    return has;
}

bool tokens_take_touched(struct tokens *tokens, uint8_t out_key[BLOCK_KEY_BYTES])
{
    pthread_mutex_lock(&tokens->mutex);
    bool found = tokens->n_touched > 0;
    if (found) {
        while (!tokens->in_use[tokens->next])
            tokens->next = (tokens->next + 1) % N_TOUCHED;
        memcpy(out_key, tokens->touched[tokens->next], BLOCK_KEY_BYTES);
        tokens->in_use[tokens->next] = false;
        tokens->n_touched--;
    }
    pthread_mutex_unlock(&tokens->mutex);
    return found;
}
