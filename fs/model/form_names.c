/* SPDX-License-Identifier: Apache-2.0 */
#include "model/form_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DIGITS = 18 };

struct form_file form_file_of(const char *path, uint64_t size_bytes)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return (struct form_file){path, size_bytes, name, strlen(name)};
}

bool form_ends(const char *text, size_t len, const char *end)
{
    size_t n = strlen(end);
    return len > n && memcmp(text + len - n, end, n) == 0;
}

bool form_begins(const char *text, size_t len, const char *begin)
{
    size_t n = strlen(begin);
    return len >= n && memcmp(text, begin, n) == 0;
}

int form_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* Of ASCII, whatever the locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_separator(char c)
{
    return c == '-' || c == '_' || c == '.' || c == '=';
}

static size_t count_digits(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && is_digit(text[n]))
        n++;
    return n;
}

int64_t form_number(const char *text, size_t len)
{
    int64_t number = 0;
    if (!len || len > MAX_DIGITS || count_digits(text, len) < len)
        return -1;
    for (size_t i = 0; i < len; i++)
        number = number * 10 + (text[i] - '0');
    return number;
}

int64_t form_dashed_step(const char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && is_digit(text[start - 1]))
        start--;
    if (start < 2 || text[start - 1] != '-')
        return -1;
    return form_number(text + start, len - start);
}

/* The number right behind a word, or behind one separator: neither a decimal nor a part of a word.
 */
static int64_t number_behind(const char *text, size_t len)
{
    size_t skip = len && is_separator(text[0]) ? 1 : 0;
    text += skip;
    len -= skip;
    size_t n = count_digits(text, len);
    bool is_decimal = n + 1 < len && text[n] == '.' && is_digit(text[n + 1]);
    if (is_decimal || (n < len && is_letter(text[n])))
        return -1;
    return form_number(text, n);
}

static bool is_word_of(const char *const *words, const char *text, size_t len)
{
    for (; *words; words++)
        if (strlen(*words) == len && strncasecmp(*words, text, len) == 0)
            return true;
    return false;
}

/* The number behind the first of @words that has one. */
static int64_t named_step(const char *stem, size_t len, const char *const *words)
{
    for (size_t i = 0, n; i < len; i += n ? n : 1) {
        for (n = 0; i + n < len && is_letter(stem[i + n]);)
            n++;
        int64_t step =
            n && is_word_of(words, stem + i, n) ? number_behind(stem + i + n, len - i - n) : -1;
        if (step >= 0)
            return step;
    }
    return -1;
}

/* Where the digits and dots at the end of a text begin; a dot before them separates. */
static size_t number_start(const char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && (is_digit(text[start - 1]) || text[start - 1] == '.'))
        start--;
    while (start < len && text[start] == '.')
        start++;
    return start;
}

static int64_t trailing_step(const char *stem, size_t len, size_t least_digits)
{
    for (;;) {
        size_t start = number_start(stem, len), n = len - start;
        if (!n || (start > 0 && !is_separator(stem[start - 1])))
            return -1;
        if (count_digits(stem + start, n) == n)
            return n >= least_digits ? form_number(stem + start, n) : -1;
        if (start == 0)
            return -1;
        len = start - 1; /* a decimal: look before it */
    }
}

int64_t form_step(const char *stem, size_t len, size_t least_digits)
{
    static const char *const steps[] = {"step",  "steps",     "globalstep", "iter",
                                        "iters", "iteration", "iterations", NULL};
    static const char *const epochs[] = {"epoch", "epochs", "ep", NULL};
    int64_t step = named_step(stem, len, steps);
    if (step < 0)
        step = named_step(stem, len, epochs);
    return step < 0 && least_digits < FORM_NAMED_STEPS ? trailing_step(stem, len, least_digits)
                                                       : step;
}

static int compare_paths(const void *a, const void *b)
{
    const struct form_file *const *x = a, *const *y = b;
    int order = strcmp((*x)->path, (*y)->path);
    return order ? order : (*x > *y) - (*x < *y);
}

int form_names_init(struct form_names *names, const struct form_file *files, size_t n)
{
    bool is_sorted = true;
    *names = (struct form_names){calloc(n + 1, sizeof(*names->sorted)), n};
    if (!names->sorted)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        names->sorted[i] = &files[i];
        is_sorted &= i == 0 || strcmp(files[i - 1].path, files[i].path) <= 0;
    }
    if (!is_sorted) /* a registry mostly lists its files in order */
        qsort(names->sorted, n, sizeof(*names->sorted), compare_paths);
    return 0;
}

void form_names_deinit(struct form_names *names)
{
    free(names->sorted);
    *names = (struct form_names){0};
}

/* The first file that is not before this path, or NULL. */
static const struct form_file *first_from(const struct form_names *names, const char *path,
                                          size_t len, const char *end)
{
    size_t low = 0, high = names->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *at = names->sorted[middle]->path;
        int order = strncmp(at, path, len);
        if (order < 0 || (order == 0 && strcmp(at + len, end) < 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->n ? names->sorted[low] : NULL;
}

/* Whether @whole, the name ends with @end; else it may go on. */
static bool has_name(const struct form_names *names, const struct form_file *f, size_t stem_len,
                     const char *end, bool whole)
{
    size_t len = form_directory_len(f) + stem_len, end_len = strlen(end);
    const struct form_file *found = first_from(names, f->path, len, end);
    const char *at = found ? found->path : NULL;
    return at && strncmp(at, f->path, len) == 0 && strncmp(at + len, end, end_len) == 0 &&
           (!whole || at[len + end_len] == '\0');
}

const struct form_file *form_names_find(const struct form_names *names, const char *path)
{
    const struct form_file *found = first_from(names, path, strlen(path), "");
    return found && strcmp(found->path, path) == 0 ? found : NULL;
}

bool form_names_has(const struct form_names *names, const struct form_file *f, size_t stem_len,
                    const char *end)
{
    return has_name(names, f, stem_len, end, true);
}

bool form_names_begin(const struct form_names *names, const struct form_file *f, size_t stem_len,
                      const char *end)
{
    return has_name(names, f, stem_len, end, false);
}
