/* SPDX-License-Identifier: Apache-2.0 */
/* A registry as a command uses it: the URL opened, with its HTTP engine and its catalog, and the
 * names in the URL found. */
#pragma once

#include "registry/catalog.h"

struct blocks;
struct http;
struct http_options;

struct source {
    struct http *http;
    struct registry *registry;
    struct catalog *catalog;
    /* of the project and model that the URL names, found by source_resolve(); owned; NULL where it
     * names none */
    char *project_id, *project_name, *model_id, *model_name;
};

/* Opens @url for @command (for its messages). @blocks (may be NULL) keeps listings. @http_options
 * may be NULL. Prints what is wrong. Returns an exit code, EX_OK when all is well. */
int source_open(struct source *s, const char *command, const char *url, struct blocks *blocks,
                const struct http_options *http_options);
void source_close(struct source *s);

/* Finds the project and the model by name or id. Asks the registry with @patience_ms, else the
 * cache. Prints what is wrong. An exit code. */
int source_resolve(struct source *s, const char *command, int patience_ms);

/* The same for a project and a model (each may be NULL) that are named elsewhere. */
int source_find(struct source *s, const char *command, const char *project, const char *model,
                int patience_ms);

/* What is wrong with a registry call, for a person: prints `modelfs COMMAND: WHAT: why and what to
 * do` and returns the exit code. */
int source_complain(const char *command, const char *what, int err);

#define SOURCE_CLEANUP CLEANUP(source_close)
