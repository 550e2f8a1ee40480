/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/routes.h"

#include "check.h"

static const struct {
    const char *method, *path;
    enum route_kind kind;
    api_handler handler;
    const char *id, *rest;
} cases[] = {
    {"GET", "/projects", ROUTE_CALL, api_projects_list, NULL, NULL},
    {"GET", "/projects/", ROUTE_CALL, api_projects_list, NULL, NULL},
    {"POST", "/projects/", ROUTE_CALL, api_projects_create, NULL, NULL},
    {"POST", "/projects/pr1/deleteProject", ROUTE_CALL, api_projects_delete, "pr1", NULL},
    {"POST", "/projects/pr1/deleteProject/", ROUTE_CALL, api_projects_delete, "pr1", NULL},
    {"GET", "/mlModels/listFiles/", ROUTE_CALL, api_files_list, NULL, NULL},
    {"GET", "/files/mo1/a", ROUTE_DOWNLOAD, api_files_download, "mo1", "a"},
    {"GET", "/files/mo1/a/b c", ROUTE_DOWNLOAD, api_files_download, "mo1", "a/b c"},
    {"PUT", "/files/mo1/a/", ROUTE_UPLOAD, NULL, "mo1", "a/"},
    {"PUT", "/files/mo1/", ROUTE_NONE, NULL, NULL, NULL},
    {"PUT", "/files/mo1", ROUTE_NONE, NULL, NULL, NULL},
    {"GET", "/files//a", ROUTE_NONE, NULL, NULL, NULL},
    {"GET", "/files/mo1234567890123456789012345/a", ROUTE_NONE, NULL, NULL, NULL},
    {"DELETE", "/projects", ROUTE_OTHER, NULL, NULL, NULL},
    {"GET", "/projects/pr1/deleteProject", ROUTE_OTHER, NULL, NULL, NULL},
    {"POST", "/files/mo1/a", ROUTE_OTHER, NULL, NULL, NULL},
    {"GET", "/datasets", ROUTE_LATER, NULL, NULL, NULL},
    {"POST", "/experiments/v2/experiments/run/", ROUTE_LATER, NULL, NULL, NULL},
    {"GET", "/datasetsx", ROUTE_NONE, NULL, NULL, NULL},
    {"GET", "/projects//", ROUTE_NONE, NULL, NULL, NULL},
    {"GET", "//projects", ROUTE_NONE, NULL, NULL, NULL},
    {"GET", "/projectsx", ROUTE_NONE, NULL, NULL, NULL},
    {"GET", "projects", ROUTE_NONE, NULL, NULL, NULL},
    {"GET", "/", ROUTE_NONE, NULL, NULL, NULL},
    {"GET", "", ROUTE_NONE, NULL, NULL, NULL},
};

static void finds_the_handler_of_each_call(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct request request = {.method = cases[i].method, .path = cases[i].path};
        api_handler handler = NULL;
        enum route_kind kind = routes_find(&request, &handler);
        if (kind != cases[i].kind)
            printf("# %s %s\n", cases[i].method, cases[i].path);
        CHECK_EQ(kind, cases[i].kind);
        CHECK(handler == cases[i].handler);
        if (cases[i].id)
            CHECK_STR(request.id, cases[i].id);
        if (cases[i].rest)
            CHECK_STR(request.rest, cases[i].rest);
    }
}

int main(void)
{
    TEST("finds the handler of each call", finds_the_handler_of_each_call);
    return check_done();
}
