/* SPDX-License-Identifier: Apache-2.0 */
/* Weights in one file or in numbered shards with an index, and what lacks of them. Pure. */
#pragma once

#include <stddef.h>

#include "model/form_names.h"

/* How the pieces of weights are called: S<end> alone, or S<shard>00001-of-00004<end> and
 * S<index>. */
struct form_style {
    const char *shard, *end;
    const char *index; /* NULL: shards need none */
    unsigned first;    /* number of the first shard */
};
extern const struct form_style form_style_tensorflow;  /* S.data-00000-of-00001, S.index */
extern const struct form_style form_style_safetensors; /* S-00001-of-00002.safetensors, ... */
extern const struct form_style form_style_bin;         /* the same with .bin */
extern const struct form_style form_style_h5;
extern const struct form_style form_style_msgpack;
extern const struct form_style form_style_gguf; /* without an index */

enum form_piece_kind { FORM_PIECE_NONE, FORM_PIECE_LONE, FORM_PIECE_INDEX, FORM_PIECE_SHARD };

struct form_piece {
    const struct form_style *style;
    enum form_piece_kind kind; /* FORM_PIECE_NONE: says only that something of this stem is there */
    const char *stem;
    size_t stem_len;
    unsigned number, total; /* of a shard */
    bool is_empty;          /* has no bytes, which no weights and no index can be */
};

/* Reads a name; false when it is no piece of this style. TensorFlow has no weights that stand
 * alone. */
bool form_piece_read(const struct form_style *style, const char *name, size_t len,
                     uint64_t size_bytes, struct form_piece *out);

/* Whether the pieces, which it sorts, make whole weights of any stem: all shards of one count, and
 * their index, or a file alone. What lacks first as a new text (`m-00002-of-00004.bin (3 of 4)`,
 * `m.bin (empty)`), of the stem with most pieces; *out stays NULL when nothing does. Twins of one
 * path count once. 0 or -ENOMEM. */
int form_pieces_check(struct form_piece *pieces, size_t n, char **out);
