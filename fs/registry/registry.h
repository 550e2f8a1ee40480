/* SPDX-License-Identifier: Apache-2.0 */
/* A registry, whatever its kind: opened by a URL's scheme, it lists and locates, and is never on
 * the byte path.
 *
 *     gradient+http://HOST:PORT[/PROJECT[/MODEL]]   a Gradient-compatible one (and gradient+https)
 *     dir:///PATH                                   a directory: project/model/files */
#pragma once

#include <stdint.h>

#include "registry/listing.h"

struct http;
struct registry;

/* Which listing: the registry's projects, a project's models, a model's files. Ids are the
 * registry's; borrowed. */
struct registry_place {
    const char *project_id; /* NULL: the registry itself */
    const char *model_id;   /* NULL: the project itself */
};

/* Where a file's bytes are now. Strings are owned: locator_deinit(). */
struct locator {
    char *url;
    char *etag; /* what the source's ETag must be; NULL: not known before the first reply */
};
void locator_deinit(struct locator *locator);

/* Opens the registry at @url; nothing is asked of it yet. @http (borrowed) must outlive it.
 * -EINVAL: no URL of a known kind; *out_why (may be NULL; static text) says what is wrong with it.
 */
int registry_open(const char *url, struct http *http, struct registry **out, const char **out_why);
void registry_close(struct registry *registry); /* NULL is fine */

/* The registry's URL without the part below it and without credentials: with a place it names a
 * listing for all time. */
const char *registry_origin(const struct registry *registry);
/* The project and model named in the URL, as written there (decoded); NULL where it names none. */
const char *registry_project(const struct registry *registry);
const char *registry_model(const struct registry *registry);

/* Asks for a listing and waits for it: one attempt. -ENOENT: there is no such place (an
 * authoritative answer); -EACCES: the credentials do not do; -EAGAIN and connection errors:
 * passing; -EPROTO: an answer that makes no sense. Logs what it was. Any thread but FUSE workers
 * and transfer threads. @out_retry_after_ms (may be NULL): what the registry asked for, or -1. */
int registry_list(struct registry *registry, const struct registry_place *place,
                  struct listing **out, int64_t *out_retry_after_ms);

/* Finds a file's bytes anew (its URL ran out). Errors and threads as registry_list(). */
int registry_locate(struct registry *registry, const struct registry_place *place,
                    const char *file_id, struct locator *out);

/* What a driver is: a table, filled in one file. Only registry.c sees it. */
struct registry_driver {
    const char *const *schemes; /* ended by NULL */
    int (*open)(const char *origin, struct http *http, void **out);
    void (*close)(void *driver);
    int (*list)(void *driver, const struct registry_place *place, struct listing **out,
                int64_t *out_retry_after_ms);
    int (*locate)(void *driver, const struct registry_place *place, const char *file_id,
                  struct locator *out);
};
extern const struct registry_driver registry_gradient;
extern const struct registry_driver registry_dir;
