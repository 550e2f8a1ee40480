/* SPDX-License-Identifier: Apache-2.0 */
#include "util/json.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"

enum { DEPTH_MAX = 64 };

/* Whether brackets outside strings nest too deep. Looked at before the parser, which recurses once
 * a level. */
static bool is_too_deep(const char *text, size_t len)
{
    int depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_text && c == '\\')
            i++;
        else if (c == '"')
            in_text = !in_text;
        else if (!in_text && (c == '[' || c == '{') && ++depth > DEPTH_MAX)
            return true;
        else if (!in_text && (c == ']' || c == '}'))
            depth--;
    }
    return false;
}

json_t *json_parse(const char *text, size_t len, char *out_error)
{
    json_error_t error = {.text = "nested too deep"};
    json_t *parsed = NULL;
    if (!is_too_deep(text, len))
        parsed = json_loadb(text, len, JSON_DECODE_ANY, &error);
    if (!parsed && out_error)
        snprintf(out_error, JSON_ERROR_TEXT_LENGTH, "%s", error.text);
    return parsed;
}

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Bytes of the well-formed UTF-8 character at @text, of at most @len; 0 when it is none. The ranges
 * are those of RFC 3629: no overlong form, no surrogate, nothing over U+10FFFF. */
static size_t utf8_len(const unsigned char *text, size_t len)
{
    unsigned char c = text[0];
    size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (c == 0xe0 && text[1] < 0xa0) || (c == 0xf0 && text[1] < 0x90);
    bool beyond = (c == 0xed && text[1] > 0x9f) || (c == 0xf4 && text[1] > 0x8f);
    return overlong || beyond ? 0 : n;
}

/* The unit that an escape \uXXXX at @text names, or -1. */
static int escaped_unit(const char *text, size_t len)
{
    char hex[5] = {0}, *end;
    if (len < 6 || text[0] != '\\' || text[1] != 'u' || !isxdigit((unsigned char)text[2]))
        return -1;
    memcpy(hex, text + 2, 4);
    unsigned long unit = strtoul(hex, &end, 16);
    return *end ? -1 : (int)unit;
}

/* Bytes of the escape at @text: a backslash and what it takes. *out_alone: half of a surrogate pair
 * without the other. */
static size_t escape_len(const char *text, size_t len, bool *out_alone)
{
    int unit = escaped_unit(text, len);
    int next = unit >= 0 ? escaped_unit(text + 6, len - 6) : -1;
    bool high = unit >= 0xd800 && unit <= 0xdbff, low = unit >= 0xdc00 && unit <= 0xdfff;
    bool pair = high && next >= 0xdc00 && next <= 0xdfff;
    *out_alone = (high || low) && !pair;
    if (pair)
        return 12;
    return unit >= 0 ? 6 : len < 2 ? len : 2;
}

/* A copy in which every byte and every escape that makes no character is U+FFFD. At most three
 * times as long. */
static int repair(const char *text, size_t len, struct buf *out)
{
    int r = 0;
    for (size_t i = 0, n; i < len && r == 0; i += n) {
        bool bad = false;
        if (text[i] == '\\') {
            n = escape_len(text + i, len - i, &bad);
        } else {
            n = utf8_len((const unsigned char *)text + i, len - i);
            bad = n == 0;
            n += bad;
        }
        r = bad ? buf_puts(out, replacement) : buf_append(out, text + i, n);
    }
    return r;
}

json_t *json_parse_leniently(const char *text, size_t len, char *out_error)
{
    json_t *parsed = json_parse(text, len, out_error);
    BUF_CLEANUP struct buf repaired = {0};
    if (parsed || is_too_deep(text, len) || repair(text, len, &repaired) < 0)
        return parsed;
    json_error_t error;
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    parsed = json_loadb(repaired.data, repaired.len, flags, &error);
    if (!parsed && json_error_code(&error) == json_error_numeric_overflow)
        parsed = json_loadb(repaired.data, repaired.len, flags | JSON_DECODE_INT_AS_REAL, &error);
    return parsed;
}

