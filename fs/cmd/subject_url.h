/* SPDX-License-Identifier: Apache-2.0 */
/* A URL that names a registry, or something in it (pure):
 *
 *     gradient+http://HOST:PORT[/PROJECT[/MODEL[/CHECKPOINT]]]
 *     dir:///PATH[#PROJECT[/MODEL[/CHECKPOINT]]]
 */
#pragma once

#include <stdbool.h>

/* The parts of a URL that name something in a registry. Owned; NULL where it names none. */
struct subject_url {
    char *registry; /* the URL without them */
    char *project, *model, *checkpoint;
};

/* Takes @text apart. 0, -EINVAL (no URL, a broken escape, or a fourth part) or -ENOMEM. */
int subject_url_parse(const char *text, struct subject_url *out);
void subject_url_deinit(struct subject_url *url);

/* Whether @text is meant as a URL and not as a path. */
bool subject_url_is(const char *text);
