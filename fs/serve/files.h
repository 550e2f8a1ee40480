/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a model has: records in a store's transaction. */
#pragma once

#include <stdint.h>

#include "serve/store.h"

struct stored_file {
    const char *path; /* relative, see names.h */
    struct digest digest;
    uint64_t size_bytes;
    int64_t modified_ns;      /* when it was uploaded */
    const char *content_type; /* as the upload said; may be empty */
};

/* Puts @file under its path in place of what was there. Its content is @temp, finished. */
int files_put(struct store_txn *txn, const char *model_id, const struct stored_file *file,
              struct objects_temp *temp);

/* Finds one. *out borrows from *out_record, which the caller drops. -ENOENT. */
int files_find(struct store_txn *txn, const char *model_id, const char *path,
               struct stored_file *out, json_t **out_record);

/* Calls @fn with each file of the model, in no order that means anything; it must not write. */
typedef int (*files_fn)(const struct stored_file *file, void *arg);
int files_each(struct store_txn *txn, const char *model_id, files_fn fn, void *arg);

/* Takes all files from the model. */
int files_delete_all(struct store_txn *txn, const char *model_id);
