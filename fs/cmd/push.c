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
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd/human.h"
#include "cmd/interrupt.h"
#include "cmd/metrics_file.h"
#include "cmd/push_files.h"
#include "cmd/source.h"
#include "net/http.h"
#include "registry/gradient_call.h"
#include "serve/names.h"

enum {
    PATIENCE_MS = 10000,         /* for listings */
    UPLOAD_STALL_MS = 300000,    /* a server that puts a huge file on its disk is silent */
    METRICS_MAX_BYTES = 8 << 20, /* grows on its way into JSON, of which servers take 16 MiB */
};

#define DRIVER_PREFIX "gradient+"

static const char help[] =
    "usage: modelfs push DIR|FILE --to URL --project PROJECT --name NAME --type TYPE [OPTION]...\n"
    "\n"
    "Uploads a directory, or a single file, to a Gradient-compatible registry as a model.\n"
    "\n"
    "  --to URL           the registry: http://HOST:PORT or gradient+http://HOST:PORT\n"
    "  --project PROJECT  name or id; a project that does not exist is made\n"
    "  --name NAME        what the model will be called\n"
    "  --type TYPE        Tensorflow, ONNX or Custom\n"
    "  --metrics FILE     what was measured: CSV (step,loss,...), JSON {\"loss\":0.07,...}, or the\n"
    "                     registry's own JSON of values by checkpoint\n"
    "  --step N           the step that the values of a JSON file without steps belong to\n"
    "  --resume           sends what a model of that name lacks, and makes none where there is one\n"
    "  --json             tells about the model as JSON\n"
    "  -h, --help         prints this\n"
    "\n"
    "Links and special files are passed over. The API key comes from MODELFS_API_KEY,\n"
    "PAPERSPACE_API_KEY, the file that MODELFS_API_KEY_FILE names, or `gradient apiKey`.\n";

struct options {
    const char *path, *to, *project, *name, *type, *metrics;
    int64_t step;
    bool resume, json, help;
};

/* A push under way. */
struct push {
    struct options options;
    struct local_files files;
    struct metrics_file metrics;
    struct source source;
    struct http *uploads; /* an engine of its own, for its patience */
    char *project_id;     /* owned; GRADIENT_UNASSIGNED for none */
    char *model_id;       /* owned */
    bool is_new;          /* this push made the model */
    struct listing *there;
    struct gradient_target target;
};

static void push_deinit(struct push *p)
{
    http_free(p->uploads);
    source_close(&p->source);
    local_files_deinit(&p->files);
    metrics_file_deinit(&p->metrics);
    listing_unref(p->there);
    free(p->project_id);
    free(p->model_id);
}

static int complain_usage(const char *what)
{
    fprintf(stderr, "modelfs push: %s\nTry `modelfs push --help`.\n", what);
    return EX_USAGE;
}

static int take_step(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    long long step = strtoll(text, &end, 10);
    if (errno || !*text || *end || step < 0)
        return complain_usage("--step takes a whole number from 0");
    *out = step;
    return EX_OK;
}

static int take_option(int c, struct options *o)
{
    switch (c) {
    case 't':
        o->to = optarg;
        return EX_OK;
    case 'p':
        o->project = optarg;
        return EX_OK;
    case 'n':
        o->name = optarg;
        return EX_OK;
    case 'k':
        o->type = optarg;
        return EX_OK;
    case 'm':
        o->metrics = optarg;
        return EX_OK;
    case 's':
        return take_step(optarg, &o->step);
    case 'r':
        o->resume = true;
        return EX_OK;
    case 'j':
        o->json = true;
        return EX_OK;
    case 'h':
        o->help = true;
        return EX_OK;
    default:
        fputs("Try `modelfs push --help`.\n", stderr);
        return EX_USAGE;
    }
}

/* The three types as the registry writes them. */
static int settle_type(struct options *o)
{
    static const char *const types[] = {"Tensorflow", "ONNX", "Custom"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (o->type && strcasecmp(o->type, types[i]) == 0) {
            o->type = types[i];
            return EX_OK;
        }
    return complain_usage("give --type, one of Tensorflow, ONNX, Custom");
}

static int check_options(struct options *o)
{
    if (!o->path)
        return complain_usage("name the directory or the file to upload");
    if (!o->to)
        return complain_usage("give --to, the registry's URL, such as http://127.0.0.1:8060");
    if (!o->project || !*o->project)
        return complain_usage("give --project, a name or an id");
    if (!o->name || names_text_problem(o->name, NAMES_TEXT_BYTES))
        return complain_usage("give --name, what the model is to be called");
    if (o->step != METRICS_NO_STEP && !o->metrics)
        return complain_usage("--step says what step the values in --metrics FILE belong to");
    return settle_type(o);
}

static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {
        {"to", required_argument, NULL, 't'},      {"project", required_argument, NULL, 'p'},
        {"name", required_argument, NULL, 'n'},    {"type", required_argument, NULL, 'k'},
        {"metrics", required_argument, NULL, 'm'}, {"step", required_argument, NULL, 's'},
        {"resume", no_argument, NULL, 'r'},        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {0},
    };
    int code = EX_OK;
    *o = (struct options){.step = METRICS_NO_STEP};
    optind = 0;
    for (int c; code == EX_OK && (c = getopt_long(argc, argv, "h", known, NULL)) != -1;)
        code = take_option(c, o);
    if (code != EX_OK || o->help)
        return code;
    o->path = optind < argc ? argv[optind] : NULL;
    return optind + 1 < argc ? complain_usage("one directory or file at a time")
                             : check_options(o);
}

static void tell_skipped(void *ctx, const char *path, const char *why)
{
    (void)ctx;
    fprintf(stderr, "modelfs push: %s is passed over: %s\n", path, why);
}

