/* SPDX-License-Identifier: Apache-2.0 */
/* Getters over jansson for JSON that somebody else wrote: each gives a default when the key is
 * missing or of another type. Pure. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

DEFINE_CLEANUP(json_t *, cleanup_json, json_decref)
#define JSON_CLEANUP CLEANUP(cleanup_json)

/* Parses @len bytes. NULL when it is not JSON or nests deeper than 64 levels; *out_error (may be
 * NULL, else at least JSON_ERROR_TEXT_LENGTH bytes) says why. */
json_t *json_parse(const char *text, size_t len, char *out_error);

/* The same for what a registry sends, where one hostile name must not hide all others: what is no
 * character becomes U+FFFD, a number too large for an integer a real one, and a text may hold a NUL
 * (json_text() does not give such a one). */
json_t *json_parse_leniently(const char *text, size_t len, char *out_error);

/* Calls @fn with each item of an array, parsed leniently and one at a time, so that a list of a
 * million takes the memory of one. Stops at what @fn returns other than 0, and returns that.
 * -EPROTO: @text is no array, or not to its end (some items were given before that shows);
 * *out_error, as above, says why. */
typedef int json_item_fn(void *ctx, const json_t *item);
int json_each(const char *text, size_t len, json_item_fn *fn, void *ctx, char *out_error);

/* Calls @fn with each member of an object, parsed strictly and one at a time. Stops at what @fn
 * returns other than 0, and returns that. -EPROTO: @text is no object, or not to its end (some were
 * given before that shows); -EFBIG: a member takes more than @max_bytes of text; -ENOMEM. @value is
 * borrowed. */
typedef int json_member_fn(void *ctx, const char *key, json_t *value);
int json_each_member(const char *text, size_t len, size_t max_bytes, json_member_fn *fn, void *ctx);

/* json_each(), giving the text of each item, so that the caller bounds and parses it. */
typedef int json_item_text_fn(void *ctx, const char *text, size_t len);
int json_each_text(const char *text, size_t len, json_item_text_fn *fn, void *ctx, char *out_error);

/* The text of the value at @key (as it is written, without escapes) of an object, found without
 * parsing the object: borrowed from @text. NULL when there is none. */
const char *json_find_member(const char *text, size_t len, const char *key, size_t *out_len);

/* Parsed leniently; where it has bare NaN, Infinity or -Infinity, as Python's json writes them,
 * they become texts. */
json_t *json_parse_python(const char *text, size_t len, char *out_error);

/* A new string of @text, in which what is no character is U+FFFD. NULL when memory is short. */
json_t *json_new_text(const char *text);

/* The text of a string; NULL when it is none, or has a NUL inside. */
const char *json_text(const json_t *value);

/* Borrowed from @object, or NULL. @object may be NULL or no object; a text with a NUL inside counts
 * as none. */
const char *json_get_text(const json_t *object, const char *key);
json_t *json_get_array(const json_t *object, const char *key);
json_t *json_get_object(const json_t *object, const char *key);
/* @fallback where there is none, it is no number, or does not fit. Numbers in text ("12") count. */
int64_t json_get_int(const json_t *object, const char *key, int64_t fallback);
double json_get_real(const json_t *object, const char *key, double fallback);
bool json_get_bool(const json_t *object, const char *key, bool fallback);
