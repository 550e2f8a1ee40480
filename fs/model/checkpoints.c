/* SPDX-License-Identifier: Apache-2.0 */
/* First the directories that are checkpoints are found; then each file is looked at, and belongs to
 * such a directory, or to what its own name says, or to what refers to it, or to none. Files of one
 * answer become one group, and the form's check says what a group lacks. */
#include "model/checkpoints.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/form_claims.h"
#include "util/cleanup.h"

/* One file's answer: which checkpoint it belongs to, as runs of bytes. A stem stands in a place: a
 * file's in its directory, a directory's in the one around it. */
struct match {
    const struct form_file *file;
    const struct form *form;
    size_t directory_len; /* the checkpoint's own, of the file's path with the last `/` */
    size_t place_len;     /* the same of what the stem stands in */
    const char *stem;
    size_t stem_len;
    const char *tag;
    int64_t number; /* the step, or an export's version, or -1 */
    bool is_step;
};

struct finder {
    struct form_file *files; /* all of these are owned */
    size_t n;
    struct form_names names;
    struct form_claims claims;
    struct match *matches;            /* of the files that belong to a checkpoint */
    const struct form_file **grouped; /* the same files in the order of their groups */
    size_t n_matches;
};

static void set_number(struct match *m, int64_t step)
{
    m->is_step = step >= 0;
    m->number = m->is_step ? step : form_number(m->stem, m->stem_len);
}

static struct match match_claim(const struct form_file *f, const struct form_claim *claim)
{
    struct match m = {.file = f,
                      .form = claim->form,
                      .directory_len = claim->len,
                      .place_len = claim->len ? claim->len - claim->stem_len - 1 : 0,
                      .stem = claim->stem,
                      .stem_len = claim->stem_len,
                      .tag = claim->form->tag};
    set_number(&m, claim->step);
    return m;
}

/* What a file's own name says; form stays NULL when that is nothing. */
static struct match match_name(const struct form_file *f, const struct form_names *names)
{
    struct match m = {.file = f};
    struct form_match found;
    for (const struct form *const *form = forms; *form; form++) {
        if (!form_match(*form, f, names, &found))
            continue;
        m.form = *form;
        m.directory_len = m.place_len = form_directory_len(f);
        m.stem = f->name;
        m.stem_len = found.stem_len;
        m.tag = found.tag;
        set_number(&m, found.step);
        break;
    }
    return m;
}

static struct match match_file(const struct finder *f, const struct form_file *file)
{
    const struct form_claim *claim = f->claims.of[file - f->files];
    if (claim && claim->form->is_tree)
        return match_claim(file, claim);
    struct match m = match_name(file, &f->names);
    bool is_guest = !m.form || (m.form->is_guest && !m.is_step);
    return claim && is_guest ? match_claim(file, claim) : m;
}

/* The model's own directory as a checkpoint: its name is none that stands somewhere. */
static bool is_root(const struct match *m)
{
    return m->form->mark && m->directory_len == 0;
}

static int compare_stems(const struct match *a, const struct match *b)
{
    return form_compare(a->stem, a->stem_len, b->stem, b->stem_len);
}

static int compare_places(const struct match *a, const struct match *b)
{
    int order = form_compare(a->file->path, a->place_len, b->file->path, b->place_len);
    return order ? order : is_root(a) - is_root(b);
}

static int compare_groups(const struct match *a, const struct match *b)
{
    if (a->is_step != b->is_step)
        return b->is_step - a->is_step;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    int order = compare_stems(a, b);
    if (!order)
        order = compare_places(a, b);
    return order ? order : strcmp(a->tag, b->tag);
}

static int compare_matches(const void *a, const void *b)
{
    const struct match *x = a, *y = b;
    int order = compare_groups(x, y);
    return order ? order : (x->file > y->file) - (x->file < y->file);
}

/* Whether two groups would be called the same. */
static bool same_name(const struct match *a, const struct match *b)
{
    return a->is_step == b->is_step && a->number == b->number &&
           (a->is_step || compare_stems(a, b) == 0);
}

/* Whether they would be with their places, too. */
static bool same_place(const struct match *a, const struct match *b)
{
    return same_name(a, b) && compare_stems(a, b) == 0 && compare_places(a, b) == 0;
}

