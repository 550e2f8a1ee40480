/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of plot (pure but for looking which words are directories). */
#pragma once

#include <stdbool.h>

#include "cmd/chart_gnuplot.h"
#include "cmd/chart_text.h"

struct plot_options {
    const char *path; /* of the picture; NULL: text */
    enum chart_picture picture;
    struct chart_size size; /* 0: as the terminal is */
    bool is_log, checkpoints, help;
    char *const *subjects, *const *metrics; /* borrowed from the command line */
    int n_subjects, n_metrics;
};

/* Prints what is wrong. An exit code. */
int plot_options_parse(int argc, char **argv, struct plot_options *out);
