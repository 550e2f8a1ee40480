/* SPDX-License-Identifier: Apache-2.0 */
/* What a person named on the command line: a registry, a project, a model or a checkpoint, by URL
 * or by its path in a mount; and the facts about it, the same either way. */
#pragma once

#include <stdbool.h>

#include "cmd/source.h"
#include "cmd/subject_url.h"
#include "cmd/url_model.h"
#include "util/json.h"

struct subject {
    const char *command, *text; /* borrowed */
    bool is_path;
    struct subject_url url; /* of a URL, as the source, which has found project and model */
    struct source source;
    struct engine engine;   /* reads of it */
    struct url_model model; /* that the URL names, once subject_look() was there */
};

/* Finds what @text names. Prints what is wrong for @command. An exit code. */
int subject_open(struct subject *s, const char *command, const char *text);
void subject_close(struct subject *s);
#define SUBJECT_CLEANUP CLEANUP(subject_close)

/* Of a URL that names a model: looks at it, once. Prints what is wrong. An exit code. */
int subject_look(struct subject *s);

/* The facts, new: what registry/describe.h makes of it, of a checkpoint with what its files hold. A
 * checkpoint's have besides {"kind":"checkpoint","registry","project","model","type"}. Prints what
 * is wrong. An exit code. */
int subject_describe(struct subject *s, json_t **out);

/* Adds to a project's facts "models": the facts of each of its models, asked for several at a time;
 * what could not be had is left out, and that is said. An exit code, EX_TEMPFAIL when some are
 * missing. */
int subject_describe_models(struct subject *s, json_t *project);

/* The kind of some facts: `registry`, `project`, `model`, `checkpoint`. */
const char *subject_kind(const json_t *facts);