/* The groups beside one that is called @m: whether one of them is the same to @same. */
static bool has_twin(const struct match *m, const struct match *before, const struct match *behind,
                     bool (*same)(const struct match *a, const struct match *b))
{
    return (before && same(before, m)) || (behind && same(m, behind));
}

/* `ckpt-600`; where the group before or behind would be called the same, `ckpt-600~run/m-600`; and
 * where that is the same too, `ckpt-600~run/m-600.pt`. */
static int name_group(struct checkpoint *c, const struct match *m, const struct match *before,
                      const struct match *behind)
{
    const char *kind = m->is_step ? "ckpt" : "export";
    const char *tag = has_twin(m, before, behind, same_place) ? m->tag : "";
    char number[24];
    snprintf(number, sizeof(number), "%lld", (long long)m->number);
    const char *word = m->is_step ? number : m->stem;
    int len = m->is_step ? (int)strlen(number) : (int)m->stem_len;
    int r =
        has_twin(m, before, behind, same_name)
            ? asprintf(&c->name, "%s-%.*s~%s%.*s%.*s%s", kind, len, word, is_root(m) ? "./" : "",
                       (int)m->place_len, m->file->path, (int)m->stem_len, m->stem, tag)
            : asprintf(&c->name, "%s-%.*s", kind, len, word);
    if (r < 0)
        c->name = NULL;
    return r < 0 ? -ENOMEM : 0;
}

static int check_group(struct checkpoint *c, const struct match *m,
                       const struct form_file *const *files, size_t n)
{
    struct form_group g = {.files = files,
                           .n = n,
                           .stem = m->stem,
                           .stem_len = m->stem_len,
                           .directory_len = m->directory_len,
                           .pieces = m->form->pieces,
                           .format = m->form->format};
    int r = (m->form->check ? m->form->check : form_check_bytes)(&g, &c->missing);
    c->format = g.format;
    if (r < 0 || m->form != &form_tensorflow || !m->is_step)
        return r;
    c->state_prefix = strndup(m->stem, m->stem_len);
    return c->state_prefix ? 0 : -ENOMEM;
}

static int fill_group(const struct finder *f, struct checkpoint *c, const struct match *m, size_t n)
{
    c->kind = m->is_step ? CHECKPOINT_STEP : CHECKPOINT_EXPORT;
    c->framework = m->form->framework;
    c->step = m->number;
    c->directory = strndup(m->file->path, m->directory_len);
    c->files = calloc(n, sizeof(*c->files));
    if (!c->directory || !c->files)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        c->files[c->n_files++] = (uint32_t)(m[i].file - f->files);
    return check_group(c, m, f->grouped + (m - f->matches), n);
}

static size_t group_length(const struct match *m, size_t n)
{
    size_t len = 1;
    while (len < n && compare_groups(m, &m[len]) == 0)
        len++;
    return len;
}

static size_t count_groups(const struct finder *f)
{
    size_t groups = 0;
    for (size_t i = 0; i < f->n_matches; groups++)
        i += group_length(f->matches + i, f->n_matches - i);
    return groups;
}

static int fill_all(const struct finder *f, struct checkpoints *c)
{
    const struct match *m = f->matches, *before = NULL;
    size_t n = f->n_matches;
    int r = 0;
    for (size_t i = 0, len; r == 0 && i < n; i += len) {
        struct checkpoint *item = &c->items[c->n++];
        len = group_length(m + i, n - i);
        r = fill_group(f, item, m + i, len);
        if (r == 0)
            r = name_group(item, m + i, before, i + len < n ? m + i + len : NULL);
        before = m + i;
    }
    return r;
}

/* Matches each file; those that are of no checkpoint are the rest. */
static int match_all(struct finder *f, struct checkpoints *c)
{
    f->matches = calloc(f->n + 1, sizeof(*f->matches));
    c->rest = calloc(f->n + 1, sizeof(*c->rest));
    if (!f->matches || !c->rest)
        return -ENOMEM;
    for (size_t i = 0; i < f->n; i++) {
        struct match m = match_file(f, &f->files[i]);
        if (m.form)
            f->matches[f->n_matches++] = m;
        else
            c->rest[c->n_rest++] = (uint32_t)i;
    }
    return 0;
}

