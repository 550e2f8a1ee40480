/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/routes.h"

#include <stdbool.h>
#include <string.h>

/* In a pattern `*` is one segment, no longer than an id, and `**` all that is left. */
static const struct route {
    const char *method, *pattern;
    enum route_kind kind;
    api_handler handler;
} routes[] = {
    {"GET", "/projects", ROUTE_CALL, api_projects_list},
    {"POST", "/projects", ROUTE_CALL, api_projects_create},
    {"POST", "/projects/*/deleteProject", ROUTE_CALL, api_projects_delete},
    {"GET", "/teams/namespace", ROUTE_CALL, api_namespace},
    {"GET", "/entityTags/getTags", ROUTE_CALL, api_tags_get},
    {"PUT", "/entityTags/updateTags", ROUTE_CALL, api_tags_update},
    {"GET", "/mlModels/getModelList", ROUTE_CALL, api_models_list},
    {"POST", "/mlModels/createModelV2", ROUTE_CALL, api_models_create},
    {"POST", "/mlModels/deleteModel", ROUTE_CALL, api_models_delete},
    {"GET", "/mlModels/getPresignedModelUrl", ROUTE_CALL, api_files_presign},
    {"GET", "/mlModels/listFiles", ROUTE_CALL, api_files_list},
    {"GET", "/files/*/**", ROUTE_DOWNLOAD, api_files_download},
    {"PUT", "/files/*/**", ROUTE_UPLOAD, NULL},
};

/* Calls that clients of this API know and we do not serve. */
static const char *const later[] = {
    "/datasets", "/storageProviders", "/experiments",   "/workspace", "/jobs",      "/metrics",
    "/graphql",  "/deployments",      "/model-serving", "/users",     "/apiTokens", "/notebooks",
};

static bool match_id(struct request *request, const char *segment, size_t len)
{
    if (len == 0 || len >= sizeof(request->id))
        return false;
    memcpy(request->id, segment, len);
    request->id[len] = '\0';
    return true;
}

/* Walks pattern and path segment by segment. */
static bool matches(const char *pattern, struct request *request)
{
    const char *path = request->path;
    while (*pattern == '/' && *path == '/') {
        pattern++;
        path++;
        if (strcmp(pattern, "**") == 0) {
            request->rest = path;
            return *path != '\0';
        }
        size_t pattern_len = strcspn(pattern, "/"), len = strcspn(path, "/");
        bool same = pattern_len == len && memcmp(pattern, path, len) == 0;
        if (pattern[0] == '*' ? !match_id(request, path, len) : !same)
            return false;
        pattern += pattern_len;
        path += len;
    }
    return *pattern == '\0' && (*path == '\0' || strcmp(path, "/") == 0);
}

static bool is_later(const char *path)
{
    for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++) {
        size_t len = strlen(later[i]);
        if (strncmp(path, later[i], len) == 0 && (path[len] == '\0' || path[len] == '/'))
            return true;
    }
    return false;
}

enum route_kind routes_find(struct request *request, api_handler *out_handler)
{
    bool other = false;
    for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
        if (!matches(routes[i].pattern, request))
            continue;
        other = true;
        if (strcmp(routes[i].method, request->method) == 0) {
            *out_handler = routes[i].handler;
            return routes[i].kind;
        }
    }
    if (other)
        return ROUTE_OTHER;
    return is_later(request->path) ? ROUTE_LATER : ROUTE_NONE;
}
