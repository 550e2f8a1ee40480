/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs ls: what is in a registry, a project, a model or a checkpoint, as a table. */
#include "cmd/cmd.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/facts.h"
#include "cmd/subject.h"
#include "cmd/table.h"
#include "util/clock.h"

enum { METRIC_COLUMNS_MAX = 8, STEP_BYTES = 24 };

static const char help[] =
    "usage: modelfs ls [--json] URL|PATH...\n"
    "\n"
    "Lists a registry's projects, a project's models, a model's checkpoints or a checkpoint's "
    "files.\n"
    "\n"
    "  URL          gradient+http://HOST:PORT[/PROJECT[/MODEL[/CHECKPOINT]]]\n"
    "               dir:///PATH[#PROJECT[/MODEL[/CHECKPOINT]]]\n"
    "  PATH         a directory in a mount\n"
    "      --json   for scripts: all that is known\n"
    "  -h, --help   prints this\n";

typedef void fill_fn(struct table *table, const json_t *facts, int64_t now_ns);

static uint64_t size_of(const json_t *facts)
{
    return facts_size(facts, "size");
}

static void add_metric(struct table *table, const json_t *value)
{
    char text[HUMAN_BYTES];
    facts_format_metric(value, text);
    table_add(table, text);
}

static void fill_registry(struct table *table, const json_t *facts, int64_t now_ns)
{
    const json_t *entries = json_get_array(facts, "entries");
    CLEANUP(cleanup_free) const json_t **sorted = facts_sort(entries, "name");
    table_add_column(table, "PROJECT", TABLE_LEFT);
    table_add_column(table, "ID", TABLE_LEFT);
    table_add_column(table, "AGE", TABLE_RIGHT);
    for (size_t i = 0; sorted && i < json_array_size(entries); i++) {
        table_add(table, json_get_text(sorted[i], "name"));
        table_add(table, json_get_text(sorted[i], "id"));
        table_add_age(table, facts_modified_ns(sorted[i]), now_ns);
    }
}

static void fill_project(struct table *table, const json_t *facts, int64_t now_ns)
{
    static const char *const headings[] = {"CHECKPOINTS", "ACCURACY", "LOSS", "SIZE", "AGE"};
    const json_t *models = json_get_array(facts, "models");
    CLEANUP(cleanup_free) const json_t **sorted = facts_sort(models, "name");
    table_add_column(table, "MODEL", TABLE_LEFT);
    table_add_column(table, "TYPE", TABLE_LEFT);
    for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
        table_add_column(table, headings[i], TABLE_RIGHT);
    for (size_t i = 0; sorted && i < json_array_size(models); i++) {
        char count[STEP_BYTES];
        snprintf(count, sizeof(count), "%zu",
                 json_array_size(json_get_array(sorted[i], "checkpoints")));
        table_add(table, json_get_text(sorted[i], "name"));
        table_add(table, json_get_text(sorted[i], "type"));
        table_add(table, count);
        add_metric(table, facts_find_metric(sorted[i], "accuracy"));
        add_metric(table, facts_find_metric(sorted[i], "loss"));
        table_add_size(table, size_of(sorted[i]));
        table_add_age(table, facts_modified_ns(sorted[i]), now_ns);
    }
}

static int append_mark(struct buf *out, const char *mark, const char *of)
{
    return buf_printf(out, "%s%s%s", out->len ? ", " : "", mark, of);
}

/* `latest, best loss`. */
static void add_marks(struct table *table, const json_t *model, const json_t *checkpoint)
{
    struct buf marks BUF_CLEANUP = {0};
    const char *name = json_get_text(checkpoint, "name"), *latest = json_get_text(model, "latest");
    const char *metric;
    struct buf missing BUF_CLEANUP = {0};
    json_t *best;
    if (latest && name && strcmp(latest, name) == 0)
        append_mark(&marks, "latest", "");
    json_object_foreach(json_get_object(model, "best"), metric, best)
    {
        const char *its = json_string_value(best);
        if (its && name && strcmp(its, name) == 0)
            append_mark(&marks, "best ", metric);
    }
    if (facts_append_missing(checkpoint, &missing) == 0 && missing.len)
        append_mark(&marks, "incomplete, lacks ", missing.data);
    table_add(table, marks.data);
}

static void add_checkpoint(struct table *table, const json_t *model, const json_t *checkpoint,
                           const json_t *metrics, int64_t now_ns)
{
    char step[STEP_BYTES] = "-";
    int64_t number = json_get_int(checkpoint, "step", -1);
    if (number >= 0)
        snprintf(step, sizeof(step), "%lld", (long long)number);
    table_add(table, json_get_text(checkpoint, "name"));
    table_add(table, step);
    for (size_t i = 0; i < json_array_size(metrics) && i < METRIC_COLUMNS_MAX; i++)
        add_metric(table, json_object_get(json_get_object(checkpoint, "metrics"),
                                          json_string_value(json_array_get(metrics, i))));
    table_add_size(table, size_of(checkpoint));
    table_add_age(table, facts_modified_ns(checkpoint), now_ns);
    add_marks(table, model, checkpoint);
}

