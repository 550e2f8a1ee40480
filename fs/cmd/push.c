/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs push: uploads a directory or a file as one model.
 *
 *   look at all that could be wrong here      the files, their names, the metrics
 *   look at all that could be wrong there     the key, the project, a model of the same name
 *   make the project and the model
 *   send the files
 *
 * so that nothing is made for a push that cannot end well. What fails later leaves a model with
 * some of its files; it stays, since sending many gigabytes twice is worse, and --resume sends what
 * it lacks. */
#include "cmd/cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/human.h"
#include "cmd/interrupt.h"
#include "cmd/push_files.h"
#include "cmd/push_input.h"
#include "cmd/push_options.h"
#include "cmd/source.h"
#include "net/http.h"
#include "registry/gradient_call.h"

enum {
    PATIENCE_MS = 3000,       /* for listings */
    UPLOAD_STALL_MS = 300000, /* a server that puts a huge file on its disk is silent */
};

#define DRIVER_PREFIX "gradient+"

/* A push under way. */
struct push {
    struct push_options options;
    struct local_files files;
    struct metrics_file metrics;
    struct source source;
    char *project_id; /* owned; GRADIENT_UNASSIGNED for none */
    char *model_id;   /* owned */
    bool is_new;      /* this push made the model */
    struct listing *there;
    struct gradient_target target;
};

static void push_deinit(struct push *p)
{
    source_close(&p->source);
    local_files_deinit(&p->files);
    metrics_file_deinit(&p->metrics);
    listing_unref(p->there);
    free(p->project_id);
    free(p->model_id);
}

static int scan(struct push *p)
{
    return push_input_files(p->options.path, &p->files);
}

static int read_metrics(struct push *p)
{
    const struct push_options *o = &p->options;
    return o->metrics ? push_input_metrics(o->metrics, o->step, &p->metrics) : EX_OK;
}

static int open_registry(struct push *p)
{
    struct buf url BUF_CLEANUP = {0};
    const char *to = p->options.to;
    bool is_plain = strncmp(to, "http://", 7) == 0 || strncmp(to, "https://", 8) == 0;
    const struct http_options patient = {.stall_timeout_ms = UPLOAD_STALL_MS};
    if (buf_printf(&url, "%s%s", is_plain ? DRIVER_PREFIX : "", to) < 0)
        return EX_OSERR;
    int code = source_open(&p->source, "push", url.data, NULL, &patient);
    if (code != EX_OK)
        return code;
    const char *origin = registry_origin(p->source.registry);
    if (strncmp(origin, DRIVER_PREFIX, strlen(DRIVER_PREFIX)) != 0)
        return push_options_complain(
            "only a Gradient-compatible registry takes uploads: http://HOST:PORT");
    if (registry_project(p->source.registry))
        return push_options_complain(
            "--to is the registry alone, http://HOST:PORT; the rest goes into "
            "--project and --name");
    p->target = (struct gradient_target){p->source.http, origin + strlen(DRIVER_PREFIX)};
    return EX_OK;
}

/* The id of the one entry with that id or name, NULL for none; with several of that name *out_code
 * is not EX_OK, and that was said. */
static const char *find_one(const struct listing *listing, const char *wanted, const char *what,
                            int *out_code)
{
    size_t found = listing_find(listing, wanted), n_named = 0;
    const char *id = found == LISTING_NONE ? NULL : listing_id(listing, found);
    for (size_t i = 0; i < listing->n_entries; i++) {
        struct listing_entry entry;
        listing_get(listing, i, &entry);
        n_named += strcmp(entry.name, wanted) == 0;
    }
    if (!id || strcmp(id, wanted) == 0 || n_named < 2)
        return id;
    fprintf(stderr,
            "modelfs push: there are %zu %ss called `%s`: say which by its id, such as %s\n",
            n_named, what, wanted, id);
    *out_code = EX_DATAERR;
    return NULL;
}

static int copy_id(const char *id, char **out)
{
    *out = id ? strdup(id) : NULL;
    return id && !*out ? EX_OSERR : EX_OK;
}

/* Fills project_id, or leaves NULL where the project has to be made. */
static int find_project(struct push *p)
{
    LISTING_CLEANUP struct listing *listing = NULL;
    int code = EX_OK,
        r = catalog_get(p->source.catalog, &(struct registry_place){0}, PATIENCE_MS, &listing);
    if (r < 0)
        return source_complain("push", p->options.to, r);
    if (strcmp(p->options.project, GRADIENT_UNASSIGNED) == 0) {
        p->project_id = strdup(GRADIENT_UNASSIGNED);
        return p->project_id ? EX_OK : EX_OSERR;
    }
    const char *id = find_one(listing, p->options.project, "project", &code);
    return code == EX_OK ? copy_id(id, &p->project_id) : code;
}

/* What the model to go on with has. */
static int list_there(struct push *p)
{
    const struct registry_place place = {p->project_id, p->model_id};
    int r = catalog_get(p->source.catalog, &place, PATIENCE_MS, &p->there);
    return r < 0 ? source_complain("push", p->options.name, r) : EX_OK;
}

/* Fills model_id where there is a model of that name and it may be gone on with. */
static int find_model(struct push *p)
{
    LISTING_CLEANUP struct listing *listing = NULL;
    const struct registry_place place = {.project_id = p->project_id};
    int code = EX_OK;
    if (!p->project_id)
        return EX_OK;
    int r = catalog_get(p->source.catalog, &place, PATIENCE_MS, &listing);
    if (r < 0)
        return source_complain("push", p->options.project, r);
    const char *id = find_one(listing, p->options.name, "model", &code);
    if (!id)
        return code;
    if (!p->options.resume) {
        fprintf(stderr,
                "modelfs push: the project `%s` has a model `%s` already (%s): take another "
                "--name, or send what it lacks with --resume\n",
                p->options.project, p->options.name, id);
        return EX_CANTCREAT;
    }
    code = copy_id(id, &p->model_id);
    return code == EX_OK ? list_there(p) : code;
}

