/* SPDX-License-Identifier: Apache-2.0 */
/* Built from libyaml's events: its documents would be whole in memory before anything of them could
 * be counted. */
#include "util/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "util/json.h"
#include "util/minmax.h"

struct anchor {
    char *name;      /* owned */
    json_t *value;   /* owned */
    size_t n_nodes;  /* in it, aliases unfolded */
    unsigned height; /* levels below it, the same */
};

struct builder {
    yaml_parser_t parser;
    yaml_event_t event; /* the one being looked at */
    struct anchor *anchors;
    size_t n_anchors;
    size_t n_nodes;   /* so far, aliases unfolded */
    unsigned deepest; /* level of the node that is being built, the same */
};

static void builder_deinit(struct builder *builder)
{
    for (size_t i = 0; i < builder->n_anchors; i++) {
        free(builder->anchors[i].name);
        json_decref(builder->anchors[i].value);
    }
    free(builder->anchors);
    yaml_event_delete(&builder->event);
    yaml_parser_delete(&builder->parser);
}

static int next_event(struct builder *builder)
{
    yaml_event_delete(&builder->event);
    if (yaml_parser_parse(&builder->parser, &builder->event))
        return 0;
    return builder->parser.error == YAML_MEMORY_ERROR ? -ENOMEM : -EBADMSG;
}

