/* SPDX-License-Identifier: Apache-2.0 */
/* The header is written in Python, of which this much is understood: texts in either quote without
 * escapes, True and False, tuples of integers (with the L of Python 2), and lists of whatever (the
 * fields of a record), which are passed over. */
#include "model/npy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/bytes.h"
#include "util/minmax.h"

enum {
    MAGIC_BYTES = 6,
    FIXED_BYTES = 12, /* magic, version and the longer one of the lengths */
    MAX_TEXT_BYTES = 1 << 20,
    MAX_DESCR_BYTES = 16,
    ALIGN_BYTES = 64,
    FORMAT_BYTES = 1024, /* more than TENSOR_MAX_DIMS numbers take */
};
#define MAGIC "\x93NUMPY"

/* What is left of the text. */
struct literal {
    const char *at, *end;
};

static char peek(struct literal *text)
{
    while (text->at < text->end && strchr(" \t\r\n", *text->at) && *text->at)
        text->at++;
    return text->at < text->end ? *text->at : '\0';
}

static bool take(struct literal *text, char c)
{
    if (peek(text) != c || text->at == text->end)
        return false;
    text->at++;
    return true;
}

static bool take_word(struct literal *text, const char *word)
{
    size_t len = strlen(word);
    peek(text);
    if ((size_t)(text->end - text->at) < len || memcmp(text->at, word, len) != 0)
        return false;
    text->at += len;
    return true;
}

/* A text in quotes; what is longer than MAX_DESCR_BYTES - 1 is cut, for nothing that is looked for
 * is as long. */
static bool take_text(struct literal *text, char out[MAX_DESCR_BYTES])
{
    char quote = peek(text);
    if (quote != '\'' && quote != '"')
        return false;
    const char *begin = ++text->at;
    const char *close = memchr(begin, quote, (size_t)(text->end - begin));
    if (!close || memchr(begin, '\\', (size_t)(close - begin)))
        return false;
    snprintf(out, MAX_DESCR_BYTES, "%.*s", (int)min_u64((uint64_t)(close - begin), MAX_DESCR_BYTES),
             begin);
    text->at = close + 1;
    return true;
}

static bool take_number(struct literal *text, uint64_t *out)
{
    char c = peek(text);
    if (c < '0' || c > '9')
        return false;
    *out = 0;
    for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++)
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, (uint64_t)(*text->at - '0'), out))
            return false;
    take(text, 'L');
    return true;
}

static bool take_shape(struct literal *text, struct npy_header *out)
{
    if (!take(text, '('))
        return false;
    out->n_dims = 0;
    while (!take(text, ')')) {
        if (out->n_dims == TENSOR_MAX_DIMS || !take_number(text, &out->shape[out->n_dims++]))
            return false;
        if (!take(text, ',') && (out->n_dims < 2 || peek(text) != ')'))
            return false;
    }
    return true;
}

/* Passes over a list or a tuple, with all that is in it. */
static bool skip_list(struct literal *text)
{
    char ignored[MAX_DESCR_BYTES];
    size_t depth = 0;
    do {
        char c = peek(text);
        if (text->at == text->end)
            return false;
        if (c == '\'' || c == '"') {
            if (!take_text(text, ignored))
                return false;
            continue;
        }
        depth += c == '[' || c == '(';
        depth -= c == ']' || c == ')';
        text->at++;
    } while (depth);
    return true;
}

/* `<f4`: the byte order, which single bytes lack, and the type. */
static bool take_descr(struct literal *text, struct npy_header *out)
{
    char descr[MAX_DESCR_BYTES];
    out->dtype = NULL;
    if (peek(text) == '[' || peek(text) == '(')
        return skip_list(text);
    if (!take_text(text, descr))
        return false;
    bool has_order = *descr && strchr("<>|=", *descr);
    out->is_big_endian = *descr == '>';
    out->dtype = dtype_find_numpy(descr + has_order);
    return true;
}

