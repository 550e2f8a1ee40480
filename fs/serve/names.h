/* SPDX-License-Identifier: Apache-2.0 */
/* Names that come from outside, and ids that we give (pure). */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    NAMES_TEXT_BYTES = 1024, /* a project's or a model's name; a file's path */
    NAMES_ID_BYTES = 24,     /* an id with its NUL */
};

/* May a model hold a file under this relative path? NULL: yes, else a message that says why not.
 * Clients write to `destination/path` as it stands, so this is what keeps them from writing
 * anywhere else. */
const char *names_path_problem(const char *path);

/* May this be a project's, a model's or a tag's name? NULL: yes, else why not. */
const char *names_text_problem(const char *text, size_t max_bytes);

/* Writes @prefix and @n_random characters of [a-z0-9] taken from @random (n_random bytes, each of
 * which should be evenly spread) into @out. */
void names_format_id(const char *prefix, const uint8_t *random, size_t n_random,
                     char out[NAMES_ID_BYTES]);