static bool is_one_of(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

#define IS_ONE_OF(text, words) is_one_of(text, words, sizeof(words) / sizeof((words)[0]))

static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
static const char *const trues[] = {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
static const char *const falses[] = {"no",    "No",  "NO",  "false", "False",
                                     "FALSE", "off", "Off", "OFF"};
static const char *const nans[] = {".nan", ".NaN", ".NAN"};
static const char *const infinities[] = {".inf", ".Inf", ".INF"};

/* Whether it is finite: then as plain_of(). */
static bool real_from(const char *text, json_t **out)
{
    double value = strtod(text, NULL);
    if (!isfinite(value))
        return false;
    *out = json_real(value);
    return true;
}

/* [-+]? then digits of the base that its beginning says: 0b, 0x, 0 (octal) or decimal. One that is
 * too large for an integer is a real. As plain_of(). */
static bool integer_of(const char *text, json_t **out)
{
    static const char *const digits[] = {
        [2] = "01", [8] = "01234567", [10] = "0123456789", [16] = "0123456789abcdefABCDEF"};
    const char *at = text + (*text == '-' || *text == '+');
    int base = *at != '0' || !at[1] ? 10 : at[1] == 'b' ? 2 : at[1] == 'x' ? 16 : 8;
    at += base == 2 || base == 16 ? 2 : 0;
    if (!*at || at[strspn(at, digits[base])])
        return false;
    errno = 0;
    unsigned long long value = strtoull(at, NULL, base);
    if (errno || value > INT64_MAX)
        return base == 10 ? real_from(text, out) : false;
    *out = json_integer(*text == '-' ? -(json_int_t)value : (json_int_t)value);
    return true;
}

/* [-+]? digits, a point, digits, and maybe an exponent with its sign: there must be a point, and a
 * digit before or behind it. As plain_of(). */
static bool real_of(const char *text, json_t **out)
{
    static const char digits[] = "0123456789";
    const char *at = text + (*text == '-' || *text == '+');
    size_t before = strspn(at, digits);
    at += before;
    if (*at++ != '.')
        return false;
    size_t behind = strspn(at, digits);
    at += behind;
    if (*at == 'e' || *at == 'E') {
        if ((at[1] != '-' && at[1] != '+') || !at[2])
            return false;
        at += 2;
        at += strspn(at, digits);
    }
    return !*at && (before || behind) && real_from(text, out);
}

static const char *not_finite(const char *text)
{
    bool is_signed = *text == '-' || *text == '+';
    if (IS_ONE_OF(text, nans))
        return "NaN";
    if (!IS_ONE_OF(text + is_signed, infinities))
        return NULL;
    return *text == '-' ? "-Infinity" : "Infinity";
}

/* Whether a plain scalar is more than a text: then *out is new, NULL when memory was short. */
static bool plain_of(const char *text, json_t **out)
{
    const char *name = not_finite(text);
    if (IS_ONE_OF(text, nulls))
        *out = json_null();
    else if (IS_ONE_OF(text, trues))
        *out = json_true();
    else if (IS_ONE_OF(text, falses))
        *out = json_false();
    else if (name)
        *out = json_string(name);
    else
        return integer_of(text, out) || real_of(text, out);
    return true;
}

/* libyaml gives valid UTF-8 only, whatever came in. */
static json_t *scalar_of(const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                    event->data.scalar.plain_implicit && strlen(text) == len;
    json_t *value = NULL;
    return is_plain && plain_of(text, &value) ? value : json_stringn_nocheck(text, len);
}

static const char *anchor_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return (const char *)event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return (const char *)event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return (const char *)event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

/* Remembers an anchor, whose name is taken over. */
static int keep_anchor(struct builder *builder, struct anchor anchor)
{
    struct anchor *grown;
    size_t n = builder->n_anchors;
    int r = n < YAML_MAX_ANCHORS ? -ENOMEM : -EFBIG;
    grown = n < YAML_MAX_ANCHORS ? realloc(builder->anchors, (n + 1) * sizeof(*grown)) : NULL;
    if (!grown) {
        free(anchor.name);
        return r;
    }
    builder->anchors = grown;
    json_incref(anchor.value);
    grown[builder->n_anchors++] = anchor;
    return 0;
}

/* The newest of that name counts. One that is not complete yet is not known, so nothing holds
 * itself. */
static int build_alias(struct builder *builder, unsigned depth, json_t **out)
{
    const char *name = (const char *)builder->event.data.alias.anchor;
    for (size_t i = builder->n_anchors; i-- > 0;) {
        const struct anchor *anchor = &builder->anchors[i];
        if (strcmp(anchor->name, name) != 0)
            continue;
        builder->n_nodes += anchor->n_nodes - 1;
        builder->deepest = depth + anchor->height;
        *out = json_incref(anchor->value);
        return builder->n_nodes > YAML_MAX_NODES || builder->deepest > YAML_MAX_DEPTH ? -EFBIG : 0;
    }
    return -EBADMSG;
}

static int build(struct builder *builder, unsigned depth, json_t **out);

static int build_list(struct builder *builder, unsigned depth, json_t **out)
{
    int r;
    *out = json_array();
    if (!*out)
        return -ENOMEM;
    while ((r = next_event(builder)) == 0 && builder->event.type != YAML_SEQUENCE_END_EVENT) {
        JSON_CLEANUP json_t *item = NULL;
        r = build(builder, depth + 1, &item);
        if (r == 0 && json_array_append(*out, item) < 0)
            r = -ENOMEM;
        if (r < 0)
            return r;
    }
    return r;
}

/* The text of a key; *out stays NULL for one that is no scalar, or has a NUL in it. */
static int build_key(struct builder *builder, unsigned depth, char **out)
{
    JSON_CLEANUP json_t *key = NULL;
    if (builder->event.type != YAML_SCALAR_EVENT || anchor_of(&builder->event))
        return build(builder, depth + 1, &key);
    const char *text = (const char *)builder->event.data.scalar.value;
    if (++builder->n_nodes > YAML_MAX_NODES)
        return -EFBIG;
    if (strlen(text) != builder->event.data.scalar.length)
        return 0;
    *out = strdup(text);
    return *out ? 0 : -ENOMEM;
}

static int build_pair(struct builder *builder, unsigned depth, json_t *object)
{
    CLEANUP(cleanup_free) char *key = NULL;
    JSON_CLEANUP json_t *value = NULL;
    int r = build_key(builder, depth, &key);
    if (r == 0)
        r = next_event(builder);
    if (r == 0)
        r = build(builder, depth + 1, &value);
    if (r == 0 && key && json_object_set_nocheck(object, key, value) < 0)
        r = -ENOMEM;
    return r;
}

static int build_object(struct builder *builder, unsigned depth, json_t **out)
{
    int r;
    *out = json_object();
    if (!*out)
        return -ENOMEM;
    while ((r = next_event(builder)) == 0 && builder->event.type != YAML_MAPPING_END_EVENT)
        if ((r = build_pair(builder, depth, *out)) < 0)
            return r;
    return r;
}

static int build_node(struct builder *builder, unsigned depth, json_t **out)
{
    switch (builder->event.type) {
    case YAML_ALIAS_EVENT:
        return build_alias(builder, depth, out);
    case YAML_SCALAR_EVENT:
        *out = scalar_of(&builder->event);
        return *out ? 0 : -ENOMEM;
    case YAML_SEQUENCE_START_EVENT:
        return build_list(builder, depth, out);
    case YAML_MAPPING_START_EVENT:
        return build_object(builder, depth, out);
    default:
        return -EBADMSG;
    }
}

/* The node that the event begins, in *out, which is the caller's also when it fails. */
static int build(struct builder *builder, unsigned depth, json_t **out)
{
    const char *name = anchor_of(&builder->event);
    CLEANUP(cleanup_free) char *kept = name ? strdup(name) : NULL;
    size_t n_before = builder->n_nodes;
    unsigned deepest = builder->deepest;
    if (name && !kept)
        return -ENOMEM;
    if (depth > YAML_MAX_DEPTH || ++builder->n_nodes > YAML_MAX_NODES)
        return -EFBIG;
    builder->deepest = depth;
    int r = build_node(builder, depth, out);
    if (r == 0 && kept)
        r = keep_anchor(builder, (struct anchor){steal_ptr(kept), *out, builder->n_nodes - n_before,
                                                 builder->deepest - depth});
    builder->deepest = (unsigned)max_u64(deepest, builder->deepest);
    return r;
}

/* The events of a stream: its start, a document's start, a node, ... */
static int build_first(struct builder *builder, json_t **out)
{
    int r = next_event(builder);
    if (r == 0)
        r = next_event(builder);
    if (r == 0 && builder->event.type != YAML_DOCUMENT_START_EVENT)
        r = -EBADMSG;
    if (r == 0)
        r = next_event(builder);
    return r < 0 ? r : build(builder, 1, out);
}

int yaml_parse(const char *text, size_t len, json_t **out)
{
    struct builder builder = {0};
    JSON_CLEANUP json_t *built = NULL;
    if (len > YAML_MAX_BYTES)
        return -EFBIG;
    if (!yaml_parser_initialize(&builder.parser))
        return -ENOMEM;
    yaml_parser_set_input_string(&builder.parser, (const unsigned char *)text, len);
    int r = build_first(&builder, &built);
    builder_deinit(&builder);
    if (r == 0)
        *out = steal_ptr(built);
    return r;
}
