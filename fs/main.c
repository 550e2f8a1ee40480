/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs: finds the command and runs it. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/cmd.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command commands[] = {
    {"mount", cmd_mount, "show a registry as directories"},
    {"umount", cmd_umount, "take a mount away"},
    {"stats", cmd_stats, "tell what a mount does, once or live"},
    {"ls", cmd_ls, "list projects, models or checkpoints"},
    {"show", cmd_show, "tell about one model or checkpoint"},
    {"diff", cmd_diff, "compare two checkpoints"},
    {"plot", cmd_plot, "draw metrics over steps"},
    {"get", cmd_get, "copy a model or checkpoint, verified"},
    {"verify", cmd_verify, "say whether checkpoints are whole"},
    {"push", cmd_push, "upload a model to a registry"},
    {"serve", cmd_serve, "run a model registry"},
    {"trace", cmd_trace, "record how a mount is read"},
    {"version", cmd_version, "print the version"},
};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *out)
{
    fputs("usage: modelfs COMMAND [ARGUMENT]...\n\nModel registries as directories.\n\n", out);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-9s%s\n", commands[i].name, commands[i].summary);
    fputs("\n`modelfs COMMAND --help` tells more. A registry is named by a URL:\n\n"
          "  gradient+http://HOST:PORT[/PROJECT[/MODEL]]   a Gradient-compatible registry, such as "
          "`modelfs serve`\n"
          "  dir:///PATH                                   a directory of PROJECT/MODEL/files\n",
          out);
}

int cmd_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("modelfs %s\n", MODELFS_VERSION);
    return EX_OK;
}

/* The name of a command as people also write it. */
static const char *canonical(const char *name)
{
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return "version";
    return strcmp(name, "unmount") == 0 ? "umount" : name;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EX_USAGE;
    }
    const char *name = canonical(argv[1]);
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help(stdout);
        return EX_OK;
    }
    fprintf(stderr, "modelfs: there is no command `%s`; `modelfs --help` lists them\n", argv[1]);
    return EX_USAGE;
}
