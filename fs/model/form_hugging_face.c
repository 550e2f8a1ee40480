/* SPDX-License-Identifier: Apache-2.0 */
/* Hugging Face: what `save_pretrained()` and the Trainer of transformers, diffusers and peft write.
 *
 *   D/checkpoint-<step>/   weights, optimizer.pt, rng_state.pth, trainer_state.json, tokenizer, and
 *                          all else below
 *   D/config.json          with weights beside it, or adapter_config.json: an export. It takes what
 *                          is right in D (tokenizer, README.md, training_args.bin, weights for
 *                          other frameworks) and what no form has that is a checkpoint of its own.
 *
 * Weights are one file, or shards with the index that from_pretrained() needs to find them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/forms.h"
#include "util/cleanup.h"

/* The names of weights, those first whose stem names a model at the root. */
static const struct weights {
    const char *stem;
    const struct form_style *style;
} known_weights[] = {
    {"model", &form_style_safetensors},
    {"pytorch_model", &form_style_bin},
    {"adapter_model", &form_style_safetensors},
    {"adapter_model", &form_style_bin},
    {"diffusion_pytorch_model", &form_style_safetensors},
    {"diffusion_pytorch_model", &form_style_bin},
    {"tf_model", &form_style_h5},
    {"flax_model", &form_style_msgpack},
};
enum { N_WEIGHTS = sizeof(known_weights) / sizeof(known_weights[0]) };

enum {
    MARK_CONFIG = 1 << N_WEIGHTS,
    MARK_STATE = MARK_CONFIG << 1, /* what a Trainer writes beside the weights */
};

/* Which of the known weights a file is a piece of: its index, or -1. `model.fp16.safetensors` is
 * one, too. */
static int weights_of(const char *name, size_t len, uint64_t size_bytes, struct form_piece *out)
{
    for (int i = 0; i < N_WEIGHTS; i++) {
        size_t n = strlen(known_weights[i].stem);
        if (form_begins(name, len, known_weights[i].stem) &&
            form_piece_read(known_weights[i].style, name, len, size_bytes, out) &&
            (out->stem_len == n || (out->stem_len > n && name[n] == '.')))
            return i;
    }
    return -1;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static unsigned mark(const struct form_file *f)
{
    static const char *const configs[] = {"config.json", "adapter_config.json", NULL};
    static const char *const states[] = {"trainer_state.json", "training_args.bin", "optimizer.pt",
                                         "scheduler.pt", NULL};
    struct form_piece piece;
    int weights = weights_of(f->name, f->name_len, f->size_bytes, &piece);
    return (weights >= 0 ? 1U << weights : 0) | (is_one_of(f->name, configs) ? MARK_CONFIG : 0) |
           (is_one_of(f->name, states) ? MARK_STATE : 0);
}

/* The pieces of weights among the files right in the directory. */
static size_t read_weights(const struct form_group *g, struct form_piece *pieces)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        const char *inner = form_inner_path(g, g->files[i]);
        n += weights_of(inner, strlen(inner), g->files[i]->size_bytes, &pieces[n]) >= 0;
    }
    return n;
}

/* Deepspeed and FSDP keep the weights in a directory of their own. */
static bool has_engine(const struct form_group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const char *inner = form_inner_path(g, g->files[i]);
        size_t len = strlen(inner);
        if (strchr(inner, '/') && g->files[i]->size_bytes &&
            (form_begins(inner, len, "global_step") ||
             form_begins(inner, len, "pytorch_model_fsdp")))
            return true;
    }
    return false;
}

static int check(struct form_group *g, char **out)
{
    CLEANUP(cleanup_free) struct form_piece *pieces = calloc(g->n + 1, sizeof(*pieces));
    if (!pieces)
        return -ENOMEM;
    size_t n = read_weights(g, pieces);
    if (n)
        return form_pieces_check(pieces, n, out);
    if (has_engine(g))
        return 0;
    *out = strdup("model.safetensors");
    return *out ? 0 : -ENOMEM;
}

/* --- a Trainer's checkpoint-<step>/ --- */

static int64_t trainer_step(const char *last, size_t len)
{
    size_t n = strlen("checkpoint-");
    return form_begins(last, len, "checkpoint-") ? form_number(last + n, len - n) : -1;
}

static unsigned mark_trainer(const struct form_file *f)
{
    size_t end = form_directory_len(f), start = end ? end - 1 : 0;
    while (start > 0 && f->path[start - 1] != '/')
        start--;
    return end && trainer_step(f->path + start, end - 1 - start) >= 0 ? mark(f) : 0;
}

const struct form form_trainer = {
    .framework = "Hugging Face",
    .format = "Trainer checkpoint",
    .mark = mark_trainer,
    .is_tree = true,
    .tag = ".trainer",
    .directory_step = trainer_step,
    .check = check,
};

/* --- a model's directory --- */

static bool is_model(unsigned marks)
{
    return (marks & MARK_CONFIG) && (marks & (MARK_CONFIG - 1));
}

static const char *root_stem(unsigned marks)
{
    return known_weights[__builtin_ctz(marks)].stem; /* weights are the lowest marks */
}

const struct form form_hugging_face = {
    .framework = "Hugging Face",
    .format = "Transformers",
    .mark = mark,
    .is_marked = is_model,
    .tag = ".transformers",
    .root_stem = root_stem,
    .check = check,
};
