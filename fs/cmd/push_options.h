/* SPDX-License-Identifier: Apache-2.0 */
/* What `modelfs push` was asked to do. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All texts are borrowed from the command line. */
struct push_options {
    const char *path, *to, *project, *name, *type;
    const char *metrics; /* a file, or NULL */
    int64_t step;        /* METRICS_NO_STEP: none */
    bool resume, json;
    bool help; /* --help was given, and the rest does not matter */
};

/* Reads the command line and says what is wrong with it. An exit code. */
int push_options_parse(int argc, char **argv, struct push_options *o);

/* Prints what is wrong with the command line, and returns EX_USAGE. */
int push_options_complain(const char *what);

extern const char push_options_help[];
