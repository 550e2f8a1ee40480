/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/names.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

static bool has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    }
    return false;
}

static const char *segment_problem(const char *segment, size_t len)
{
    if (len == 0)
        return "a file's path has an empty segment";
    if (len > 255)
        return "a file's path has a segment of more than 255 bytes";
    if ((len == 1 && segment[0] == '.') || (len == 2 && memcmp(segment, "..", 2) == 0))
        return "a file's path has a segment `.` or `..`";
    return NULL;
}

const char *names_path_problem(const char *path)
{
    size_t len = strlen(path);
    if (len == 0)
        return "a file's path is empty";
    if (len > NAMES_TEXT_BYTES)
        return "a file's path is longer than 1024 bytes";
    if (path[0] == '/')
        return "a file's path is absolute";
    if (path[len - 1] == '/')
        return "a file's path ends in `/`";
    if (has_control(path))
        return "a file's path has a control character";
    for (const char *segment = path; segment;) {
        const char *end = strchrnul(segment, '/');
        const char *problem = segment_problem(segment, (size_t)(end - segment));
        if (problem)
            return problem;
        segment = *end ? end + 1 : NULL;
    }
    return NULL;
}

const char *names_text_problem(const char *text, size_t max_bytes)
{
    if (text[strspn(text, " \t\r\n")] == '\0')
        return "can't be blank";
    if (strlen(text) > max_bytes)
        return "is too long";
    return NULL;
}

void names_format_id(const char *prefix, const uint8_t *random, size_t n_random,
                     char out[NAMES_ID_BYTES])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    size_t at = strlen(prefix);
    assert(at + n_random < NAMES_ID_BYTES);
    memcpy(out, prefix, at);
    /* 256 is no multiple of 36: the first four characters come a little more often, which an id
     * may. */
    for (size_t i = 0; i < n_random; i++)
        out[at++] = digits[random[i] % 36];
    out[at] = '\0';
}
