/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/range.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Moves *text behind its digits. A number that does not fit is as good as the largest one. */
static bool parse_number(const char **text, uint64_t *out)
{
    const char *start = *text;
    uint64_t value = 0;
    bool over = false;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        over |= __builtin_mul_overflow(value, 10, &value);
        over |= __builtin_add_overflow(value, (uint64_t)(**text - '0'), &value);
    }
    *out = over ? UINT64_MAX : value;
    return *text != start;
}

static const char *skip_blank(const char *text)
{
    return text + strspn(text, " \t");
}

enum { PARSED_NONE, PARSED_RANGE };

/* One `bytes=a-b`, `bytes=a-` or `bytes=-n`: *first > *last for a range outside the file. */
static int parse_range(const char *text, uint64_t size, uint64_t *first, uint64_t *last)
{
    if (strncasecmp(text, "bytes=", 6) != 0)
        return PARSED_NONE;
    text = skip_blank(text + 6);
    bool has_first = parse_number(&text, first);
    if (*text++ != '-')
        return PARSED_NONE;
    bool has_last = parse_number(&text, last);
    if (*skip_blank(text) != '\0' || (!has_first && !has_last))
        return PARSED_NONE;
    if (has_first && has_last && *last < *first)
        return PARSED_NONE;
    if (!has_first) {
        *first = *last < size ? size - *last : 0;
        *last = UINT64_MAX;
        if (*first == size)
            *first = UINT64_MAX;
    } else if (!has_last) {
        *last = UINT64_MAX;
    }
    return PARSED_RANGE;
}

/* Is @etag in the list @text? A weak tag (W/"...") equals only where @weak. */
static bool list_has(const char *text, const char *etag, bool weak)
{
    size_t len = strlen(etag);
    if (strcmp(skip_blank(text), "*") == 0)
        return true;
    while (*(text = text + strspn(text, " \t,"))) {
        bool is_weak = strncmp(text, "W/", 2) == 0;
        text += is_weak ? 2 : 0;
        if ((weak || !is_weak) && strncmp(text, etag, len) == 0 && strchr(" \t,", text[len]))
            return true;
        if (*text != '"')
            return false;
        text = strchr(text + 1, '"');
        if (!text)
            return false;
        text++;
    }
    return false;
}

/* If-Range holds one strong tag or the very date we gave; all else means "send the whole". */
static bool range_applies(const struct range_request *request, const struct range_file *file)
{
    if (!request->range)
        return false;
    if (!request->if_range)
        return true;
    return strcmp(request->if_range, file->etag) == 0 ||
           strcmp(request->if_range, file->last_modified) == 0;
}

enum range_verdict range_decide(const struct range_request *request, const struct range_file *file,
                                uint64_t *out_off, uint64_t *out_len)
{
    uint64_t first, last;
    *out_off = 0;
    *out_len = file->size_bytes;
    if (request->if_match && !list_has(request->if_match, file->etag, false))
        return RANGE_CHANGED;
    if (request->if_none_match && list_has(request->if_none_match, file->etag, true))
        return RANGE_NOT_MODIFIED;
    if (!range_applies(request, file))
        return RANGE_WHOLE;
    if (parse_range(request->range, file->size_bytes, &first, &last) == PARSED_NONE)
        return RANGE_WHOLE;
    if (first >= file->size_bytes)
        return RANGE_OUTSIDE;
    if (last >= file->size_bytes)
        last = file->size_bytes - 1;
    *out_off = first;
    *out_len = last - first + 1;
    return RANGE_PART;
}
