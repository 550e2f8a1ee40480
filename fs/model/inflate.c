/* SPDX-License-Identifier: Apache-2.0 */
/* A code is given by the lengths of its words alone (RFC 1951, 3.2.2): words of one length follow
 * each other in the order of their symbols, and after the last one of a length comes, with a zero
 * behind it, the first one that is a bit longer. So a word is found bit by bit, with nothing but
 * how many words each length has. That is slow, and a header is short. */
#include "model/inflate.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "util/bytes.h"
#include "util/minmax.h"

enum {
    MAX_WORD_BITS = 15,
    N_LITERALS = 288,
    N_DISTANCES = 32,
    N_LENGTHS = 19, /* symbols of the code that the other codes' lengths are written in */
    END_OF_BLOCK = 256,
    N_COPIES = 29,
    N_FAR = 30,
};

struct stream {
    const uint8_t *at, *end;
    uint32_t bits; /* taken from the bytes and not used */
    unsigned n_bits;
    bool is_over; /* no more bits where some were needed */
    uint8_t *out;
    size_t n, cap;
};

struct code {
    uint16_t n_words[MAX_WORD_BITS + 1]; /* of each length */
    uint16_t symbols[N_LITERALS];        /* in the order of their words */
};

/* The next @n bits, at most 16, the first of them the least; 0 where there are no more. */
static unsigned take_bits(struct stream *s, unsigned n)
{
    while (s->n_bits < n) {
        if (s->at == s->end) {
            s->is_over = true;
            return 0;
        }
        s->bits |= (uint32_t)*s->at++ << s->n_bits;
        s->n_bits += 8;
    }
    unsigned value = s->bits & ((1U << n) - 1);
    s->bits >>= n;
    s->n_bits -= n;
    return value;
}

/* From the length of each symbol's word; 0: it has none. */
static void make_code(struct code *code, const uint8_t *lengths, size_t n)
{
    *code = (struct code){0};
    size_t n_placed = 0;
    for (unsigned length = 1; length <= MAX_WORD_BITS; length++)
        for (size_t symbol = 0; symbol < n; symbol++)
            if (lengths[symbol] == length) {
                code->n_words[length]++;
                code->symbols[n_placed++] = (uint16_t)symbol;
            }
}

/* The symbol whose word comes next, or -1. */
static int take_symbol(struct stream *s, const struct code *code)
{
    unsigned word = 0, first = 0, n_shorter = 0;
    for (unsigned length = 1; length <= MAX_WORD_BITS; length++) {
        word = word << 1 | take_bits(s, 1);
        unsigned n = code->n_words[length];
        if (s->is_over)
            return -1;
        if (word >= first && word - first < n)
            return code->symbols[n_shorter + word - first];
        n_shorter += n;
        first = (first + n) << 1;
    }
    return -1;
}

/* Bytes again that came @distance ago; they may overlap. */
static bool copy(struct stream *s, size_t distance, size_t len)
{
    if (distance > s->n)
        return false;
    for (; len && s->n < s->cap; len--, s->n++)
        s->out[s->n] = s->out[s->n - distance];
    return true;
}

/* A symbol behind END_OF_BLOCK is a length, and a distance follows (3.2.5). */
static bool take_copy(struct stream *s, unsigned symbol, const struct code *distances)
{
    static const uint16_t lengths[N_COPIES] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                               15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                               67, 83, 99, 115, 131, 163, 195, 227, 258};
    if (symbol >= N_COPIES)
        return false;
    unsigned extra = symbol < 8 || symbol == N_COPIES - 1 ? 0 : symbol / 4 - 1;
    size_t len = lengths[symbol] + take_bits(s, extra);
    int far = take_symbol(s, distances);
    if (far < 0 || far >= N_FAR)
        return s->is_over;
    unsigned far_extra = far < 4 ? 0 : (unsigned)far / 2 - 1;
    size_t base = far < 4 ? (size_t)far : (size_t)(2 + far % 2) << far_extra;
    size_t distance = 1 + base + take_bits(s, far_extra);
    return s->is_over || copy(s, distance, len);
}