static int check_names(const struct local_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        const char *path = files->items[i].path, *problem = names_path_problem(path);
        JSON_CLEANUP json_t *text = json_string(path);
        if (problem || !text) {
            fprintf(stderr, "modelfs push: `%s` cannot be pushed: %s; rename it\n", path,
                    problem ? problem : "its name is not UTF-8");
            return EX_DATAERR;
        }
    }
    return EX_OK;
}

static int scan(struct push *p)
{
    CLEANUP(cleanup_free) char *where = NULL;
    const char *path = p->options.path;
    int r = local_files_scan(path, tell_skipped, NULL, &p->files, &where);
    if (r < 0) {
        fprintf(stderr, "modelfs push: cannot read %s%s%s: %s\n", path, where ? "/" : "",
                where ? where : "",
                r == -EINVAL ? "it is neither a directory nor a file" : strerror(-r));
        return r == -EACCES ? EX_NOPERM : EX_NOINPUT;
    }
    if (p->files.n)
        return check_names(&p->files);
    fprintf(stderr, "modelfs push: %s has no files in it: a model needs at least one\n", path);
    return EX_NOINPUT;
}

static int read_text(const char *path, struct buf *out)
{
    CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : buf_reserve(out, METRICS_MAX_BYTES + 1);
    while (r == 0 && out->len <= METRICS_MAX_BYTES) {
        ssize_t n = read(fd, out->data + out->len, METRICS_MAX_BYTES + 1 - out->len);
        if (n <= 0)
            return n < 0 ? -errno : 0;
        out->len += (size_t)n;
    }
    return r < 0 ? r : -EFBIG;
}

static int read_metrics(struct push *p)
{
    struct buf text BUF_CLEANUP = {0}, why BUF_CLEANUP = {0};
    const char *path = p->options.metrics;
    if (!path)
        return EX_OK;
    int r = read_text(path, &text);
    if (r == 0)
        r = metrics_file_parse(text.data, text.len, p->options.step, &p->metrics, &why);
    if (r == 0)
        return EX_OK;
    fprintf(stderr, "modelfs push: cannot use the metrics in %s: %s\n", path,
            r == -EINVAL && why.len ? why.data : strerror(-r));
    return r == -EINVAL || r == -EFBIG ? EX_DATAERR : EX_NOINPUT;
}

static int open_registry(struct push *p)
{
    struct buf url BUF_CLEANUP = {0};
    const char *to = p->options.to;
    bool is_plain = strncmp(to, "http://", 7) == 0 || strncmp(to, "https://", 8) == 0;
    const struct http_options patient = {.n_threads = 1, .stall_timeout_ms = UPLOAD_STALL_MS};
    if (buf_printf(&url, "%s%s", is_plain ? DRIVER_PREFIX : "", to) < 0)
        return EX_OSERR;
    int code = source_open(&p->source, "push", url.data, NULL, 0);
    if (code != EX_OK)
        return code;
    const char *origin = registry_origin(p->source.registry);
    if (strncmp(origin, DRIVER_PREFIX, strlen(DRIVER_PREFIX)) != 0)
        return complain_usage("only a Gradient-compatible registry takes uploads: http://HOST:PORT");
    if (registry_project(p->source.registry))
        return complain_usage("--to is the registry alone, http://HOST:PORT; the rest goes into "
                              "--project and --name");
    int r = http_new(&patient, &p->uploads);
    p->target = (struct gradient_target){p->uploads, origin + strlen(DRIVER_PREFIX)};
    return r < 0 ? source_complain("push", to, r) : EX_OK;
}

/* The one entry with that id or name, NULL for none; with several of that name *out_code is not
 * EX_OK, and that was said. */
static const struct listing_entry *find_one(const struct listing *listing, const char *wanted,
                                            const char *what, int *out_code)
{
    const struct listing_entry *found = listing_find(listing, wanted);
    size_t n_named = 0;
    for (size_t i = 0; i < listing->n_entries; i++)
        n_named += strcmp(listing->entries[i].name, wanted) == 0;
    if (!found || strcmp(found->id, wanted) == 0 || n_named < 2)
        return found;
    fprintf(stderr, "modelfs push: there are %zu %ss called `%s`: say which by its id, such as %s\n",
            n_named, what, wanted, found->id);
    *out_code = EX_DATAERR;
    return NULL;
}

static int copy_id(const struct listing_entry *entry, char **out)
{
    *out = entry ? strdup(entry->id) : NULL;
    return entry && !*out ? EX_OSERR : EX_OK;
}

/* Fills project_id, or leaves NULL where the project has to be made. */
static int find_project(struct push *p)
{
    LISTING_CLEANUP struct listing *listing = NULL;
    int code = EX_OK, r = catalog_get(p->source.catalog, &(struct registry_place){0}, PATIENCE_MS,
                                      &listing);
    if (r < 0)
        return source_complain("push", p->options.to, r);
    if (strcmp(p->options.project, GRADIENT_UNASSIGNED) == 0) {
        p->project_id = strdup(GRADIENT_UNASSIGNED);
        return p->project_id ? EX_OK : EX_OSERR;
    }
    const struct listing_entry *entry = find_one(listing, p->options.project, "project", &code);
    return code == EX_OK ? copy_id(entry, &p->project_id) : code;
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
    const struct listing_entry *entry = find_one(listing, p->options.name, "model", &code);
    if (!entry)
        return code;
    if (!p->options.resume) {
        fprintf(stderr,
                "modelfs push: the project `%s` has a model `%s` already (%s): take another "
                "--name, or send what it lacks with --resume\n",
                p->options.project, p->options.name, entry->id);
        return EX_CANTCREAT;
    }
    code = copy_id(entry, &p->model_id);
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
