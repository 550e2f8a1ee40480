/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs trace: records how a mount is read, or shows what was recorded. */
#include "cmd/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cmd/trace_record.h"
#include "cmd/trace_show.h"

enum { SECONDS_MAX = 31 * 86400 };

static const char help[] =
    "usage: modelfs trace DIR [-o FILE] [--seconds N]\n"
    "       modelfs trace --show FILE [--json]\n"
    "\n"
    "Records the reads of the mount that DIR is in: which file, where, how much, when, how long "
    "it\n"
    "took and where the bytes came from. It ends with Ctrl-C, after N seconds, or with the mount.\n"
    "What a program reads out of the kernel's own cache never comes to the mount.\n"
    "\n"
    "      --seconds N   ends by itself\n"
    "      --show        shows a recording: what was read of each file, and the sums\n"
    "      --json        with --show: each read as a line of JSON\n"
    "  -o, --output FILE where to (modelfs.trace); an older recording is written over\n"
    "  -h, --help        prints this\n"
    "\n"
    "Sources: `cached` bytes lay in the block cache, `joined` ones were on their way for somebody\n"
    "else or read ahead, `fetched` ones were asked of the registry for this very read.\n";

struct asked {
    const char *output;
    int seconds;
    bool show, as_json, has_record_option;
};

static int usage(const char *why)
{
    fprintf(stderr, "%s%s%sTry `modelfs trace --help`.\n", why ? "modelfs trace: " : "",
            why ? why : "", why ? "\n" : "");
    return EX_USAGE;
}

/* 0, or -EINVAL. */
static int parse_seconds(const char *text, int *out)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < 1 || value > SECONDS_MAX)
        return -EINVAL;
    *out = (int)value;
    return 0;
}

static int parse_one(struct asked *asked, int c)
{
    switch (c) {
    case 'o':
        asked->output = optarg;
        asked->has_record_option = true;
        return EX_OK;
    case 's':
        asked->has_record_option = true;
        return parse_seconds(optarg, &asked->seconds) == 0
                   ? EX_OK
                   : usage("--seconds takes a number of seconds, from 1 on");
    case 'w':
        asked->show = true;
        return EX_OK;
    case 'j':
        asked->as_json = true;
        return EX_OK;
    default:
        return usage(NULL);
    }
}

static int check(const struct asked *asked, int n_arguments)
{
    if (n_arguments != 1)
        return usage(asked->show ? "name one recording" : "name one directory of a mount");
    if (asked->as_json && !asked->show)
        return usage("--json goes with --show");
    if (asked->has_record_option && asked->show)
        return usage("--show takes neither -o nor --seconds");
    return EX_OK;
}

int cmd_trace(int argc, char **argv)
{
    static const struct option known[] = {
        {"output", required_argument, NULL, 'o'}, {"seconds", required_argument, NULL, 's'},
        {"show", no_argument, NULL, 'w'},         {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {0}};
    struct asked asked = {.output = "modelfs.trace"};
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, "o:h", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        int code = parse_one(&asked, c);
        if (code != EX_OK)
            return code;
    }
    int code = check(&asked, argc - optind);
    if (code != EX_OK)
        return code;
    return asked.show ? trace_show(argv[optind], asked.as_json)
                      : trace_record(argv[optind], asked.output, asked.seconds);
}
