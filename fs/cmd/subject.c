/* SPDX-License-Identifier: Apache-2.0 */
/* A mount keeps the facts about each of its directories in `.modelfs/info.json`; of a URL they are
 * made here from the same listings by the same code. A checkpoint's are a part of its model's. */
#include "cmd/subject.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "cmd/facts.h"
#include "registry/describe.h"
#include "util/buf.h"
#include "util/pool.h"

enum {
    PATIENCE_MS = 3000, /* for listings */
    N_AT_A_TIME = 8,    /* models asked for */
    INFO_MAX_BYTES = 1 << 30,
    READ_BYTES = 1 << 16,
};

#define INFO "/.modelfs/info.json"

const char *subject_kind(const json_t *facts)
{
    const char *kind = json_get_text(facts, "kind");
    return kind ? kind : "checkpoint";
}

/* --- by path --- */

/* -EINVAL when it is no JSON. */
static int read_json(const char *path, json_t **out)
{
    struct buf text BUF_CLEANUP = {0};
    CLEANUP(cleanup_fclose) FILE *file = fopen(path, "re");
    size_t n = 0;
    if (!file)
        return -errno;
    do {
        text.len += n;
        if (text.len > INFO_MAX_BYTES || buf_reserve(&text, READ_BYTES) < 0)
            return -ENOMEM;
        n = fread(text.data + text.len, 1, READ_BYTES, file);
    } while (n);
    if (ferror(file))
        return -EIO;
    *out = json_parse(text.data, text.len, NULL);
    return *out ? 0 : -EINVAL;
}

static int read_info(const char *dir, json_t **out)
{
    struct buf path BUF_CLEANUP = {0};
    int r = buf_printf(&path, "%s" INFO, dir);
    return r < 0 ? r : read_json(path.data, out);
}

static int complain_path(const struct subject *s, int err)
{
    struct stat st;
    if (stat(s->text, &st) < 0)
        err = -errno;
    else if (err == -ENOENT || err == -ENOTDIR) {
        fprintf(
            stderr,
            "modelfs %s: %s is no project, model or checkpoint in a mount; name one of those, or "
            "a registry's URL\n",
            s->command, s->text);
        return EX_USAGE;
    }
    fprintf(stderr, "modelfs %s: %s: %s%s\n", s->command, s->text,
            err == -EINVAL ? "its .modelfs/info.json is not a mount's" : strerror(-err),
            err == -ENOTCONN ? "; the mount's process is gone: unmount it and mount anew" : "");
    return err == -EACCES ? EX_NOPERM : err == -EIO ? EX_TEMPFAIL : EX_NOINPUT;
}

/* --- checkpoints --- */

/* The name behind `latest` and `best-<metric>`; any other stands for itself. */
static const char *real_name(const json_t *model, const char *name)
{
    const char *found = NULL;
    if (strcmp(name, "latest") == 0)
        found = json_get_text(model, "latest");
    if (strncmp(name, "best-", 5) == 0)
        found = json_get_text(json_get_object(model, "best"), name + 5);
    return found ? found : name;
}

/* A checkpoint's facts with what it is of. @model may be NULL. */
static json_t *with_context(const json_t *checkpoint, const json_t *model)
{
    JSON_CLEANUP json_t *out = json_object();
    static const char *const keys[][2] = {
        {"registry", "registry"}, {"project", "project"}, {"model", "name"}, {"type", "type"}};
    json_object_set_new(out, "kind", json_string("checkpoint"));
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        json_t *value = json_object_get(model, keys[i][1]);
        if (value)
            json_object_set(out, keys[i][0], value);
    }
    return json_object_update(out, (json_t *)checkpoint) < 0 ? NULL : steal_ptr(out);
}

static int describe_path(struct subject *s, json_t **out)
{
    JSON_CLEANUP json_t *info = NULL, *model = NULL;
    struct buf parent BUF_CLEANUP = {0};
    int r = read_info(s->text, &info);
    if (r < 0)
        return complain_path(s, r);
    if (json_get_text(info, "kind")) {
        *out = steal_ptr(info);
        return EX_OK;
    }
    /* the kernel follows a link such as `latest` before it goes up */
    if (buf_printf(&parent, "%s/..", s->text) == 0)
        read_info(parent.data, &model);
    *out = with_context(info, model);
    return *out ? EX_OK : EX_OSERR;
}

/* --- by URL --- */

static int describe_folder(struct subject *s, json_t **out)
{
    LISTING_CLEANUP struct listing *listing = NULL;
    const struct registry_place place = {.project_id = s->source.project_id};
    int r = catalog_get(s->source.catalog, &place, PATIENCE_MS, &listing);
    if (r < 0)
        return source_complain(s->command, s->text, r);
    *out = describe_listing(listing, registry_origin(s->source.registry), s->source.project_name);
    return *out ? EX_OK : EX_OSERR;
}

/* Any thread. */
static int fetch_model(struct subject *s, const char *model_id, json_t **out)
{
    URL_MODEL_CLEANUP struct url_model model = {0};
    int r = url_model_init(&model, &s->engine, model_id);
    if (r < 0)
        return r;
    *out = url_model_describe(&model, &s->source);
    return *out ? 0 : -ENOMEM;
}

int subject_look(struct subject *s)
{
    if (s->model.listing)
        return EX_OK;
    int r = url_model_init(&s->model, &s->engine, s->source.model_id);
    return r < 0 ? source_complain(s->command, s->text, r) : EX_OK;
}

