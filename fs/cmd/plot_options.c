/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/plot_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "cmd/subject_url.h"

enum { MAX_SIDE = 1000 };

enum { OPT_WIDTH = 256, OPT_HEIGHT, OPT_LOG, OPT_CHECKPOINTS };

static const struct option known[] = {
    {"output", required_argument, NULL, 'o'},
    {"width", required_argument, NULL, OPT_WIDTH},
    {"height", required_argument, NULL, OPT_HEIGHT},
    {"log", no_argument, NULL, OPT_LOG},
    {"checkpoints", no_argument, NULL, OPT_CHECKPOINTS},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int refuse(const char *what, const char *word)
{
    fprintf(stderr, "modelfs plot: %s%s%s\nTry `modelfs plot --help`.\n", what, *word ? ": " : "",
            word);
    return EX_USAGE;
}

static int take_path(struct plot_options *o, const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    o->path = path;
    if (dot && strcasecmp(dot, ".png") == 0)
        o->picture = CHART_PNG;
    else if (dot && strcasecmp(dot, ".svg") == 0)
        o->picture = CHART_SVG;
    else
        return refuse("a picture's name ends with .png or .svg", path);
    return EX_OK;
}

static int take_side(unsigned *out, unsigned least, const char *text)
{
    char *end;
    unsigned long side = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || side < least || side > MAX_SIDE) {
        fprintf(stderr, "modelfs plot: %s is no number from %u to %d\n", text, least, MAX_SIDE);
        return EX_USAGE;
    }
    *out = (unsigned)side;
    return EX_OK;
}

static int take(struct plot_options *o, int option)
{
    switch (option) {
    case 'o':
        return take_path(o, optarg);
    case OPT_WIDTH:
        return take_side(&o->size.columns, CHART_MIN_COLUMNS, optarg);
    case OPT_HEIGHT:
        return take_side(&o->size.rows, CHART_MIN_ROWS, optarg);
    case 'h':
        o->help = true;
        return EX_OK;
    case OPT_LOG:
        o->is_log = true;
        return EX_OK;
    case OPT_CHECKPOINTS:
        o->checkpoints = true;
        return EX_OK;
    default:
        fputs("Try `modelfs plot --help`.\n", stderr);
        return EX_USAGE;
    }
}

static bool is_subject(const char *word)
{
    struct stat st;
    return subject_url_is(word) || (stat(word, &st) == 0 && S_ISDIR(st.st_mode));
}

/* How many words stand behind `--`; -1 where there is none. Options' own words are not looked
 * through: no file is called `--`. */
static int count_behind(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0)
            return argc - i - 1;
    return -1;
}

/* Behind `--` are metrics; without it they begin at the first word that names nothing. */
static int split(struct plot_options *o, char *const *words, int n, int n_behind)
{
    int n_subjects = n - n_behind;
    if (n_behind < 0)
        for (n_subjects = 0; n_subjects < n && is_subject(words[n_subjects]);)
            n_subjects++;
    o->subjects = words;
    o->n_subjects = n_subjects;
    o->metrics = words + n_subjects;
    o->n_metrics = n - n_subjects;
    if (n_subjects)
        return EX_OK;
    if (!n)
        return refuse("name a model's directory in a mount, or its URL", "");
    fprintf(stderr, "modelfs plot: %s is neither a directory nor a URL\n", words[0]);
    return EX_NOINPUT;
}

int plot_options_parse(int argc, char **argv, struct plot_options *out)
{
    int n_behind = count_behind(argc, argv);
    *out = (struct plot_options){0};
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, "o:h", known, NULL)) != -1;) {
        int code = take(out, c);
        if (code != EX_OK || out->help)
            return code;
    }
    return split(out, argv + optind, argc - optind, n_behind);
}
