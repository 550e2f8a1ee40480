/* SPDX-License-Identifier: Apache-2.0 */
#include "model/form_pieces.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

enum { DIGITS = 5 };

const struct form_style form_style_tensorflow = {".data-", "", ".index", 0};
const struct form_style form_style_safetensors = {"-", ".safetensors", ".safetensors.index.json",
                                                  1};
const struct form_style form_style_bin = {"-", ".bin", ".bin.index.json", 1};
const struct form_style form_style_h5 = {"-", ".h5", ".h5.index.json", 1};
const struct form_style form_style_msgpack = {"-", ".msgpack", ".msgpack.index.json", 1};
const struct form_style form_style_gguf = {"-", ".gguf", NULL, 1};

/* Reads <shard>NNNNN-of-MMMMM at the end of name[0..len): the length before it, or 0. */
static size_t read_shard(const struct form_style *style, const char *name, size_t len,
                         struct form_piece *out)
{
    size_t head = strlen(style->shard), tail = head + 2 * DIGITS + 4;
    if (len <= tail)
        return 0;
    const char *at = name + len - tail;
    int64_t number = form_number(at + head, DIGITS);
    int64_t total = form_number(at + head + DIGITS + 4, DIGITS);
    if (memcmp(at, style->shard, head) != 0 || memcmp(at + head + DIGITS, "-of-", 4) != 0 ||
        total <= 0 || number < style->first || number - style->first >= total)
        return 0;
    out->number = (unsigned)number;
    out->total = (unsigned)total;
    return len - tail;
}

bool form_piece_read(const struct form_style *style, const char *name, size_t len,
                     uint64_t size_bytes, struct form_piece *out)
{
    *out = (struct form_piece){.style = style, .stem = name, .is_empty = size_bytes == 0};
    if (style->index && form_ends(name, len, style->index)) {
        out->kind = FORM_PIECE_INDEX;
        out->stem_len = len - strlen(style->index);
        return true;
    }
    if (!form_ends(name, len, style->end))
        return false;
    len -= strlen(style->end);
    out->kind = FORM_PIECE_SHARD;
    out->stem_len = read_shard(style, name, len, out);
    if (out->stem_len || !*style->end)
        return out->stem_len > 0;
    out->kind = FORM_PIECE_LONE;
    out->stem_len = len;
    return true;
}

static int compare_families(const struct form_piece *a, const struct form_piece *b)
{
    int order = strcmp(a->style->end, b->style->end);
    return order ? order : form_compare(a->stem, a->stem_len, b->stem, b->stem_len);
}

/* Of two of one path, that with bytes is last. */
static int compare_pieces(const void *a, const void *b)
{
    const struct form_piece *x = a, *y = b;
    int order = compare_families(x, y);
    if (!order)
        order = (int)x->kind - (int)y->kind;
    if (!order)
        order = (x->total > y->total) - (x->total < y->total);
    if (!order)
        order = (x->number > y->number) - (x->number < y->number);
    return order ? order : y->is_empty - x->is_empty;
}

/* The shards of one count: how many have bytes, and the first number that has none. */
struct shard_set {
    unsigned total, n_whole, first_lacking;
    bool is_empty; /* that one is there, without bytes */
};

/* Reads the set that begins at pieces[0]; how many pieces it has. */
static size_t read_set(const struct form_piece *pieces, size_t n, struct shard_set *out)
{
    size_t i = 0;
    *out = (struct shard_set){.total = pieces[0].total, .first_lacking = pieces[0].style->first};
    for (; i < n && pieces[i].total == out->total; i++) {
        bool is_twin = i + 1 < n && pieces[i + 1].total == out->total &&
                       pieces[i + 1].number == pieces[i].number;
        if (is_twin)
            continue;
        if (pieces[i].number == out->first_lacking) {
            out->first_lacking += !pieces[i].is_empty;
            out->is_empty = pieces[i].is_empty;
        }
        out->n_whole += !pieces[i].is_empty;
    }
    return i;
}

