/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/url.h"
#include "util/cleanup.h"

struct registry {
    const struct registry_driver *driver;
    void *self; /* the driver's own */
    char *origin;
    char *project, *model; /* from the URL; NULL where it names none */
};

static const struct registry_driver *const drivers[] = {&registry_gradient, &registry_dir};

void locator_deinit(struct locator *locator)
{
    free(locator->url);
    free(locator->etag);
    *locator = (struct locator){0};
}

static const struct registry_driver *find_driver(const char *scheme)
{
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
        for (const char *const *s = drivers[i]->schemes; *s; s++)
            if (strcmp(*s, scheme) == 0)
                return drivers[i];
    return NULL;
}

/* The next part of /PROJECT/MODEL, decoded; NULL behind the last. */
static int take_part(const char **path, char **out)
{
    while (**path == '/')
        (*path)++;
    size_t len = strcspn(*path, "/");
    if (!len)
        return 0;
    *out = url_decode(*path, len, 0);
    *path += len;
    return *out ? 0 : -EINVAL;
}

/* A directory's path is the registry; elsewhere it names what is mounted of it. */
static int split_path(struct registry *registry, const struct url *url)
{
    struct buf origin BUF_CLEANUP = {0};
    const char *path = url->path;
    if (registry->driver == &registry_dir) {
        int r = buf_printf(&origin, "%s://%s%s", url->scheme, url->host, url->path);
        return r < 0 || !(registry->origin = buf_steal(&origin)) ? -ENOMEM : 0;
    }
    int r = buf_printf(&origin, "%s://%s", url->scheme, url->host);
    if (r < 0 || !(registry->origin = buf_steal(&origin)))
        return -ENOMEM;
    r = take_part(&path, &registry->project);
    if (r == 0)
        r = take_part(&path, &registry->model);
    while (*path == '/')
        path++;
    return r < 0 || *path ? -EINVAL : 0;
}

DEFINE_CLEANUP(struct registry *, cleanup_registry, registry_close)

int registry_open(const char *text, struct http *http, struct registry **out, const char **out_why)
{
    static const char *unused;
    URL_CLEANUP struct url url = {0};
    CLEANUP(cleanup_registry) struct registry *registry = calloc(1, sizeof(*registry));
    if (!out_why)
        out_why = &unused;
    if (!registry)
        return -ENOMEM;
    *out_why = "it is no URL like gradient+http://HOST:PORT/PROJECT or dir:///PATH (and holds no "
               "password)";
    if (url_parse(text, &url) < 0)
        return -EINVAL;
    *out_why = "its scheme is none of gradient+http, gradient+https, dir";
    registry->driver = find_driver(url.scheme);
    if (!registry->driver)
        return -EINVAL;
    *out_why = "what follows the host is not /PROJECT or /PROJECT/MODEL";
    int r = split_path(registry, &url);
    if (r < 0)
        return r;
    *out_why = "it names no host, or no absolute path";
    r = registry->driver->open(registry->origin, http, &registry->self);
    if (r == 0)
        *out = steal_ptr(registry);
    return r;
}

void registry_close(struct registry *registry)
{
    if (!registry)
        return;
    if (registry->self)
        registry->driver->close(registry->self);
    free(registry->origin);
    free(registry->project);
    free(registry->model);
    free(registry);
}

const char *registry_origin(const struct registry *registry)
{
    return registry->origin;
}

const char *registry_project(const struct registry *registry)
{
    return registry->project;
}

const char *registry_model(const struct registry *registry)
{
    return registry->model;
}

int registry_list(struct registry *registry, const struct registry_place *place,
                  struct listing **out, int64_t *out_retry_after_ms)
{
    int64_t unused;
    if (!out_retry_after_ms)
        out_retry_after_ms = &unused;
    *out_retry_after_ms = -1;
    return registry->driver->list(registry->self, place, out, out_retry_after_ms);
}

int registry_locate(struct registry *registry, const struct registry_place *place,
                    const char *file_id, struct locator *out)
{
    return registry->driver->locate(registry->self, place, file_id, out);
}
