/* SPDX-License-Identifier: Apache-2.0 */
/* Each form of checkpoint is a matcher that looks at one path and says: this file belongs to the
 * checkpoint of that form, in that directory, with that stem. Files of one answer become one group;
 * then the form's check says what a group lacks. A SavedModel is found by its saved_model.pb first
 * and takes what lies below that directory before the other forms look.
 *
 *   TensorFlow V2   D/P-<step>.index, D/P-<step>.data-NNNNN-of-MMMMM, D/P-<step>.meta
 *                                                             stem `P-<step>`
 *   SavedModel      D/saved_model.pb|pbtxt and all below D    stem: the last part of D
 *   ONNX            D/S.onnx                                  stem `S` */
#include "model/checkpoints.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

enum {
    MAX_STEP_DIGITS = 18,
    MAX_DEPTH = 64, /* of a SavedModel: a hostile path may be made of `/` */
};

enum form { FORM_NONE, FORM_TENSORFLOW, FORM_SAVED_MODEL, FORM_ONNX };

/* One file's answer: the directory and the stem as runs of its path. */
struct match {
    enum form form;
    size_t file;
    const char *path;
    size_t directory_len; /* with the last `/` */
    const char *stem;
    size_t stem_len;
    int64_t step;
};

struct finder {
    const char *const *paths;
    size_t n;
    struct match *matches; /* one a path */
};

static bool ends_with(const char *text, size_t len, const char *end)
{
    size_t n = strlen(end);
    return len > n && memcmp(text + len - n, end, n) == 0;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The number behind the last `-` of text[0..len), or -1. */
static int64_t step_of(const char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && text[start - 1] >= '0' && text[start - 1] <= '9')
        start--;
    size_t digits = len - start;
    if (!digits || digits > MAX_STEP_DIGITS || start < 2 || text[start - 1] != '-')
        return -1;
    int64_t step = 0;
    for (size_t i = start; i < len; i++)
        step = step * 10 + (text[i] - '0');
    return step;
}

/* A whole text as a version number, or -1. */
static int64_t version_of(const char *text, size_t len)
{
    int64_t version = 0;
    if (!len || len > MAX_STEP_DIGITS)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        version = version * 10 + (text[i] - '0');
    }
    return version;
}

/* The shard's number and count in `.data-00000-of-00001` at the end of @name: the length before it,
 * or 0. */
static size_t shard_stem(const char *name, unsigned *out_shard, unsigned *out_total)
{
    static const char form[] = ".data-00000-of-00001";
    enum { LEN = sizeof(form) - 1, DIGITS = 5, SHARD_AT = 6, OF_AT = 11, TOTAL_AT = 15 };
    size_t len = strlen(name);
    if (len <= LEN)
        return 0;
    const char *mark = name + len - LEN;
    int64_t shard = version_of(mark + SHARD_AT, DIGITS),
            total = version_of(mark + TOTAL_AT, DIGITS);
    if (memcmp(mark, form, SHARD_AT) != 0 || memcmp(mark + OF_AT, "-of-", 4) != 0 || shard < 0 ||
        shard >= total)
        return 0;
    *out_shard = (unsigned)shard;
    *out_total = (unsigned)total;
    return len - LEN;
}

static size_t tensorflow_stem(const char *name)
{
    size_t len = strlen(name);
    unsigned shard, total;
    if (ends_with(name, len, ".index"))
        return len - strlen(".index");
    if (ends_with(name, len, ".meta"))
        return len - strlen(".meta");
    return shard_stem(name, &shard, &total);
}

static struct match match_file(const char *path, size_t file)
{
    const char *name = base_of(path);
    size_t len = strlen(name), stem = tensorflow_stem(name);
    struct match m = {.file = file,
                      .path = path,
                      .directory_len = (size_t)(name - path),
                      .stem = name,
                      .stem_len = stem,
                      .step = -1};
    if (stem && (m.step = step_of(name, stem)) >= 0)
        m.form = FORM_TENSORFLOW;
    else if (ends_with(name, len, ".onnx")) {
        m.form = FORM_ONNX;
        m.stem_len = len - strlen(".onnx");
        m.step = version_of(name, m.stem_len);
    }
    return m;
}

/* Whether @path is part of a SavedModel at the root: there, only what SavedModel itself writes is.
 */
static bool in_root_saved_model(const char *path)
{
    static const char *const parts[] = {"saved_model.pb",    "saved_model.pbtxt", "fingerprint.pb",
                                        "keras_metadata.pb", "variables/",        "assets/",
                                        "assets.extra/"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t n = strlen(parts[i]);
        if (strncmp(path, parts[i], n) == 0 && (parts[i][n - 1] == '/' || path[n] == '\0'))
            return true;
    }
    return false;
}

/* Gives the directory that a SavedModel's file lies in: its name without the last `/` is the stem.
 */
