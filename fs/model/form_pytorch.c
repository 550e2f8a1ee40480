/* SPDX-License-Identifier: Apache-2.0 */
/* PyTorch: what torch.save() writes, by the names that people give it, and Lightning's `.ckpt`. The
 * name tells the step where it can (`epoch=3-step=1200`, `model_1000`), else it is an export
 * (`last.ckpt`). */
#include <string.h>

#include "model/forms.h"

static const char *const lightning_ends[] = {".ckpt", NULL};
static const char *const torch_ends[] = {".pt", ".pth", NULL};

const struct form form_lightning = {
    .framework = "PyTorch Lightning",
    .format = "Lightning",
    .ends = lightning_ends,
    .step_digits = 1,
};

/* `rng_state_0.pth`: a rank, no step. */
static bool match_torch(const struct form_file *f, const struct form_names *names,
                        struct form_match *out)
{
    static const struct form by_end = {.ends = torch_ends, .step_digits = 1};
    bool matches = form_match(&by_end, f, names, out);
    if (matches && form_begins(f->name, f->name_len, "rng_state"))
        out->step = -1;
    return matches;
}

const struct form form_torch = {
    .framework = "PyTorch",
    .format = "PyTorch",
    .match = match_torch,
    .is_guest = true,
};

/* Anything may be called `.bin`: these are known, or tell a step by its word. */
static bool match_bin(const struct form_file *f, const struct form_names *names,
                      struct form_match *out)
{
    static const char *const begins[] = {"pytorch_model", "adapter_model",
                                         "diffusion_pytorch_model", "optimizer", "scheduler"};
    static const struct form by_piece = {.pieces = &form_style_bin,
                                         .step_digits = FORM_NAMED_STEPS};
    bool is_known = false;
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
        is_known |= form_begins(f->name, f->name_len, begins[i]);
    return form_match(&by_piece, f, names, out) && (is_known || out->step >= 0);
}

const struct form form_torch_bin = {
    .framework = "PyTorch",
    .format = "PyTorch",
    .pieces = &form_style_bin,
    .match = match_bin,
    .is_guest = true,
    .check = form_check_pieces,
};
