/* SPDX-License-Identifier: Apache-2.0 */
/* The facts of two checkpoints (registry/describe.h), compared (pure):
 *
 *   {"a":{"name","model","project","registry","type","framework","format","step","size",
 *         "parameters"},"b":{..},
 *    "same":whether nothing below differs,
 *    "files":{"same":N,"unknown":[..],"changed":[..],"added":[..],"removed":[..]},
 *    "tensors":{"same":N,"changed":[..],"added":[..],"removed":[..]},
 *    "metrics":[{"name","a","b"[,"difference"],"better":"a"|"b"|null}]}
 *
 * A file that both have is {"path","a":{"path","size","digest"},"b":{..}}: changed when size or
 * digest differ, unknown when the sizes agree and a digest is lacking. Files whose names differ
 * only in the checkpoints' own steps are one (`model.ckpt-600.index`, `model.ckpt-800.index`), and
 * their path has `*` there. A tensor that both have is {"name","a":{"dtype","shape"},"b":{..}}, and
 * is of another shape or dtype in the other; `better` goes by a metric's name. What only one side
 * has is as it is in the facts. */
#pragma once

#include <stdbool.h>

#include "util/json.h"

/* NULL when memory is short. */
json_t *facts_diff(const json_t *a, const json_t *b);

/* Puts file @index of the unknown ones among the same or the changed, and says so in "same". 0, or
 * -1 when memory is short. */
int facts_diff_settle(json_t *diff, size_t index, bool is_same);

/* The tensors that both have with one dtype and shape, as @a's facts have them: an array, in @a's
 * order. NULL when memory is short. */
json_t *facts_common_tensors(const json_t *a, const json_t *b);
