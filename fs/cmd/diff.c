/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs diff: two checkpoints, side by side. */
#include "cmd/cmd.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/diff_text.h"
#include "cmd/diff_values.h"
#include "cmd/facts.h"
#include "cmd/facts_diff.h"
#include "cmd/terminal.h"

enum { EXIT_SAME = 0, EXIT_DIFFERENT = 1 }; /* as diff(1) */

static const char help[] =
    "usage: modelfs diff [--json] [--values] A B\n"
    "\n"
    "Compares two checkpoints: their metrics, files and tensors. Ends with 0 when they are the\n"
    "same and with 1 when they are not.\n"
    "\n"
    "  A, B          checkpoints' URLs or directories in a mount; of a model its latest\n"
    "  -v, --values  reads and compares tensors as well, in mounts: how many elements differ, and\n"
    "                by how much at most\n"
    "      --json    for scripts: all differences\n"
    "  -h, --help    prints this\n";

struct choices {
    bool as_json, values;
};

static int print(const json_t *diff, bool as_json)
{
    struct buf text BUF_CLEANUP = {0};
    if (as_json)
        return facts_print_json(diff);
    int r = diff_text_format(diff, &text);
    if (r == 0)
        r = terminal_print(text.data);
    if (r == 0)
        return EX_OK;
    fprintf(stderr, "modelfs diff: %s\n", strerror(-r));
    return EX_IOERR;
}

/* What is neither known to be the same nor to be different is not called either. */
static int judge(const json_t *diff)
{
    size_t n = json_array_size(json_get_array(json_get_object(diff, "files"), "unknown"));
    if (!json_get_bool(diff, "same", false))
        return EXIT_DIFFERENT;
    if (!n)
        return EXIT_SAME;
    fprintf(stderr,
            "modelfs diff: the registry knows no digest of %zu file%s of one size; in a mount they "
            "are read and compared\n",
            n, n == 1 ? "" : "s");
    return EX_UNAVAILABLE;
}

static int compare(char *const names[2], struct choices choices)
{
    SUBJECT_AS_CLEANUP struct subject_as a = {0};
    SUBJECT_AS_CLEANUP struct subject_as b = {0};
    int code = subject_as_checkpoint("diff", names[0], &a);
    if (code == EX_OK)
        code = subject_as_checkpoint("diff", names[1], &b);
    if (code != EX_OK)
        return code;
    JSON_CLEANUP json_t *diff = facts_diff(a.facts, b.facts);
    code = diff ? diff_files(&a, &b, diff) : EX_OSERR;
    if (code == EX_OK && choices.values)
        code = diff_values(&a, &b, diff);
    if (code == EX_OK)
        code = print(diff, choices.as_json);
    return code == EX_OK ? judge(diff) : code;
}

int cmd_diff(int argc, char **argv)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'j'},
                                          {"values", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    struct choices choices = {0};
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, "vh", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        if (c == '?') {
            fputs("Try `modelfs diff --help`.\n", stderr);
            return EX_USAGE;
        }
        choices.as_json |= c == 'j';
        choices.values |= c == 'v';
    }
    if (optind + 2 == argc)
        return compare(argv + optind, choices);
    fputs("modelfs diff: name two models or checkpoints\nTry `modelfs diff --help`.\n", stderr);
    return EX_USAGE;
}
