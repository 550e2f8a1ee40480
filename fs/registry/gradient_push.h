/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to a Gradient-compatible registry: a project, a model, a file. Each waits, for command
 * lines; errors as gradient_call(), which logs what the registry said. */
#pragma once

#include <stdint.h>

#include "util/json.h"

struct http;

struct gradient_target {
    struct http *http; /* borrowed */
    const char *base;  /* http://HOST:PORT */
};

/* Makes a project. *out_id is the caller's to free. */
int gradient_push_project(const struct gradient_target *target, const char *name, char **out_id);

struct gradient_model {
    const char *name, *type;
    const char *project_id; /* NULL: in no project */
    const json_t *detail;   /* values by checkpoint; NULL: none */
    const json_t *summary;  /* values of the newest checkpoint; NULL: none */
};

/* Makes a model without files. *out_id is the caller's to free. */
int gradient_push_model(const struct gradient_target *target, const struct gradient_model *model,
                        char **out_id);

struct gradient_upload {
    const char *model_id, *path; /* what it will be called there */
    int fd;                      /* at the file's first byte */
    uint64_t size_bytes;
    /* Is told on a transfer thread how many bytes went; -errno ends it. May be NULL. */
    int (*on_progress)(void *ctx, uint64_t sent);
    void *ctx;
};

/* Asks where one file's bytes go and sends them: one attempt. *out_etag (may be NULL; free it) is
 * the new content's validator where the registry gives one, else NULL. -ESTALE when the file ends
 * early, -ENOSPC when the registry has no room. */
int gradient_push_file(const struct gradient_target *target, const struct gradient_upload *upload,
                       char **out_etag);