/* The match of a file among the first @n, which are in the files' order; NULL when it has none. */
static const struct match *match_of(const struct finder *f, size_t n, const struct form_file *file)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (f->matches[middle].file < file)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && f->matches[low].file == file ? &f->matches[low] : NULL;
}

/* Gives the file that another one refers to to that one's checkpoint. @n are matched by names. */
static void follow(struct finder *f, size_t n, const struct reference *reference, bool *taken)
{
    const struct form_file *from = form_names_find(&f->names, reference->from);
    const struct form_file *to = form_names_find(&f->names, reference->to);
    const struct match *owner = from ? match_of(f, n, from) : NULL;
    if (!owner || !to || taken[to - f->files] || match_of(f, n, to) ||
        strncmp(to->path, from->path, owner->directory_len) != 0)
        return;
    struct match *m = &f->matches[f->n_matches++];
    *m = *owner;
    m->file = to;
    taken[to - f->files] = true;
}

/* What references give to a checkpoint is no rest any more. */
static int follow_all(struct finder *f, const struct reference *references, size_t n,
                      struct checkpoints *c)
{
    size_t n_named = f->n_matches, kept = 0;
    if (!n)
        return 0;
    CLEANUP(cleanup_free) bool *taken = calloc(f->n + 1, sizeof(*taken));
    if (!taken)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        follow(f, n_named, &references[i], taken);
    for (size_t i = 0; i < c->n_rest; i++)
        if (!taken[c->rest[i]])
            c->rest[kept++] = c->rest[i];
    c->n_rest = kept;
    return 0;
}

static int group_all(struct finder *f, struct checkpoints *c)
{
    qsort(f->matches, f->n_matches, sizeof(*f->matches), compare_matches);
    f->grouped = calloc(f->n_matches + 1, sizeof(*f->grouped));
    c->items = calloc(count_groups(f) + 1, sizeof(*c->items));
    if (!f->grouped || !c->items)
        return -ENOMEM;
    for (size_t i = 0; i < f->n_matches; i++)
        f->grouped[i] = f->matches[i].file;
    return fill_all(f, c);
}

static int finder_init(struct finder *f, const struct checkpoint_file *files, size_t n)
{
    *f = (struct finder){.files = calloc(n + 1, sizeof(*f->files)), .n = n};
    if (!f->files)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        f->files[i] = form_file_of(files[i].path, files[i].size_bytes);
    int r = form_names_init(&f->names, f->files, n);
    return r < 0 ? r : form_claims_init(&f->claims, f->files, n, &f->names);
}

static void finder_deinit(struct finder *f)
{
    free(f->files);
    form_names_deinit(&f->names);
    form_claims_deinit(&f->claims);
    free(f->matches);
    free(f->grouped);
}

int checkpoints_find(const struct checkpoint_file *files, size_t n, struct checkpoints *out)
{
    return checkpoints_find_referred(files, n, NULL, 0, out);
}

int checkpoints_find_referred(const struct checkpoint_file *files, size_t n,
                              const struct reference *references, size_t n_references,
                              struct checkpoints *out)
{
    CLEANUP(finder_deinit) struct finder f = {0};
    struct checkpoints c = {0};
    int r = finder_init(&f, files, n);
    if (r == 0)
        r = match_all(&f, &c);
    if (r == 0)
        r = follow_all(&f, references, n_references, &c);
    if (r == 0)
        r = group_all(&f, &c);
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

static bool has_prefix_path(const struct checkpoint *c, const char *path)
{
    size_t len = strlen(c->directory);
    return c->state_prefix && strncmp(path, c->directory, len) == 0 &&
           strcmp(path + len, c->state_prefix) == 0;
}

const struct checkpoint *checkpoints_latest(const struct checkpoints *c,
                                            const char *state_prefix_path)
{
    const struct checkpoint *best = NULL;
    for (size_t i = 0; i < c->n; i++) {
        const struct checkpoint *item = &c->items[i];
        if (item->missing)
            continue;
        if (state_prefix_path && has_prefix_path(item, state_prefix_path))
            return item;
        if (!best || best->kind == CHECKPOINT_EXPORT || item->kind == CHECKPOINT_STEP)
            best = item;
    }
    return best;
}

const char *checkpoint_inner_path(const struct checkpoint *c, const char *path)
{
    return path + strlen(c->directory);
}
