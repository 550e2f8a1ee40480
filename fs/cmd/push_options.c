/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/push_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sysexits.h>

#include "cmd/metrics_file.h"
#include "serve/names.h"

const char push_options_help[] =
    "usage: modelfs push DIR|FILE --to URL --project PROJECT --name NAME --type TYPE [OPTION]...\n"
    "\n"
    "Uploads a directory, or a single file, to a Gradient-compatible registry as a model.\n"
    "\n"
    "  --to URL           the registry: http://HOST:PORT or gradient+http://HOST:PORT\n"
    "  --project PROJECT  name or id; a project that does not exist is made\n"
    "  --name NAME        what the model will be called\n"
    "  --type TYPE        Tensorflow, ONNX or Custom\n"
    "  --metrics FILE     what was measured: CSV (step,loss,...), JSON {\"loss\":0.07,...}, or "
    "the\n"
    "                     registry's own JSON of values by checkpoint\n"
    "  --step N           the step that the values of a JSON file without steps belong to\n"
    "  --resume           sends what a model of that name lacks, and makes none where there is "
    "one\n"
    "  --json             tells about the model as JSON\n"
    "  -h, --help         prints this\n"
    "\n"
    "Links and special files are passed over. The API key comes from MODELFS_API_KEY,\n"
    "PAPERSPACE_API_KEY, the file that MODELFS_API_KEY_FILE names, or `gradient apiKey`.\n";

int push_options_complain(const char *what)
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
        return push_options_complain("--step takes a whole number from 0");
    *out = step;
    return EX_OK;
}

static int take_option(int c, struct push_options *o)
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
static int settle_type(struct push_options *o)
{
    static const char *const types[] = {"Tensorflow", "ONNX", "Custom"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (o->type && strcasecmp(o->type, types[i]) == 0) {
            o->type = types[i];
            return EX_OK;
        }
    return push_options_complain("give --type, one of Tensorflow, ONNX, Custom");
}

static int check_options(struct push_options *o)
{
    if (!o->path)
        return push_options_complain("name the directory or the file to upload");
    if (!o->to)
        return push_options_complain(
            "give --to, the registry's URL, such as http://127.0.0.1:8060");
    if (!o->project || !*o->project)
        return push_options_complain("give --project, a name or an id");
    if (!o->name || names_text_problem(o->name, NAMES_TEXT_BYTES))
        return push_options_complain("give --name, what the model is to be called");
    if (o->step != METRICS_NO_STEP && !o->metrics)
        return push_options_complain(
            "--step says what step the values in --metrics FILE belong to");
    return settle_type(o);
}

int push_options_parse(int argc, char **argv, struct push_options *o)
{
    static const struct option known[] = {
        {"to", required_argument, NULL, 't'},      {"project", required_argument, NULL, 'p'},
        {"name", required_argument, NULL, 'n'},    {"type", required_argument, NULL, 'k'},
        {"metrics", required_argument, NULL, 'm'}, {"step", required_argument, NULL, 's'},
        {"resume", no_argument, NULL, 'r'},        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {0},
    };
    int code = EX_OK;
    *o = (struct push_options){.step = METRICS_NO_STEP};
    optind = 0;
    for (int c; code == EX_OK && (c = getopt_long(argc, argv, "h", known, NULL)) != -1;)
        code = take_option(c, o);
    if (code != EX_OK || o->help)
        return code;
    o->path = optind < argc ? argv[optind] : NULL;
    return optind + 1 < argc ? push_options_complain("one directory or file at a time")
                             : check_options(o);
}