static int make_project(struct push *p)
{
    if (p->project_id)
        return EX_OK;
    int r = gradient_push_project(&p->target, p->options.project, &p->project_id);
    return r < 0 ? source_complain("push", "the project could not be made", r) : EX_OK;
}

static int make_model(struct push *p)
{
    bool has_project = strcmp(p->project_id, GRADIENT_UNASSIGNED) != 0;
    const struct gradient_model model = {
        .name = p->options.name,
        .type = p->options.type,
        .project_id = has_project ? p->project_id : NULL,
        .detail = p->metrics.detail,
        .summary = p->metrics.summary,
    };
    if (p->model_id)
        return EX_OK;
    int r = gradient_push_model(&p->target, &model, &p->model_id);
    p->is_new = r == 0;
    return r < 0 ? source_complain("push", "the model could not be made", r) : EX_OK;
}

/* A broken push: what is there now, and how to go on. */
static void tell_state(const struct push *p, const struct push_files_result *result)
{
    fprintf(stderr,
            "modelfs push: %zu of %zu files are at the registry, in the model `%s` (%s). The same "
            "command with --resume sends the rest%s\n",
            result->n_done, p->files.n, p->options.name, p->model_id,
            p->is_new ? "; or delete that model there" : "");
}

struct failure {
    int err;
    int exit_code;
    const char *text;
};

static int complain_file(const char *path, int err)
{
    static const struct failure failures[] = {
        {-ESTALE, EX_DATAERR, "it changed while it was sent"},
        {-EBADMSG, EX_DATAERR,
         "the registry got other bytes than are in the file: it changed while it was sent, or the "
         "connection damaged it"},
        {-EINTR, EX_TEMPFAIL, "interrupted"},
        {-ENOSPC, EX_UNAVAILABLE, "the registry has no room for it"},
        {-EACCES, EX_NOPERM, "refused: see above"},
        {-ENOENT, EX_UNAVAILABLE, "the registry says that the model is gone"},
        {-EAGAIN, EX_TEMPFAIL, "the registry failed again and again; try later"},
        {-EPROTO, EX_PROTOCOL, "the registry's answer makes no sense: see above"},
    };
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
        if (failures[i].err == err) {
            fprintf(stderr, "modelfs push: %s: %s\n", path, failures[i].text);
            return failures[i].exit_code;
        }
    fprintf(stderr, "modelfs push: %s could not be sent: %s\n", path, strerror(-err));
    return EX_TEMPFAIL;
}

static int send_files(struct push *p, struct push_files_result *out)
{
    const struct push_files job = {
        .target = &p->target, .model_id = p->model_id, .files = &p->files, .there = p->there};
    int r = push_files_run(&job, out);
    if (r == 0)
        return EX_OK;
    int code = complain_file(out->failed, r);
    tell_state(p, out);
    interrupt_obey();
    return code;
}

static int print_json(const struct push *p, const struct push_files_result *result)
{
    JSON_CLEANUP json_t *facts =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "registry",
                  registry_origin(p->source.registry), "project", p->options.project, "project_id",
                  p->project_id, "name", p->options.name, "id", p->model_id, "type",
                  p->options.type, "files", (json_int_t)p->files.n, "sent",
                  (json_int_t)result->n_sent, "size", (json_int_t)p->files.size_bytes);
    if (!facts || json_dumpf(facts, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) < 0)
        return EX_IOERR;
    return putchar('\n') == EOF ? EX_IOERR : EX_OK;
}

static int tell_result(const struct push *p, const struct push_files_result *result)
{
    char size[HUMAN_BYTES];
    if (p->options.json)
        return print_json(p, result);
    human_size(p->files.size_bytes, size);
    printf("%s/%s: %zu file%s, %s, as %s", p->options.project, p->options.name, p->files.n,
           p->files.n == 1 ? "" : "s", size, p->model_id);
    if (result->n_sent < p->files.n)
        printf(" (%zu were there)", p->files.n - result->n_sent);
    return putchar('\n') == EOF ? EX_IOERR : EX_OK;
}

static int run_steps(struct push *p, int (*const steps[])(struct push *p))
{
    int code = EX_OK;
    for (; code == EX_OK && *steps; steps++) {
        if (!p->is_new)
            interrupt_obey();
        code = (*steps)(p);
    }
    return code;
}

static int push(struct push *p)
{
    static int (*const checks[])(struct push * p) = {scan,         read_metrics, open_registry,
                                                     find_project, find_model,   NULL};
    static int (*const makes[])(struct push * p) = {make_project, make_model, NULL};
    struct push_files_result result;
    int code = run_steps(p, checks);
    interrupt_catch();
    if (code == EX_OK)
        code = run_steps(p, makes);
    if (code == EX_OK)
        code = send_files(p, &result);
    return code == EX_OK ? tell_result(p, &result) : code;
}

int cmd_push(int argc, char **argv)
{
    CLEANUP(push_deinit) struct push p = {.files = {.root_fd = -1}};
    int code = push_options_parse(argc, argv, &p.options);
    if (code != EX_OK)
        return code;
    if (p.options.help) {
        fputs(push_options_help, stdout);
        return EX_OK;
    }
    signal(SIGPIPE, SIG_IGN);
    return push(&p);
}
