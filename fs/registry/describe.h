/* SPDX-License-Identifier: Apache-2.0 */
/* Listings and outlines as JSON for people's scripts: what `.modelfs/info.json` holds and `modelfs
 * ls --json` prints. All are NULL when memory is short. Names that are no UTF-8 have U+FFFD where
 * they are not. Pure. */
#pragma once

#include <jansson.h>

#include "model/contents.h"
#include "registry/outline.h"

/* {"kind":"registry"|"project","registry":..,["project":..],
 *  "entries":[{"id","name","type","modified"}]} */
json_t *describe_listing(const struct listing *listing, const char *origin, const char *project);

/* {"kind":"model","registry","project","id","name","type","modified","size","latest",
 *  "best":{metric:checkpoint},"metrics":{..},
 *  "checkpoints":[describe_checkpoint()...],"files":[{"path","size","modified","digest"}]}: all the
 * model's files. */
json_t *describe_model(const struct outline *o, const char *origin, const char *project);

/* {"name","framework","format","step","complete"[,"missing"],"size","modified","metrics":{..},
 *  "files":[{"path"(within the checkpoint),"size","modified","digest"}]} */
json_t *describe_checkpoint(const struct outline *o, size_t checkpoint);

/* Adds to the facts of checkpoint @c what its files hold: "parameters", "dtypes" {dtype:
 * parameters}, "tensors" [{"name","dtype","shape","file"(within the checkpoint),"offset"(null where
 * it lies in no one run),"bytes"}], "metadata"; where something lacks "complete" is false and
 * "missing" is all of that, an array. 0 or -ENOMEM. */
int describe_contents(json_t *facts, const struct checkpoint *c, const struct contents *contents);

/* {metric: number, or text where it is no finite one} of a checkpoint, or of the model for
 * @checkpoint SIZE_MAX. */
json_t *describe_metrics(const struct outline *o, size_t checkpoint);