static bool unpack(struct stream *s, const struct code *literals, const struct code *distances)
{
    while (s->n < s->cap) {
        int symbol = take_symbol(s, literals);
        if (symbol < 0 || symbol == END_OF_BLOCK)
            return symbol >= 0 || s->is_over;
        if (symbol < END_OF_BLOCK)
            s->out[s->n++] = (uint8_t)symbol;
        else if (!take_copy(s, (unsigned)symbol - END_OF_BLOCK - 1, distances))
            return false;
    }
    return true;
}

/* The code that nobody has to write down (3.2.6). */
static bool unpack_fixed(struct stream *s)
{
    struct code literals, distances;
    uint8_t lengths[N_LITERALS];
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    make_code(&literals, lengths, N_LITERALS);
    memset(lengths, 5, N_DISTANCES);
    make_code(&distances, lengths, N_DISTANCES);
    return unpack(s, &literals, &distances);
}

/* @n lengths, runs of which are written short (3.2.7). */
static bool take_lengths(struct stream *s, const struct code *code, uint8_t *lengths, size_t n)
{
    for (size_t i = 0; i < n;) {
        int symbol = take_symbol(s, code);
        if (symbol < 0 || (symbol == 16 && i == 0))
            return false;
        size_t run = symbol < 16    ? 1
                     : symbol == 16 ? 3 + take_bits(s, 2)
                     : symbol == 17 ? 3 + take_bits(s, 3)
                                    : 11 + take_bits(s, 7);
        uint8_t length = symbol < 16 ? (uint8_t)symbol : symbol == 16 ? lengths[i - 1] : 0;
        if (run > n - i)
            return false;
        memset(lengths + i, length, run);
        i += run;
    }
    return true;
}

static bool unpack_own(struct stream *s)
{
    static const uint8_t order[N_LENGTHS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                             11, 4,  12, 3, 13, 2, 14, 1, 15};
    struct code code, distances;
    uint8_t lengths[N_LITERALS + N_DISTANCES], of_lengths[N_LENGTHS] = {0};
    size_t n_literals = 257 + take_bits(s, 5), n_distances = 1 + take_bits(s, 5);
    size_t n_lengths = 4 + take_bits(s, 4);
    for (size_t i = 0; i < n_lengths; i++)
        of_lengths[order[i]] = (uint8_t)take_bits(s, 3);
    make_code(&code, of_lengths, N_LENGTHS);
    if (s->is_over || !take_lengths(s, &code, lengths, n_literals + n_distances))
        return s->is_over;
    make_code(&distances, lengths + n_literals, n_distances);
    make_code(&code, lengths, n_literals);
    return unpack(s, &code, &distances);
}

/* Bytes as they are, from the next whole byte on (3.2.4). */
static bool unpack_stored(struct stream *s)
{
    s->bits = s->n_bits = 0; /* fewer than eight are left */
    if (s->end - s->at < 4) {
        s->is_over = true;
        return true;
    }
    uint64_t len = bytes_le(s->at, 2);
    if (len != (~bytes_le(s->at + 2, 2) & 0xffff))
        return false;
    s->at += 4;
    s->is_over = len > (uint64_t)(s->end - s->at);
    size_t n = min_u64(min_u64(len, (uint64_t)(s->end - s->at)), s->cap - s->n);
    memcpy(s->out + s->n, s->at, n);
    s->at += n;
    s->n += n;
    return true;
}

int inflate_beginning(const uint8_t *data, size_t len, uint8_t *out, size_t cap, size_t *out_n)
{
    struct stream s = {.at = data, .end = data + len, .out = out, .cap = cap};
    bool is_good = true, is_last = false;
    while (is_good && !is_last && !s.is_over && s.n < s.cap) {
        is_last = take_bits(&s, 1);
        unsigned kind = take_bits(&s, 2);
        if (s.is_over)
            break;
        is_good = kind == 0   ? unpack_stored(&s)
                  : kind == 1 ? unpack_fixed(&s)
                  : kind == 2 ? unpack_own(&s)
                              : false;
    }
    *out_n = s.n;
    return is_good ? 0 : -EBADMSG;
}
