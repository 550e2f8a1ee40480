/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs show: one model or checkpoint, a fact a line. */
#include "cmd/cmd.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/facts.h"
#include "cmd/subject.h"
#include "cmd/table.h"
#include "util/clock.h"

static const char help[] = "usage: modelfs show [--json] URL|PATH\n"
                           "\n"
                           "Tells about a model or a checkpoint.\n"
                           "\n"
                           "  URL          gradient+http://HOST:PORT/PROJECT/MODEL[/CHECKPOINT]\n"
                           "               dir:///PATH#PROJECT/MODEL[/CHECKPOINT]\n"
                           "               CHECKPOINT may be `latest` or `best-METRIC`, too\n"
                           "  PATH         a model's or checkpoint's directory in a mount\n"
                           "      --json   for scripts: all that is known\n"
                           "  -h, --help   prints this\n";

static void add_row(struct table *table, const char *name, const char *value)
{
    if (!value)
        return;
    table_add(table, name);
    table_add(table, value);
}

static void add_text(struct table *table, const json_t *facts, const char *key)
{
    add_row(table, key, json_get_text(facts, key));
}

__attribute__((format(printf, 3, 4))) static void add_row_f(struct table *table, const char *name,
                                                            const char *fmt, ...)
{
    struct buf text BUF_CLEANUP = {0};
    va_list args;
    va_start(args, fmt);
    int r = buf_vprintf(&text, fmt, args);
    va_end(args);
    add_row(table, name, r == 0 ? text.data : NULL);
}

static void add_modified(struct table *table, const json_t *facts)
{
    char age[HUMAN_BYTES];
    int64_t now_ns = clock_wall_ns(), then_ns = facts_modified_ns(facts);
    human_age(then_ns, now_ns, age);
    if (then_ns)
        add_row_f(table, "modified", "%s (%s%s)", json_get_text(facts, "modified"), age,
                  strcmp(age, "now") == 0 ? "" : " ago");
}

static void add_size(struct table *table, const json_t *facts)
{
    char size[HUMAN_BYTES];
    int64_t bytes = json_get_int(facts, "size", 0);
    size_t n_files = json_array_size(json_get_array(facts, "files"));
    human_size(bytes < 0 ? 0 : (uint64_t)bytes, size);
    add_row_f(table, "size", "%s (%" PRId64 " bytes in %zu file%s)", size, bytes, n_files,
              n_files == 1 ? "" : "s");
}

static void add_metrics(struct table *table, const json_t *facts)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_get_object(facts, "metrics"), name, value)
    {
        struct buf label BUF_CLEANUP = {0};
        char text[HUMAN_BYTES];
        facts_format_metric(value, text);
        if (buf_printf(&label, "metric %s", name) == 0)
            add_row(table, label.data, text);
    }
}

static void add_best(struct table *table, const json_t *model)
{
    const char *metric;
    json_t *name;
    json_object_foreach(json_get_object(model, "best"), metric, name)
    {
        struct buf label BUF_CLEANUP = {0};
        if (buf_printf(&label, "best %s", metric) == 0)
            add_row(table, label.data, json_string_value(name));
    }
}

static void fill_model(struct table *table, const json_t *facts)
{
    static const char *const keys[] = {"name", "id", "project", "registry", "type"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        add_text(table, facts, keys[i]);
    add_modified(table, facts);
    add_size(table, facts);
    add_row_f(table, "checkpoints", "%zu", json_array_size(json_get_array(facts, "checkpoints")));
    add_text(table, facts, "latest");
    add_best(table, facts);
    add_metrics(table, facts);
}

static void fill_checkpoint(struct table *table, const json_t *facts)
{
    static const char *const keys[] = {"name", "model",     "project", "registry",
                                       "type", "framework", "format"};
    int64_t step = json_get_int(facts, "step", -1);
    const char *missing = json_get_text(facts, "missing");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        add_text(table, facts, keys[i]);
    if (step >= 0)
        add_row_f(table, "step", "%" PRId64, step);
    add_row_f(table, "complete", "%s%s", missing ? "no, lacks " : "yes", missing ? missing : "");
    add_modified(table, facts);
    add_size(table, facts);
    add_metrics(table, facts);
}

/* A checkpoint's files below its facts. */
static void fill_files(struct table *table, const json_t *facts)
{
    size_t i;
    json_t *file;
    table_add_column(table, "FILE", TABLE_LEFT);
    table_add_column(table, "BYTES", TABLE_RIGHT);
    table_add_column(table, "SHA-256", TABLE_LEFT);
    json_array_foreach(json_get_array(facts, "files"), i, file)
    {
        char bytes[HUMAN_BYTES];
        snprintf(bytes, sizeof(bytes), "%" PRId64, json_get_int(file, "size", 0));
        table_add(table, json_get_text(file, "path"));
        table_add(table, bytes);
        table_add(table, json_get_text(file, "digest"));
    }
}

static int print_facts(const json_t *facts)
{
    TABLE_CLEANUP struct table *table = table_new();
    TABLE_CLEANUP struct table *files = table_new();
    bool is_model = strcmp(subject_kind(facts), "model") == 0;
    if (!table || !files)
        return EX_OSERR;
    table_add_column(table, NULL, TABLE_LEFT);
    table_add_column(table, NULL, TABLE_LEFT);
    if (is_model)
        fill_model(table, facts);
    else
        fill_checkpoint(table, facts);
    fill_files(files, facts);
    int r = table_print(table, stdout);
    if (r == 0 && !is_model && table_rows(files))
        r = putchar('\n') == EOF ? -1 : table_print(files, stdout);
    if (r == 0 && fflush(stdout) == 0)
        return EX_OK;
    perror("modelfs show");
    return EX_IOERR;
}

static int show(const char *what, bool as_json)
{
    SUBJECT_CLEANUP struct subject subject = {0};
    JSON_CLEANUP json_t *facts = NULL;
    int code = subject_open(&subject, "show", what);
    if (code == EX_OK)
        code = subject_describe(&subject, &facts);
    if (code != EX_OK)
        return code;
    const char *kind = subject_kind(facts);
    if (strcmp(kind, "model") == 0 || strcmp(kind, "checkpoint") == 0)
        return as_json ? facts_print_json(facts) : print_facts(facts);
    fprintf(stderr,
            "modelfs show: %s is a %s: name a model or a checkpoint; `modelfs ls` lists them\n",
            what, kind);
    return EX_USAGE;
}

int cmd_show(int argc, char **argv)
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
            fputs("Try `modelfs show --help`.\n", stderr);
            return EX_USAGE;
        }
        as_json = true;
    }
    if (optind + 1 == argc)
        return show(argv[optind], as_json);
    fputs("modelfs show: name one model or checkpoint\nTry `modelfs show --help`.\n", stderr);
    return EX_USAGE;
}
