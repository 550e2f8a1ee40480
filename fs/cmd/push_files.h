/* SPDX-License-Identifier: Apache-2.0 */
/* Sends files to a model: those that are not there yet, each again while it fails in passing, each
 * compared with what the registry says it got. */
#pragma once

#include "cmd/local_files.h"
#include "registry/gradient_push.h"
#include "registry/listing.h"

struct push_files {
    const struct gradient_target *target; /* borrowed, as all */
    const char *model_id;
    const struct local_files *files;
    const struct listing *there; /* what the model has already; NULL: nothing */
};

struct push_files_result {
    size_t n_done; /* at the registry: sent now, or found there */
    size_t n_sent;
    uint64_t sent_bytes;
    const char *failed; /* the file that it ended at; borrowed; NULL */
};

/* Sends them in order, with a progress bar; for the main thread. 0, or -errno as
 * gradient_push_file(); -EINTR when a signal ended it; -EBADMSG when the registry has other bytes
 * than the file. *out is filled either way. */
int push_files_run(const struct push_files *job, struct push_files_result *out);
