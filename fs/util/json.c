/* SPDX-License-Identifier: Apache-2.0 */
#include "util/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

const char *json_get_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
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