/* What is in no checkpoint, as the mount shows it: `files`. */
static void add_rest(struct table *table, const json_t *model, size_t n_metrics, int64_t now_ns)
{
    uint64_t rest_bytes = size_of(model);
    size_t n_files = json_array_size(json_get_array(model, "files")), i;
    json_t *checkpoint;
    json_array_foreach(json_get_array(model, "checkpoints"), i, checkpoint)
    {
        rest_bytes -= size_of(checkpoint);
        n_files -= json_array_size(json_get_array(checkpoint, "files"));
    }
    if (!n_files)
        return;
    table_add(table, "files");
    for (i = 0; i < n_metrics + 1; i++)
        table_add(table, NULL);
    table_add_size(table, rest_bytes);
    table_add_age(table, facts_modified_ns(model), now_ns);
    table_add(table, NULL);
}

static void fill_model(struct table *table, const json_t *facts, int64_t now_ns)
{
    JSON_CLEANUP json_t *metrics = facts_metric_names(facts);
    size_t n_metrics = json_array_size(metrics), i;
    json_t *checkpoint;
    if (n_metrics > METRIC_COLUMNS_MAX)
        n_metrics = METRIC_COLUMNS_MAX;
    table_add_column(table, "CHECKPOINT", TABLE_LEFT);
    table_add_column(table, "STEP", TABLE_RIGHT);
    for (i = 0; i < n_metrics; i++)
        table_add_column(table, json_string_value(json_array_get(metrics, i)), TABLE_RIGHT);
    table_add_column(table, "SIZE", TABLE_RIGHT);
    table_add_column(table, "AGE", TABLE_RIGHT);
    table_add_column(table, "NOTE", TABLE_LEFT);
    json_array_foreach(json_get_array(facts, "checkpoints"), i, checkpoint)
        add_checkpoint(table, facts, checkpoint, metrics, now_ns);
    add_rest(table, facts, n_metrics, now_ns);
}

static void fill_checkpoint(struct table *table, const json_t *facts, int64_t now_ns)
{
    size_t i;
    json_t *file;
    table_add_column(table, "FILE", TABLE_LEFT);
    table_add_column(table, "SIZE", TABLE_RIGHT);
    table_add_column(table, "AGE", TABLE_RIGHT);
    json_array_foreach(json_get_array(facts, "files"), i, file)
    {
        table_add(table, json_get_text(file, "path"));
        table_add_size(table, size_of(file));
        table_add_age(table, facts_modified_ns(file), now_ns);
    }
}

static const struct {
    const char *kind;
    fill_fn *fill;
} fillers[] = {
    {"registry", fill_registry},
    {"project", fill_project},
    {"model", fill_model},
    {"checkpoint", fill_checkpoint},
};

static int print_table(const json_t *facts)
{
    TABLE_CLEANUP struct table *table = table_new();
    for (size_t i = 0; table && i < sizeof(fillers) / sizeof(fillers[0]); i++)
        if (strcmp(fillers[i].kind, subject_kind(facts)) == 0)
            fillers[i].fill(table, facts, clock_wall_ns());
    if (!table || table_print(table, stdout) < 0 || fflush(stdout) != 0) {
        perror("modelfs ls");
        return EX_IOERR;
    }
    return EX_OK;
}

static int list(const char *what, bool as_json)
{
    SUBJECT_CLEANUP struct subject subject = {0};
    JSON_CLEANUP json_t *facts = NULL;
    int incomplete = EX_OK, code = subject_open(&subject, "ls", what);
    if (code == EX_OK)
        code = subject_describe(&subject, &facts);
    if (code != EX_OK)
        return code;
    if (strcmp(subject_kind(facts), "project") == 0)
        incomplete = subject_describe_models(&subject, facts);
    code = as_json ? facts_print_json(facts) : print_table(facts);
    return code == EX_OK ? incomplete : code;
}

int cmd_ls(int argc, char **argv)
{
    static const struct option known[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool as_json = false;
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        if (c != 'j') {
            fputs("Try `modelfs ls --help`.\n", stderr);
            return EX_USAGE;
        }
        as_json = true;
    }
    if (optind == argc) {
        fputs("modelfs ls: name a registry's URL, or a directory in a mount\n"
              "Try `modelfs ls --help`.\n",
              stderr);
        return EX_USAGE;
    }
    int code = EX_OK;
    for (int i = optind; i < argc; i++) {
        if (argc - optind > 1 && !as_json)
            printf("%s%s:\n", i > optind ? "\n" : "", argv[i]);
        int one = list(argv[i], as_json);
        code = code == EX_OK ? one : code;
    }
    return code;
}