static bool take_bool(struct literal *text, bool *out)
{
    *out = take_word(text, "True");
    return *out || take_word(text, "False");
}

enum { HAS_DESCR = 1, HAS_ORDER = 2, HAS_SHAPE = 4, HAS_ALL = 7 };

/* One `'key': value`: which it was, or 0. */
static int take_item(struct literal *text, struct npy_header *out)
{
    char key[MAX_DESCR_BYTES];
    if (!take_text(text, key) || !take(text, ':'))
        return 0;
    if (strcmp(key, "descr") == 0)
        return take_descr(text, out) ? HAS_DESCR : 0;
    if (strcmp(key, "fortran_order") == 0)
        return take_bool(text, &out->is_fortran) ? HAS_ORDER : 0;
    if (strcmp(key, "shape") == 0)
        return take_shape(text, out) ? HAS_SHAPE : 0;
    return 0;
}

static bool parse_text(struct literal text, struct npy_header *out)
{
    int seen = 0;
    if (!take(&text, '{'))
        return false;
    while (!take(&text, '}')) {
        int item = take_item(&text, out);
        if (!item || seen & item)
            return false;
        seen |= item;
        if (!take(&text, ',') && peek(&text) != '}')
            return false;
    }
    return seen == HAS_ALL && peek(&text) == '\0' && text.at == text.end;
}

int npy_parse_header(const uint8_t *data, size_t len, struct npy_header *out)
{
    *out = (struct npy_header){.n_bytes = FIXED_BYTES};
    if (memcmp(data, MAGIC, min_u64(len, MAGIC_BYTES)) != 0)
        return -EBADMSG;
    if (len < FIXED_BYTES)
        return -EAGAIN;
    unsigned version = data[MAGIC_BYTES];
    if (version < 1 || version > 3)
        return -EBADMSG;
    size_t length_bytes = version == 1 ? 2 : 4, begin = MAGIC_BYTES + 2 + length_bytes;
    uint64_t text_len = bytes_le(data + MAGIC_BYTES + 2, length_bytes);
    if (text_len > MAX_TEXT_BYTES)
        return -EBADMSG;
    out->n_bytes = begin + text_len;
    if (len < out->n_bytes)
        return -EAGAIN;
    const char *text = (const char *)data + begin;
    return parse_text((struct literal){text, text + text_len}, out) ? 0 : -EBADMSG;
}

int npy_read_header(struct glimpse *glimpse, uint64_t offset, uint64_t end, struct npy_header *out)
{
    int r = -EAGAIN;
    out->n_bytes = FIXED_BYTES;
    for (int step = 0; r == -EAGAIN && step < 2; step++) {
        uint64_t n = out->n_bytes;
        if (offset > end || n > end - offset)
            return -EBADMSG;
        const uint8_t *data = glimpse_at(glimpse, offset, n);
        if (!data)
            return glimpse_error(glimpse);
        r = npy_parse_header(data, (size_t)n, out);
    }
    return r;
}

/* The tensor that @header describes, its elements at @offset. False when they are too many. */
static bool to_tensor(const struct npy_header *header, struct tensor *out)
{
    uint64_t n_elements;
    out->dtype = header->dtype;
    out->shape = header->shape;
    out->n_dims = header->n_dims;
    out->is_fortran = header->is_fortran;
    out->is_big_endian = header->is_big_endian;
    return tensor_elements(out, &n_elements) &&
           (!out->dtype || dtype_size_bytes(out->dtype, n_elements, &out->n_bytes));
}