/* All there is of one stem. */
struct family {
    const struct form_piece *first;
    bool has_lone, has_index;     /* with bytes */
    bool empty_lone, empty_index; /* without */
    bool has_sets;
    struct shard_set set; /* the one with most shards */
    unsigned other_total; /* of another set; 0: there is none */
};

static void add_set(struct family *f, struct shard_set set)
{
    bool was_whole = f->has_sets && f->set.n_whole == f->set.total;
    bool is_better =
        !f->has_sets || set.n_whole == set.total || (!was_whole && set.n_whole > f->set.n_whole);
    if (f->has_sets)
        f->other_total = is_better ? f->set.total : set.total;
    if (is_better)
        f->set = set;
    f->has_sets = true;
}

static void read_family(const struct form_piece *pieces, size_t n, struct family *f)
{
    *f = (struct family){.first = pieces};
    for (size_t i = 0; i < n;) {
        const struct form_piece *p = &pieces[i];
        struct shard_set set;
        if (p->kind == FORM_PIECE_SHARD) {
            i += read_set(p, n - i, &set);
            add_set(f, set);
            continue;
        }
        *(p->kind == FORM_PIECE_LONE ? &f->has_lone : &f->has_index) |=
            p->kind != FORM_PIECE_NONE && !p->is_empty;
        *(p->kind == FORM_PIECE_LONE ? &f->empty_lone : &f->empty_index) |=
            p->kind != FORM_PIECE_NONE && p->is_empty;
        i++;
    }
}

static int missing_end(const struct family *f, const char *end, bool is_empty, char **out)
{
    return asprintf(out, "%.*s%s%s", (int)f->first->stem_len, f->first->stem, end,
                    is_empty ? " (empty)" : "");
}

static int missing_shard(const struct family *f, char **out)
{
    const struct form_style *style = f->first->style;
    int len = (int)f->first->stem_len;
    const char *stem = f->first->stem;
    if (!f->has_sets)
        return asprintf(out, "%.*s%s%05u-of-?%s", len, stem, style->shard, style->first,
                        style->end);
    char why[80];
    if (f->set.is_empty)
        snprintf(why, sizeof(why), "empty");
    else if (f->other_total)
        snprintf(why, sizeof(why), "%u of %u, and others of %u", f->set.n_whole, f->set.total,
                 f->other_total);
    else
        snprintf(why, sizeof(why), "%u of %u", f->set.n_whole, f->set.total);
    return asprintf(out, "%.*s%s%05u-of-%05u%s (%s)", len, stem, style->shard, f->set.first_lacking,
                    f->set.total, style->end, why);
}

/* *out stays NULL when nothing lacks. */
static int missing_of(const struct family *f, char **out)
{
    const char *index = f->first->style->index;
    int n = 0;
    if (f->has_lone)
        return 0;
    if (f->empty_lone && !f->has_sets)
        n = missing_end(f, f->first->style->end, true, out);
    else if (index && !f->has_index)
        n = missing_end(f, index, f->empty_index, out);
    else if (!f->has_sets || f->set.n_whole < f->set.total)
        n = missing_shard(f, out);
    if (n < 0)
        *out = NULL;
    return n < 0 ? -ENOMEM : 0;
}

int form_pieces_check(struct form_piece *pieces, size_t n, char **out)
{
    CLEANUP(cleanup_free) char *missing = NULL;
    size_t most = 0;
    qsort(pieces, n, sizeof(*pieces), compare_pieces);
    for (size_t i = 0, len; i < n; i += len) {
        CLEANUP(cleanup_free) char *text = NULL;
        struct family family;
        for (len = 1; i + len < n && compare_families(&pieces[i], &pieces[i + len]) == 0;)
            len++;
        read_family(pieces + i, len, &family);
        int r = missing_of(&family, &text);
        if (r < 0 || !text)
            return r;
        if (len > most) {
            free(missing);
            missing = steal_ptr(text);
            most = len;
        }
    }
    *out = steal_ptr(missing);
    return 0;
}
