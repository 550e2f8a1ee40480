/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cache/blocks.h"
#include "net/http.h"
#include "net/url.h"
#include "util/cleanup.h"

struct complaint {
    int err;
    int exit_code;
    const char *text;
};

static const struct complaint complaints[] = {
    {-ENOENT, EX_NOINPUT, "the registry has no such project or model"},
    {-EACCES, EX_NOPERM, "access is refused; see the message above"},
    {-ECONNREFUSED, EX_UNAVAILABLE, "nothing answers there; is the registry running?"},
    {-EHOSTUNREACH, EX_NOHOST, "there is no such host; check the URL"},
    {-ETIMEDOUT, EX_TEMPFAIL, "the registry did not answer in time; try again"},
    {-EIO, EX_TEMPFAIL,
     "the registry failed again and again; see the messages above, and try later"},
    {-EPROTO, EX_PROTOCOL, "the answer makes no sense; is this a registry of that kind?"},
    {-ENOMEM, EX_OSERR, "memory is short"},
};

int source_complain(const char *command, const char *what, int err)
{
    for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++)
        if (complaints[i].err == err) {
            fprintf(stderr, "modelfs %s: %s: %s\n", command, what, complaints[i].text);
            return complaints[i].exit_code;
        }
    fprintf(stderr, "modelfs %s: %s: %s\n", command, what, strerror(-err));
    return EX_IOERR;
}

int source_open(struct source *s, const char *command, const char *url, struct blocks *blocks,
                const struct http_options *http_options)
{
    const char *why = "";
    *s = (struct source){0};
    int r = http_new(http_options, &s->http);
    if (r < 0)
        return source_complain(command, url, r);
    r = registry_open(url, s->http, &s->registry, &why);
    if (r == 0)
        r = catalog_new(s->registry, blocks ? blocks_meta(blocks) : NULL, &s->catalog);
    if (r == 0)
        return EX_OK;
    source_close(s);
    if (r != -EINVAL)
        return source_complain(command, url, r);
    char shown[512];
    url_redact(url, shown, sizeof(shown));
    fprintf(stderr, "modelfs %s: `%s` cannot be opened: %s\n", command, shown, why);
    return EX_USAGE;
}

void source_close(struct source *s)
{
    catalog_free(s->catalog);
    registry_close(s->registry);
    http_free(s->http);
    free(s->project_id);
    free(s->project_name);
    free(s->model_id);
    free(s->model_name);
    *s = (struct source){0};
}

/* Finds @wanted in the listing of @place and copies its id and name. */
static int find(struct source *s, const char *command, const struct registry_place *place,
                const char *wanted, int patience_ms, char **out_id, char **out_name)
{
    LISTING_CLEANUP struct listing *listing = NULL;
    int r = catalog_get(s->catalog, place, patience_ms, &listing);
    size_t found = r == 0 ? listing_find(listing, wanted) : LISTING_NONE;
    struct listing_entry entry;
    if (found == LISTING_NONE)
        return source_complain(command, r < 0 ? registry_origin(s->registry) : wanted,
                               r < 0 ? r : -ENOENT);
    listing_get(listing, found, &entry);
    *out_id = strdup(entry.id);
    *out_name = strdup(entry.name);
    return *out_id && *out_name ? EX_OK : EX_OSERR;
}

int source_find(struct source *s, const char *command, const char *project, const char *model,
                int patience_ms)
{
    struct registry_place place = {0};
    if (!project)
        return EX_OK;
    int code = find(s, command, &place, project, patience_ms, &s->project_id, &s->project_name);
    place.project_id = s->project_id;
    if (code == EX_OK && model)
        code = find(s, command, &place, model, patience_ms, &s->model_id, &s->model_name);
    return code;
}

int source_resolve(struct source *s, const char *command, int patience_ms)
{
    return source_find(s, command, registry_project(s->registry), registry_model(s->registry),
                       patience_ms);
}