int npy_add(struct contents *contents, const struct npy_header *header, const char *name,
            uint32_t file, uint64_t offset, uint64_t n_bytes)
{
    struct tensor tensor = {.name = name, .file = file};
    if (header->n_bytes > n_bytes || !to_tensor(header, &tensor))
        return -EBADMSG;
    if (!tensor.dtype) {
        tensor.offset = TENSOR_SCATTERED;
        tensor.n_bytes = n_bytes - header->n_bytes;
        return contents_add(contents, &tensor);
    }
    if (tensor.n_bytes > n_bytes - header->n_bytes)
        return -EBADMSG;
    tensor.offset = offset + header->n_bytes;
    tensor.npy_bytes = (uint32_t)header->n_bytes;
    return contents_add(contents, &tensor);
}

/* `sub/weights.npy` is `weights`. */
static int name_of_file(const char *path, struct buf *out)
{
    static const char ending[] = ".npy";
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t len = strlen(name), n = sizeof(ending) - 1;
    if (len > n && strcmp(name + len - n, ending) == 0)
        len -= n;
    return buf_append(out, name, len);
}

int npy_parse(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    struct contents *contents = ctx;
    struct npy_header header;
    struct tensor tensor = {0};
    uint64_t end;
    int r = npy_read_header(glimpse, 0, glimpse->size_bytes, &header);
    if (r < 0)
        return r;
    if (!to_tensor(&header, &tensor) ||
        __builtin_add_overflow(header.n_bytes, tensor.n_bytes, &end))
        return -EBADMSG;
    if (end > glimpse->size_bytes)
        return contents_miss_rest(contents, file, end);
    BUF_CLEANUP struct buf name = {0};
    r = name_of_file(contents->files[file].path, &name);
    return r < 0 ? r : npy_add(contents, &header, name.data, file, 0, glimpse->size_bytes);
}

/* Text that is known to fit. */
static void put(char *text, size_t *len, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void put(char *text, size_t *len, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    *len += (size_t)vsnprintf(text + *len, FORMAT_BYTES - *len, fmt, args);
    va_end(args);
}

static void put_shape(char *text, size_t *len, const uint64_t *shape, uint32_t n_dims)
{
    put(text, len, "(");
    for (uint32_t i = 0; i < n_dims; i++)
        put(text, len, i ? ", %" PRIu64 : "%" PRIu64, shape[i]);
    put(text, len, n_dims == 1 ? ",)" : ")");
}

/* The header at @out, FORMAT_BYTES long: its length, 0 when there is none. */
static size_t format(const struct tensor *tensor, char *out)
{
    size_t len = MAGIC_BYTES + 4;
    if (!tensor->dtype || tensor->offset == TENSOR_SCATTERED || tensor->n_dims > TENSOR_MAX_DIMS)
        return 0;
    const char *descr = tensor->dtype->descr;
    bool is_flat = tensor->dtype->is_raw && tensor->dtype->block_elements > 1;
    bool is_byte = is_flat || tensor->dtype->block_bytes == 1;
    char order = is_byte ? '|' : tensor->is_big_endian ? '>' : '<';
    put(out, &len, "{'descr': '%c%s', 'fortran_order': %s, 'shape': ", order, descr,
        tensor->is_fortran && !is_flat ? "True" : "False");
    put_shape(out, &len, is_flat ? &tensor->n_bytes : tensor->shape, is_flat ? 1 : tensor->n_dims);
    put(out, &len, ", }");
    while ((len + 1) % ALIGN_BYTES)
        out[len++] = ' ';
    out[len++] = '\n';
    size_t text_len = len - MAGIC_BYTES - 4;
    memcpy(out, MAGIC "\1", MAGIC_BYTES + 2); /* and the NUL, which is the minor version */
    out[MAGIC_BYTES + 2] = (char)(text_len & 0xff);
    out[MAGIC_BYTES + 3] = (char)(text_len >> 8);
    return len;
}

int npy_format_header(const struct tensor *tensor, struct buf *out)
{
    char text[FORMAT_BYTES];
    size_t len = format(tensor, text);
    return len ? buf_append(out, text, len) : -EINVAL;
}

uint64_t npy_header_bytes(const struct tensor *tensor)
{
    char text[FORMAT_BYTES];
    return format(tensor, text);
}
