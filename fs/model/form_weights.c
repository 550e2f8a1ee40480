/* SPDX-License-Identifier: Apache-2.0 */
/* Weights that are no one framework's: GGUF, safetensors (both may come in shards), NumPy. */
#include "model/forms.h"

const struct form form_gguf = {
    .framework = "GGUF",
    .format = "GGUF",
    .pieces = &form_style_gguf,
    .check = form_check_pieces,
};

/* A short number at the end is rather a version than a step: `stable-diffusion-2-1`. */
const struct form form_safetensors = {
    .framework = "safetensors",
    .format = "safetensors",
    .pieces = &form_style_safetensors,
    .step_digits = 3,
    .is_guest = true,
    .check = form_check_pieces,
};

static const char *const numpy_ends[] = {".npz", ".npy", NULL};

/* Arrays are numbered for many reasons: only a word makes it a step. */
const struct form form_numpy = {
    .framework = "NumPy",
    .format = "NumPy",
    .ends = numpy_ends,
    .step_digits = FORM_NAMED_STEPS,
    .is_guest = true,
};
