/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs stats: what a mount does, once or live. */
#include "cmd/cmd.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/facts.h"
#include "cmd/look_json.h"
#include "cmd/look_text.h"
#include "cmd/stats_mount.h"
#include "cmd/stats_watch.h"
#include "cmd/terminal.h"

enum { MS_PER_S = 1000 };
#define LEAST_S 0.1
#define MOST_S  86400.0

static const char help[] =
    "usage: modelfs stats [--json | --watch [SECONDS]] DIR\n"
    "\n"
    "Tells what the mount does that DIR lies in: requests and how long they took, where the bytes\n"
    "of reads came from, read-ahead, the network, the cache. The same numbers are in its files\n"
    ".modelfs/stats and, for Prometheus, .modelfs/stats.prom.\n"
    "\n"
    "      --json             for scripts, in bytes, nanoseconds and microseconds\n"
    "  -w, --watch [SECONDS]  live, redrawn so often (1); q or Ctrl-C ends it. Where standard\n"
    "                         output is no terminal, a line each time\n"
    "  -h, --help             prints this\n";

struct stats_options {
    const char *path;
    bool json;
    double watch_s; /* 0: once */
};

static bool is_seconds(const char *text, double *out)
{
    char *end;
    double value = strtod(text, &end);
    bool is_number = end != text && *end == '\0' && isfinite(value);
    if (is_number)
        *out = value;
    return is_number;
}

/* The seconds of --watch: right behind it, where that is a number. */
static int parse_seconds(struct stats_options *o, int argc, char **argv)
{
    const char *text = optarg;
    o->watch_s = 1;
    if (!text && optind < argc && is_seconds(argv[optind], &o->watch_s))
        text = argv[optind++];
    if (text && is_seconds(text, &o->watch_s) && o->watch_s >= LEAST_S && o->watch_s <= MOST_S)
        return EX_OK;
    if (!text)
        return EX_OK;
    fprintf(stderr, "modelfs stats: --watch %s: give seconds, %.1f to %.0f\n", text, LEAST_S,
            MOST_S);
    return EX_USAGE;
}

static int parse_one(struct stats_options *o, int c, int argc, char **argv)
{
    if (c == 'w')
        return parse_seconds(o, argc, argv);
    if (c == 'j') {
        o->json = true;
        return EX_OK;
    }
    fputs("Try `modelfs stats --help`.\n", stderr);
    return EX_USAGE;
}

/* EX_OK and no path: all is said. */
static int parse(struct stats_options *o, int argc, char **argv)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'j'},
                                          {"watch", optional_argument, NULL, 'w'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int code = EX_OK;
    optind = 0;
    for (int c; code == EX_OK && (c = getopt_long(argc, argv, "w::h", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        code = parse_one(o, c, argc, argv);
    }
    if (code != EX_OK)
        return code;
    if (argc - optind != 1 || (o->json && o->watch_s > 0)) {
        fputs(argc - optind != 1 ? "modelfs stats: name one directory of a mount\n"
                                 : "modelfs stats: --json and --watch do not go together\n",
              stderr);
        return EX_USAGE;
    }
    o->path = argv[optind];
    return EX_OK;
}

static int print_text(const struct look_text *text)
{
    BUF_CLEANUP struct buf marked = {0}, out = {0};
    int r = look_text_format(text, &marked);
    if (r == 0)
        r = screen_format(marked.data, (struct screen_size){0}, terminal_has_colour(), false, &out);
    if (r < 0)
        return EX_OSERR;
    return fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0 ? EX_OK
                                                                                  : EX_IOERR;
}

static int print_json(const struct look_text *text)
{
    JSON_CLEANUP json_t *all = look_json(text);
    return all ? facts_print_json(all) : EX_OSERR;
}

static int print_once(const struct stats_mount *mount, bool json)
{
    CLEANUP(cleanup_free) struct look *look = malloc(sizeof(*look));
    if (!look)
        return EX_OSERR;
    int r = stats_mount_look(mount, look);
    if (r < 0)
        return stats_mount_complain(mount, "stats", r);
    const struct look_text text = {.dir = mount->dir, .source = mount->source, .now = look};
    return json ? print_json(&text) : print_text(&text);
}

int cmd_stats(int argc, char **argv)
{
    struct stats_options o = {0};
    STATS_MOUNT_CLEANUP struct stats_mount mount = {0};
    int code = parse(&o, argc, argv);
    if (code != EX_OK || !o.path)
        return code;
    code = stats_mount_open(&mount, "stats", o.path);
    if (code != EX_OK)
        return code;
    if (o.watch_s > 0)
        return stats_watch(&mount, "stats", (uint64_t)(o.watch_s * MS_PER_S));
    return print_once(&mount, o.json);
}