static int describe_url(struct subject *s, json_t **out)
{
    JSON_CLEANUP json_t *model = NULL;
    if (!s->source.model_id)
        return describe_folder(s, out);
    int code = subject_look(s);
    if (code != EX_OK)
        return code;
    model = url_model_describe(&s->model, &s->source);
    if (!s->url.checkpoint) {
        *out = steal_ptr(model);
        return *out ? EX_OK : EX_OSERR;
    }
    json_t *checkpoint = facts_find_checkpoint(model, real_name(model, s->url.checkpoint));
    if (!checkpoint) {
        fprintf(stderr,
                "modelfs %s: %s: the model has no checkpoint `%s`; `modelfs ls` shows them\n",
                s->command, s->text, s->url.checkpoint);
        return EX_NOINPUT;
    }
    if (url_model_add_contents(&s->model, &s->engine, checkpoint) == 0)
        *out = with_context(checkpoint, model);
    return *out ? EX_OK : EX_OSERR;
}

/* --- either way --- */

int subject_open(struct subject *s, const char *command, const char *text)
{
    *s = (struct subject){.command = command, .text = text, .is_path = !subject_url_is(text)};
    if (s->is_path)
        return EX_OK;
    int r = subject_url_parse(text, &s->url);
    /* what is no URL at all, the registry says best */
    const char *registry = s->url.registry ? s->url.registry : text;
    int code = r == -ENOMEM ? EX_OSERR : source_open(&s->source, command, registry, NULL, NULL);
    if (code == EX_OK && r < 0) {
        fprintf(stderr, "modelfs %s: %s: a URL names PROJECT/MODEL/CHECKPOINT and no more\n",
                command, text);
        code = EX_USAGE;
    }
    if (code == EX_OK)
        code = source_find(&s->source, command, s->url.project, s->url.model, PATIENCE_MS);
    if (code == EX_OK && (r = engine_start(&s->engine, &s->source)) < 0)
        code = source_complain(command, text, r);
    return code;
}

void subject_close(struct subject *s)
{
    url_model_deinit(&s->model);
    engine_stop(&s->engine);
    source_close(&s->source);
    subject_url_deinit(&s->url);
}

int subject_describe(struct subject *s, json_t **out)
{
    return s->is_path ? describe_path(s, out) : describe_url(s, out);
}

/* --- a project's models --- */

struct job {
    struct subject *subject;
    const char *id; /* borrowed: of a path the directory's name */
    json_t *facts;
    int err;
};

static void run_job(void *ctx)
{
    struct job *job = ctx;
    struct buf path BUF_CLEANUP = {0};
    if (!job->subject->is_path) {
        job->err = fetch_model(job->subject, job->id, &job->facts);
        return;
    }
    job->err = buf_printf(&path, "%s/%s", job->subject->text, job->id);
    if (job->err == 0)
        job->err = read_info(path.data, &job->facts);
}

/* Runs all jobs, several at a time. */
static int run_jobs(struct job *jobs, size_t n)
{
    struct pool *pool = NULL;
    int r = pool_new(n < N_AT_A_TIME ? (int)n : N_AT_A_TIME, &pool);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = pool_add(pool, run_job, &jobs[i]);
    pool_free(pool); /* waits for them */
    return r;
}

/* Names of the directories below a project's path: a json array of text. */
static json_t *list_directories(const char *path)
{
    JSON_CLEANUP json_t *names = json_array();
    DIR *dir = opendir(path);
    struct dirent *item;
    while (dir && (item = readdir(dir)))
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0)
            json_array_append_new(names, json_stringn_nocheck(item->d_name, strlen(item->d_name)));
    if (dir)
        closedir(dir);
    return steal_ptr(names);
}

/* What to ask for: ids of the entries, or directories. */
static json_t *list_ids(const struct subject *s, const json_t *project)
{
    JSON_CLEANUP json_t *ids = json_array();
    size_t i;
    json_t *entry;
    if (s->is_path)
        return list_directories(s->text);
    json_array_foreach(json_get_array(project, "entries"), i, entry)
    {
        if (json_get_text(entry, "id"))
            json_array_append(ids, json_object_get(entry, "id"));
    }
    return steal_ptr(ids);
}

/* Moves the facts into @models; says what is missing. */
static int collect(struct job *jobs, size_t n, json_t *models)
{
    int code = EX_OK;
    for (size_t i = 0; i < n; i++) {
        if (jobs[i].err == 0 && json_array_append_new(models, steal_ptr(jobs[i].facts)) == 0)
            continue;
        source_complain(jobs[i].subject->command, jobs[i].id, jobs[i].err);
        code = EX_TEMPFAIL;
    }
    return code;
}

int subject_describe_models(struct subject *s, json_t *project)
{
    JSON_CLEANUP json_t *ids = list_ids(s, project);
    json_t *models = json_array();
    size_t n = json_array_size(ids);
    CLEANUP(cleanup_free) struct job *jobs = calloc(n + 1, sizeof(*jobs));
    if (json_object_set_new(project, "models", models) < 0 || !ids || !jobs)
        return EX_OSERR;
    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct job){.subject = s, .id = json_string_value(json_array_get(ids, i))};
    int r = n ? run_jobs(jobs, n) : 0;
    return r < 0 ? source_complain(s->command, s->text, r) : collect(jobs, n, models);
}