static void claim_saved_model(struct match *m, const char *path, size_t directory_len)
{
    size_t end = directory_len ? directory_len - 1 : 0, start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    m->form = FORM_SAVED_MODEL;
    m->directory_len = directory_len;
    m->stem = directory_len ? path + start : "model";
    m->stem_len = directory_len ? end - start : strlen("model");
    m->step = version_of(m->stem, m->stem_len);
}

struct directory {
    const char *path;
    size_t len;
};

static int compare_directories(const void *a, const void *b)
{
    const struct directory *x = a, *y = b;
    size_t n = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->path, y->path, n);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* The directories that hold a saved_model.pb, sorted. */
static int saved_model_directories(const struct finder *f, struct directory **out, size_t *out_n)
{
    struct directory *found = calloc(f->n + 1, sizeof(*found));
    size_t n = 0;
    if (!found)
        return -ENOMEM;
    for (size_t i = 0; i < f->n; i++) {
        const char *name = base_of(f->paths[i]);
        if (strcmp(name, "saved_model.pb") == 0 || strcmp(name, "saved_model.pbtxt") == 0)
            found[n++] = (struct directory){f->paths[i], (size_t)(name - f->paths[i])};
    }
    qsort(found, n, sizeof(*found), compare_directories);
    *out = found;
    *out_n = n;
    return 0;
}

/* The outermost of @directories that @path lies in, by trying each of its own parents; -1 when
 * none. */
static ssize_t directory_around(const char *path, const struct directory *directories, size_t n)
{
    if (n && directories[0].len == 0 && in_root_saved_model(path))
        return 0;
    int depth = 0;
    for (const char *slash = strchr(path, '/'); slash && depth < MAX_DEPTH && n;
         slash = strchr(slash + 1, '/'), depth++) {
        struct directory key = {path, (size_t)(slash + 1 - path)};
        struct directory *hit = bsearch(&key, directories, n, sizeof(key), compare_directories);
        if (hit)
            return hit - directories;
    }
    return -1;
}

static int match_all(struct finder *f)
{
    CLEANUP(cleanup_free) struct directory *directories = NULL;
    size_t n_directories;
    int r = saved_model_directories(f, &directories, &n_directories);
    if (r < 0)
        return r;
    for (size_t i = 0; i < f->n; i++) {
        f->matches[i] = match_file(f->paths[i], i);
        ssize_t around = directory_around(f->paths[i], directories, n_directories);
        if (around >= 0)
            claim_saved_model(&f->matches[i], f->paths[i], directories[around].len);
    }
    return 0;
}