static size_t skip_space(const char *text, size_t len, size_t i)
{
    while (i < len && (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r')))
        i++;
    return i;
}

/* Where the item that begins at @i ends: at a comma or bracket that is not inside of it. */
static size_t item_end(const char *text, size_t len, size_t i)
{
    bool in_text = false;
    for (size_t depth = 0; i < len; i++) {
        char c = text[i];
        bool closes = c == ']' || c == '}';
        if (in_text && c == '\\')
            i++;
        else if (c == '"')
            in_text = !in_text;
        else if (!in_text && depth == 0 && (c == ',' || closes))
            return i;
        else if (!in_text)
            depth += (c == '[' || c == '{') - (size_t)closes;
    }
    return len;
}

/* Gives the text of each item between @open and @close. */
static int each_text(const char *text, size_t len, char open, char close, json_item_text_fn *fn,
                     void *ctx)
{
    size_t i = skip_space(text, len, 0);
    int r = 0;
    if (i == len || text[i] != open)
        return -EPROTO;
    i = skip_space(text, len, i + 1);
    bool is_empty = i < len && text[i] == close;
    while (r == 0 && i < len && !is_empty) {
        size_t end = item_end(text, len, i);
        r = end < len ? fn(ctx, text + i, end - i) : -EPROTO;
        i = end;
        if (r == 0 && text[i] != ',')
            break;
        i++;
    }
    if (r != 0)
        return r;
    bool is_whole = i < len && text[i] == close && skip_space(text, len, i + 1) == len;
    return is_whole ? 0 : -EPROTO;
}

int json_each_text(const char *text, size_t len, json_item_text_fn *fn, void *ctx, char *out_error)
{
    snprintf(out_error, JSON_ERROR_TEXT_LENGTH, "it is no list, or not a whole one");
    return each_text(text, len, '[', ']', fn, ctx);
}

struct parsed_items {
    json_item_fn *fn;
    void *ctx;
    char *out_error;
};

static int give_item(void *ctx, const char *text, size_t len)
{
    const struct parsed_items *items = ctx;
    JSON_CLEANUP json_t *item = json_parse_leniently(text, len, items->out_error);
    return item ? items->fn(items->ctx, item) : -EPROTO;
}

int json_each(const char *text, size_t len, json_item_fn *fn, void *ctx, char *out_error)
{
    struct parsed_items items = {fn, ctx, out_error};
    return json_each_text(text, len, give_item, &items, out_error);
}

struct parsed_members {
    json_member_fn *fn;
    void *ctx;
    size_t max_bytes; /* of one */
};

/* A member is parsed as an object of its own. */
static int give_member(void *ctx, const char *text, size_t len)
{
    const struct parsed_members *members = ctx;
    BUF_CLEANUP struct buf alone = {0};
    if (len > members->max_bytes)
        return -EFBIG;
    if (buf_putc(&alone, '{') < 0 || buf_append(&alone, text, len) < 0 || buf_putc(&alone, '}') < 0)
        return -ENOMEM;
    JSON_CLEANUP json_t *object = json_parse(alone.data, alone.len, NULL);
    void *member = json_object_iter(object);
    if (json_object_size(object) != 1)
        return -EPROTO;
    return members->fn(members->ctx, json_object_iter_key(member), json_object_iter_value(member));
}

int json_each_member(const char *text, size_t len, size_t max_bytes, json_member_fn *fn, void *ctx)
{
    struct parsed_members members = {fn, ctx, max_bytes};
    return each_text(text, len, '{', '}', give_member, &members);
}

/* Behind the string that begins at @i; @len when it does not end. */
static size_t skip_string(const char *text, size_t len, size_t i)
{
    for (i++; i < len; i++)
        if (text[i] == '"')
            return i + 1;
        else if (text[i] == '\\')
            i++;
    return len;
}

const char *json_find_member(const char *text, size_t len, const char *key, size_t *out_len)
{
    size_t i = skip_space(text, len, 0), key_len = strlen(key);
    bool is_object = i < len && text[i] == '{';
    while (is_object && (i = skip_space(text, len, i + 1)) < len && text[i] == '"') {
        size_t name = i + 1;
        i = skip_string(text, len, i);
        bool is_it = i - name == key_len + 1 && memcmp(text + name, key, key_len) == 0;
        i = skip_space(text, len, i);
        if (i == len || text[i] != ':')
            return NULL;
        size_t begin = skip_space(text, len, i + 1);
        i = item_end(text, len, begin);
        *out_len = i - begin;
        if (is_it)
            return text + begin;
        is_object = i < len && text[i] == ',';
    }
    return NULL;
}

/* Bytes of the name of no finite number at @text; 0 when there is none. */
static size_t nonfinite_len(const char *text, size_t len)
{
    static const char *const names[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) <= len && memcmp(text, names[i], strlen(names[i])) == 0)
            return strlen(names[i]);
    return 0;
}

/* A copy in which those that stand outside of texts are texts. */
static int quote_nonfinite(const char *text, size_t len, struct buf *out)
{
    int r = 0;
    for (size_t i = 0, n; i < len && r == 0; i += n) {
        size_t name = nonfinite_len(text + i, len - i);
        n = name ? name : text[i] == '"' ? skip_string(text, len, i) - i : 1;
        r = name ? buf_printf(out, "\"%.*s\"", (int)name, text + i) : buf_append(out, text + i, n);
    }
    return r;
}

json_t *json_parse_python(const char *text, size_t len, char *out_error)
{
    BUF_CLEANUP struct buf quoted = {0};
    if (!memmem(text, len, "NaN", 3) && !memmem(text, len, "Infinity", 8))
        return json_parse_leniently(text, len, out_error);
    if (quote_nonfinite(text, len, &quoted) < 0) {
        if (out_error)
            snprintf(out_error, JSON_ERROR_TEXT_LENGTH, "%s", strerror(ENOMEM));
        return NULL;
    }
    return json_parse_leniently(quoted.data, quoted.len, out_error);
}

json_t *json_new_text(const char *text)
{
    BUF_CLEANUP struct buf repaired = {0};
    int r = buf_puts(&repaired, "");
    for (size_t i = 0, n, len = strlen(text); i < len && r == 0; i += n) {
        n = utf8_len((const unsigned char *)text + i, len - i);
        r = n ? buf_append(&repaired, text + i, n) : buf_puts(&repaired, replacement);
        n += n == 0;
    }
    return r == 0 ? json_stringn_nocheck(repaired.data, repaired.len) : NULL;
}

const char *json_text(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

const char *json_get_text(const json_t *object, const char *key)
{
    return json_text(json_object_get(object, key));
}

json_t *json_get_array(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_array(value) ? value : NULL;
}

json_t *json_get_object(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_object(value) ? value : NULL;
}

/* The number at @key as a reference to drop, or NULL. A number in text is read by the JSON parser
 * and not by strtod(), which would ask the locale for the decimal point. */
static json_t *ref_number(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (json_is_number(value))
        return json_incref(value);
    if (!json_is_string(value))
        return NULL;
    json_t *parsed JSON_CLEANUP =
        json_parse(json_string_value(value), json_string_length(value), NULL);
    return json_is_number(parsed) ? steal_ptr(parsed) : NULL;
}

int64_t json_get_int(const json_t *object, const char *key, int64_t fallback)
{
    json_t *number JSON_CLEANUP = ref_number(object, key);
    if (json_is_integer(number))
        return json_integer_value(number);
    if (!number)
        return fallback;
    /* 2^63 is the first double too large, -2^63 the last that fits; a fraction does not fit
     * either. */
    double real = json_real_value(number);
    if (!(real >= -0x1p63 && real < 0x1p63) || real != trunc(real))
        return fallback;
    return (int64_t)real;
}

double json_get_real(const json_t *object, const char *key, double fallback)
{
    json_t *number JSON_CLEANUP = ref_number(object, key);
    return number ? json_number_value(number) : fallback;
}

bool json_get_bool(const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}
