/* SPDX-License-Identifier: Apache-2.0 */
/* YAML that somebody else wrote, as JSON. The only file that knows libyaml. Pure. */
#pragma once

#include <jansson.h>
#include <stddef.h>

enum {
    YAML_MAX_BYTES = 1 << 20,
    YAML_MAX_DEPTH = 64,
    /* Aliases share what they name, but whoever goes through the result sees it each time: nodes
     * count as often as they are seen. */
    YAML_MAX_NODES = 1 << 17,
    YAML_MAX_ANCHORS = 256,
};

/* The first document of @text: 0 with *out new; -EBADMSG for what is no YAML, or has none;
 * -EFBIG for what is beyond the limits; -ENOMEM.
 *
 * Scalars without quotes and tags are what PyYAML takes them for (YAML 1.1: `yes` is true, 1e5 a
 * text, 1.0e+5 a number), but for dates and numbers with underscores or colons, which are texts.
 * NaN and infinities are the texts NaN, Infinity, -Infinity. Of a key that comes twice the last
 * counts; keys that are no scalars are passed over; `<<` is a key as any other. */
int yaml_parse(const char *text, size_t len, json_t **out);