static int compare_runs(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_groups(const struct match *a, const struct match *b)
{
    bool a_export = a->form != FORM_TENSORFLOW, b_export = b->form != FORM_TENSORFLOW;
    if (a->form == FORM_NONE || b->form == FORM_NONE)
        return (a->form == FORM_NONE) - (b->form == FORM_NONE);
    if (a_export != b_export)
        return a_export - b_export;
    if (a->step != b->step)
        return a->step < b->step ? -1 : 1;
    int order = compare_runs(a->stem, a->stem_len, b->stem, b->stem_len);
    if (!order)
        order = compare_runs(a->path, a->directory_len, b->path, b->directory_len);
    return order ? order : (int)a->form - (int)b->form;
}

static int compare_matches(const void *a, const void *b)
{
    const struct match *x = a, *y = b;
    int order = compare_groups(x, y);
    return order ? order : (x->file > y->file) - (x->file < y->file);
}

/* What TensorFlow's index and shards lack, as a new string; *out stays NULL when nothing does. */
static int missing_tensorflow(const struct match *m, size_t n, const char *stem, char **out)
{
    unsigned shard, total = 0, n_shards = 0;
    bool has_index = false;
    for (size_t i = 0; i < n; i++) {
        const char *name = base_of(m[i].path);
        has_index |= ends_with(name, strlen(name), ".index");
        if (shard_stem(name, &shard, &total))
            n_shards++;
    }
    if (!has_index)
        return asprintf(out, "%s.index", stem) < 0 ? -ENOMEM : 0;
    if (!total)
        return asprintf(out, "%s.data-00000-of-?", stem) < 0 ? -ENOMEM : 0;
    if (n_shards < total)
        return asprintf(out, "%s.data-?-of-%05u (%u of %u)", stem, total, n_shards, total) < 0
                   ? -ENOMEM
                   : 0;
    return 0;
}

/* A SavedModel without variables is whole; one with half of them is not. */
static int missing_saved_model(const struct match *m, size_t n, char **out)
{
    bool has_index = false, has_data = false, has_variables = false;
    for (size_t i = 0; i < n; i++) {
        const char *inner = m[i].path + m[i].directory_len;
        has_variables |= strncmp(inner, "variables/", 10) == 0;
        has_index |= strcmp(inner, "variables/variables.index") == 0;
        has_data |= strncmp(inner, "variables/variables.data-", 25) == 0;
    }
    if (!has_variables || (has_index && has_data))
        return 0;
    *out = strdup(has_index ? "variables/variables.data-00000-of-?" : "variables/variables.index");
    return *out ? 0 : -ENOMEM;
}

/* `ckpt-600`; with ~<directory> when the name is that of the group before or behind. */
static int name_group(struct checkpoint *c, const struct match *m, bool is_twin)
{
    const char *kind = c->kind == CHECKPOINT_STEP ? "ckpt" : "export";
    char number[24];
    snprintf(number, sizeof(number), "%lld", (long long)m->step);
    bool numbered = c->kind == CHECKPOINT_STEP;
    const char *word = numbered ? number : m->stem;
    int len = numbered ? (int)strlen(number) : (int)m->stem_len;
    int r = is_twin ? asprintf(&c->name, "%s-%.*s~%s%.*s", kind, len, word, c->directory,
                               (int)m->stem_len, m->stem)
                    : asprintf(&c->name, "%s-%.*s", kind, len, word);
    if (r < 0)
        c->name = NULL;
    return r < 0 ? -ENOMEM : 0;
}

static int check_group(struct checkpoint *c, const struct match *m, size_t n)
{
    if (m->form == FORM_SAVED_MODEL)
        return missing_saved_model(m, n, &c->missing);
    if (m->form != FORM_TENSORFLOW)
        return 0;
    c->state_prefix = strndup(m->stem, m->stem_len);
    return c->state_prefix ? missing_tensorflow(m, n, c->state_prefix, &c->missing) : -ENOMEM;
}

static int fill_group(struct checkpoint *c, const struct match *m, size_t n, bool is_twin)
{
    static const char *const formats[] = {"", "TensorFlow V2", "SavedModel", "ONNX"};
    c->kind = m->form == FORM_TENSORFLOW ? CHECKPOINT_STEP : CHECKPOINT_EXPORT;
    c->format = formats[m->form];
    c->step = m->step;
    c->directory = strndup(m->path, m->directory_len);
    c->files = calloc(n, sizeof(*c->files));
    if (!c->directory || !c->files)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        c->files[c->n_files++] = (uint32_t)m[i].file;
    int r = check_group(c, m, n);
    return r < 0 ? r : name_group(c, m, is_twin);
}

/* Whether two groups would be called the same. */
static bool same_name(const struct match *a, const struct match *b)
{
    if (a->form == FORM_NONE || b->form == FORM_NONE)
        return false;
    if (a->form == FORM_TENSORFLOW || b->form == FORM_TENSORFLOW)
        return a->form == b->form && a->step == b->step;
    return compare_runs(a->stem, a->stem_len, b->stem, b->stem_len) == 0;
}

static size_t group_length(const struct match *m, size_t n)
{
    size_t len = 1;
    while (len < n && m[len].form != FORM_NONE && compare_groups(m, &m[len]) == 0)
        len++;
    return len;
}

static int fill_all(struct checkpoints *c, const struct match *m, size_t n)
{
    for (size_t i = 0, len; i < n && m[i].form != FORM_NONE; i += len) {
        len = group_length(m + i, n - i);
        bool is_twin = (i > 0 && same_name(&m[i - 1], &m[i])) ||
                       (i + len < n && same_name(&m[i], &m[i + len]));
        int r = fill_group(&c->items[c->n++], m + i, len, is_twin);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < n; i++)
        if (m[i].form == FORM_NONE)
            c->rest[c->n_rest++] = (uint32_t)m[i].file;
    return 0;
}

int checkpoints_find(const char *const *paths, size_t n, struct checkpoints *out)
{
    CLEANUP(cleanup_free) struct match *matches = calloc(n + 1, sizeof(*matches));
    struct checkpoints c = {.items = calloc(n + 1, sizeof(*c.items)),
                            .rest = calloc(n + 1, sizeof(*c.rest))};
    struct finder f = {.paths = paths, .n = n, .matches = matches};
    int r = matches && c.items && c.rest ? match_all(&f) : -ENOMEM;
    if (r == 0) {
        qsort(matches, n, sizeof(*matches), compare_matches);
        r = fill_all(&c, matches, n);
    }
    if (r < 0)
        checkpoints_deinit(&c);
    else
        *out = c;
    return r;
}

void checkpoints_deinit(struct checkpoints *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->items[i].name);
        free(c->items[i].directory);
        free(c->items[i].state_prefix);
        free(c->items[i].missing);
        free(c->items[i].files);
    }
    free(c->items);
    free(c->rest);
    *c = (struct checkpoints){0};
}

const struct checkpoint *checkpoints_latest(const struct checkpoints *c)
{
    const struct checkpoint *best = NULL;
    for (size_t i = 0; i < c->n; i++) {
        const struct checkpoint *item = &c->items[i];
        if (item->missing ||
            (best && best->kind == CHECKPOINT_STEP && item->kind == CHECKPOINT_EXPORT))
            continue;
        best = item;
    }
    return best;
}

const char *checkpoint_inner_path(const struct checkpoint *c, const char *path)
{
    return path + strlen(c->directory);
}
