/* SPDX-License-Identifier: Apache-2.0 */
#include "model/form_claims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* Files of one directory mostly come one behind another, and leave the same marks: then they are
 * added to those that are there. */
static bool is_known(struct form_claims *c, const struct form_claim *claim)
{
    enum { LOOK_BACK = 4 };
    for (size_t i = c->n; i-- > 0 && i + LOOK_BACK >= c->n;) {
        struct form_claim *other = &c->items[i];
        if (other->form != claim->form || other->len != claim->len ||
            memcmp(other->path, claim->path, claim->len) != 0)
            continue;
        other->marks |= claim->marks;
        return true;
    }
    return false;
}

/* An array that doubles at powers of two. */
static int add_claim(struct form_claims *c, const struct form_claim *claim)
{
    if (is_known(c, claim))
        return 0;
    if (!(c->n & (c->n - 1))) {
        struct form_claim *grown = reallocarray(c->items, c->n ? c->n * 2 : 1, sizeof(*c->items));
        if (!grown)
            return -ENOMEM;
        c->items = grown;
    }
    c->items[c->n++] = *claim;
    return 0;
}

/* The marks that a file leaves, a claim each. */
static int add_marks(struct form_claims *c, const struct form_file *f)
{
    int r = 0;
    for (const struct form *const *form = forms; r == 0 && *form; form++) {
        struct form_claim claim = {
            .form = *form, .path = f->path, .len = form_directory_len(f), .step = -1};
        claim.marks = (*form)->mark ? (*form)->mark(f) : 0;
        if (claim.marks)
            r = add_claim(c, &claim);
    }
    return r;
}

static size_t position_of(const struct form *form)
{
    size_t i = 0;
    while (forms[i] != form)
        i++;
    return i;
}

static int compare_claims(const void *a, const void *b)
{
    const struct form_claim *x = a, *y = b;
    int order = form_compare(x->path, x->len, y->path, y->len);
    if (order)
        return order;
    size_t at = position_of(x->form), other = position_of(y->form);
    return (at > other) - (at < other);
}

static void name_claim(struct form_claim *claim)
{
    const struct form *form = claim->form;
    size_t end = claim->len ? claim->len - 1 : 0, start = end;
    while (start > 0 && claim->path[start - 1] != '/')
        start--;
    if (claim->len) {
        claim->stem = claim->path + start;
        claim->stem_len = end - start;
    } else {
        claim->stem = form->root_stem ? form->root_stem(claim->marks) : "model";
        claim->stem_len = strlen(claim->stem);
    }
    if (claim->len && form->directory_step)
        claim->step = form->directory_step(claim->stem, claim->stem_len);
}

/* Makes one claim of the marks of each form on each directory, where they suffice. */
static void merge_marks(struct form_claims *c)
{
    size_t n = 0;
    qsort(c->items, c->n, sizeof(*c->items), compare_claims);
    for (size_t i = 0, len; i < c->n; i += len) {
        struct form_claim claim = c->items[i];
        for (len = 1; i + len < c->n && compare_claims(&claim, &c->items[i + len]) == 0; len++)
            claim.marks |= c->items[i + len].marks;
        if (claim.form->is_marked && !claim.form->is_marked(claim.marks))
            continue;
        name_claim(&claim);
        c->items[n++] = claim;
    }
    c->n = n;
}

static bool lies_in(const char *path, const struct form_claim *claim)
{
    return strncmp(path, claim->path, claim->len) == 0;
}

/* Whether a claim is of a part only: at the model's root, by forms that take some of it. */
static bool is_partial(const struct form_claim *claim)
{
    return claim->len == 0 && claim->form->is_in_root;
}

/* Of those around one another, which has what lies in both. */
static const struct form_claim *tree_of(const struct form_claim *outer,
                                        const struct form_claim *claim)
{
    if (!claim->form->is_tree || is_partial(claim))
        return outer;
    return !outer || (claim->form->is_first && !outer->form->is_first) ? claim : outer;
}

/* The claims around the path that is looked at, innermost first. */
struct sweep {
    struct form_claims *claims;
    size_t next; /* the first claim that is not looked at yet */
    const struct form_claim *top;
    const struct form_claim *partial; /* of the root */
};

static void enter(struct sweep *s, struct form_claim *claim)
{
    while (s->top &&
           (s->top->len > claim->len || memcmp(s->top->path, claim->path, s->top->len) != 0))
        s->top = s->top->around;
    claim->around = s->top;
    claim->tree = tree_of(s->top ? s->top->tree : NULL, claim);
    if (is_partial(claim))
        s->partial = claim;
    else
        s->top = claim;
}

/* Paths come in order, and so do directories: each is entered once and left once. */
static void move_to(struct sweep *s, const char *path)
{
    struct form_claims *c = s->claims;
    while (s->next < c->n && strncmp(path, c->items[s->next].path, c->items[s->next].len) >= 0)
        enter(s, &c->items[s->next++]);
    while (s->top && !lies_in(path, s->top))
        s->top = s->top->around;
}

static const struct form_claim *claim_of(const struct sweep *s, const struct form_file *f)
{
    const struct form_claim *tree = s->top ? s->top->tree : NULL;
    bool is_first = tree && tree->form->is_first;
    if (!is_first && s->partial && s->partial->form->is_in_root(f->path))
        return s->partial;
    if (tree)
        return tree;
    return s->top && s->top->len == form_directory_len(f) ? s->top : NULL;
}

int form_claims_init(struct form_claims *c, const struct form_file *files, size_t n,
                     const struct form_names *names)
{
    struct sweep sweep = {.claims = c};
    *c = (struct form_claims){.of = calloc(n + 1, sizeof(const struct form_claim *))};
    int r = c->of ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_marks(c, names->sorted[i]);
    if (r < 0) {
        form_claims_deinit(c);
        return r;
    }
    merge_marks(c);
    for (size_t i = 0; i < n; i++) {
        move_to(&sweep, names->sorted[i]->path);
        c->of[names->sorted[i] - files] = claim_of(&sweep, names->sorted[i]);
    }
    return 0;
}

void form_claims_deinit(struct form_claims *c)
{
    free(c->items);
    free(c->of);
    *c = (struct form_claims){0};
}
