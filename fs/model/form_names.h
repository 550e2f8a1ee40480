/* SPDX-License-Identifier: Apache-2.0 */
/* What forms of checkpoints read in names: ends, numbers, steps, and which files stand beside one
 * another. Pure; names are any bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file as forms see it. */
struct form_file {
    const char *path; /* within the model; borrowed */
    uint64_t size_bytes;
    const char *name; /* the last part of path */
    size_t name_len;
};
struct form_file form_file_of(const char *path, uint64_t size_bytes);

/* How much of its path is the directory it stands in, with the last `/`. */
static inline size_t form_directory_len(const struct form_file *f)
{
    return (size_t)(f->name - f->path);
}

/* Whether text[0..len) ends with @end, and has something before it. */
bool form_ends(const char *text, size_t len, const char *end);
/* Whether text[0..len) begins with @begin. */
bool form_begins(const char *text, size_t len, const char *begin);
/* By bytes, the shorter first: <0, 0, >0. */
int form_compare(const char *a, size_t a_len, const char *b, size_t b_len);

/* Steps and versions are below 10^18. All three are -1 where there is none. */
/* The whole text as a number. */
int64_t form_number(const char *text, size_t len);
/* The number behind the last `-`, as TensorFlow writes steps. */
int64_t form_dashed_step(const char *text, size_t len);
/* The step that a stem tells, the first of these that is there:
 *
 *   step=N step_N step-N stepN    also global_step, globalstep, steps, iter, iteration, ...
 *   epoch=N                       likewise; epochs, ep
 *   N at the end                  of at least @least_digits, behind one of `-_.=` or alone;
 *                                 decimals behind it are a metric's value: weights.05-0.12 */
int64_t form_step(const char *stem, size_t len, size_t least_digits);
enum { FORM_NAMED_STEPS = 99 }; /* for @least_digits: a number at the end is none */

/* All files of a model by their paths. */
struct form_names {
    const struct form_file **sorted; /* owned; each borrowed */
    size_t n;
};
/* @files outlive the names. 0 or -ENOMEM. */
int form_names_init(struct form_names *names, const struct form_file *files, size_t n);
void form_names_deinit(struct form_names *names);

/* The file at exactly @path, the first of twins; NULL when there is none. */
const struct form_file *form_names_find(const struct form_names *names, const char *path);

/* Whether a file stands beside @f that is called as @f's first @stem_len bytes and then @end; or
 * whose name goes on behind that. */
bool form_names_has(const struct form_names *names, const struct form_file *f, size_t stem_len,
                    const char *end);
bool form_names_begin(const struct form_names *names, const struct form_file *f, size_t stem_len,
                      const char *end);
