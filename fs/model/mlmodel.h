/* SPDX-License-Identifier: Apache-2.0 */
/* What an MLmodel file says: MLflow's description of a model, in YAML. Pure. */
#pragma once

#include <stdint.h>

#include "model/glimpse.h"

/* An inquiry_parse_fn whose @contents is a struct contents. Told as `mlflow`: `flavors` ({name:
 * version, or null}), `inputs` and `outputs` of the signature (as JSON; as a text where they are
 * none), `model_uuid`, `run_id`, `mlflow_version`. */
int mlmodel_parse(void *contents, uint32_t file, struct glimpse *glimpse);
