/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/subject_url.h"

#include <errno.h>
#include <string.h>

#include "net/url.h"

bool subject_url_is(const char *text)
{
    return strstr(text, "://") != NULL;
}

void subject_url_deinit(struct subject_url *url)
{
    free(url->registry);
    free(url->project);
    free(url->model);
    free(url->checkpoint);
    *url = (struct subject_url){0};
}

/* The next of the parts with `/` between, decoded; NULL behind the last. */
static int take_part(const char **at, char **out)
{
    *at += strspn(*at, "/");
    size_t len = strcspn(*at, "/?#");
    if (!len)
        return 0;
    *out = url_decode(*at, len, 0);
    *at += len;
    return *out ? 0 : -EINVAL;
}

int subject_url_parse(const char *text, struct subject_url *out)
{
    CLEANUP(subject_url_deinit) struct subject_url url = {0};
    URL_CLEANUP struct url parsed = {0};
    int r = url_parse(text, &parsed);
    if (r < 0)
        return r;
    /* A directory's path is the registry, so that what is in it stands behind a `#`. */
    bool is_dir = strcmp(parsed.scheme, "dir") == 0;
    const char *path = strstr(text, "://") + 3;
    path += is_dir ? strcspn(path, "#") : strcspn(path, "/?#");
    url.registry = strndup(text, (size_t)(path - text));
    path += *path == '#';
    r = take_part(&path, &url.project);
    if (r == 0)
        r = take_part(&path, &url.model);
    if (r == 0)
        r = take_part(&path, &url.checkpoint);
    path += strspn(path, "/");
    if (r < 0 || *path || !url.registry)
        return r == 0 && !url.registry ? -ENOMEM : -EINVAL;
    *out = url;
    url = (struct subject_url){0};
    return 0;
}
