/* SPDX-License-Identifier: Apache-2.0 */
/* What a model's config.json says of it (Hugging Face's transformers, and those who write the
 * same). Pure. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

/* An inquiry_parse_fn whose @contents is a struct contents. Told as `config`: the texts, numbers
 * and booleans of the file's object by their own keys (`model_type`, `torch_dtype`, `hidden_size`),
 * and the list `architectures`. NaN and infinities are texts. */
int hf_config_parse(void *contents, uint32_t file, struct glimpse *glimpse);
