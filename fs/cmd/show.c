/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs show: one model or checkpoint. */
#include "cmd/cmd.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/facts.h"
#include "cmd/show_text.h"
#include "cmd/subject.h"
#include "cmd/subject_contents.h"
#include "cmd/subject_history.h"
#include "cmd/terminal.h"
#include "util/clock.h"

static const char help[] =
    "usage: modelfs show [--json | --tensors] URL|PATH\n"
    "\n"
    "Tells about a model or a checkpoint. Of a model's metrics the best is marked with `*`.\n"
    "\n"
    "  URL            gradient+http://HOST:PORT/PROJECT/MODEL[/CHECKPOINT]\n"
    "                 dir:///PATH#PROJECT/MODEL[/CHECKPOINT]\n"
    "                 CHECKPOINT may be `latest` or `best-METRIC`, too\n"
    "  PATH           a model's or checkpoint's directory in a mount\n"
    "  -t, --tensors  a checkpoint's tensors: name, dtype, shape, bytes\n"
    "      --json     for scripts: all that is known\n"
    "  -h, --help     prints this\n";

struct choices {
    bool as_json, tensors;
};

static int print(int r, const struct buf *text)
{
    if (r == 0)
        r = terminal_print(text->data ? text->data : "");
    if (r == 0)
        return EX_OK;
    fprintf(stderr, "modelfs show: %s\n", strerror(-r));
    return EX_IOERR;
}

/* The history; where there is none, what the checkpoints have. */
static int take_curve(struct subject *s, const json_t *facts, const char *metric, struct curve *out)
{
    int code = subject_history(s, metric, out);
    if (code != EX_OK)
        return code;
    return out->n || facts_add_curve(facts, metric, out) == 0 ? EX_OK : EX_OSERR;
}

static int print_model(struct subject *s, const json_t *facts)
{
    JSON_CLEANUP json_t *metrics = facts_metric_names(facts);
    struct buf text BUF_CLEANUP = {0};
    struct curve curves[SHOW_METRICS_MAX] = {0};
    json_t *latest = facts_find_checkpoint(facts, json_get_text(facts, "latest"));
    int code = metrics ? EX_OK : EX_OSERR;
    if (code == EX_OK && latest)
        code = subject_add_contents(s, latest);
    for (size_t i = 0; code == EX_OK && i < json_array_size(metrics) && i < SHOW_METRICS_MAX; i++)
        code = take_curve(s, facts, json_string_value(json_array_get(metrics, i)), &curves[i]);
    if (code == EX_OK)
        code = print(
            show_model(facts, metrics, curves, terminal_has_utf8(), clock_wall_ns(), &text), &text);
    for (size_t i = 0; i < SHOW_METRICS_MAX; i++)
        curve_deinit(&curves[i]);
    return code;
}

static int print_tensors(const struct subject *s, const json_t *facts)
{
    struct buf text BUF_CLEANUP = {0};
    if (json_get_array(facts, "tensors"))
        return print(show_tensors(facts, &text), &text);
    fprintf(stderr, "modelfs show: %s: nothing is known of its tensors\n", s->text);
    return EX_UNAVAILABLE;
}

static int print_facts(struct subject *s, const json_t *facts, struct choices choices)
{
    struct buf text BUF_CLEANUP = {0};
    bool is_model = strcmp(subject_kind(facts), "model") == 0;
    if (choices.as_json)
        return facts_print_json(facts);
    if (is_model && choices.tensors) {
        fprintf(stderr, "modelfs show: %s is a model: name a checkpoint of it, such as `latest`\n",
                s->text);
        return EX_USAGE;
    }
    if (is_model)
        return print_model(s, facts);
    if (choices.tensors)
        return print_tensors(s, facts);
    return print(show_checkpoint(facts, clock_wall_ns(), &text), &text);
}

static int show(const char *what, struct choices choices)
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
        return print_facts(&subject, facts, choices);
    fprintf(stderr,
            "modelfs show: %s is a %s: name a model or a checkpoint; `modelfs ls` lists them\n",
            what, kind);
    return EX_USAGE;
}

int cmd_show(int argc, char **argv)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'j'},
                                          {"tensors", no_argument, NULL, 't'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    struct choices choices = {0};
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, "th", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        if (c == '?') {
            fputs("Try `modelfs show --help`.\n", stderr);
            return EX_USAGE;
        }
        choices.as_json |= c == 'j';
        choices.tensors |= c == 't';
    }
    if (optind + 1 == argc)
        return show(argv[optind], choices);
    fputs("modelfs show: name one model or checkpoint\nTry `modelfs show --help`.\n", stderr);
    return EX_USAGE;
}
