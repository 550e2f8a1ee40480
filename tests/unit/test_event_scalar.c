/* SPDX-License-Identifier: Apache-2.0 */
#include "model/event_scalar.h"

#include "check.h"
#include "protobuf_builder.h"

/* The parts that a value may have; NULL or 0: it has not. */
struct parts {
    const char *tag, *node, *plugin;
    bool has_simple, has_tensor, has_image, has_metadata;
    uint64_t dims; /* of the tensor's only dimension, 0: rank 0 */
};

static void put_tensor(struct buf *out, uint64_t dims)
{
    BUF_CLEANUP struct buf tensor = {0}, shape = {0}, dim = {0};
    if (dims) {
        put_number(&dim, 1, dims);
        put_message(&shape, 2, &dim);
    }
    put_number(&tensor, 1, 1);
    put_message(&tensor, 2, &shape);
    put_bytes(&tensor, 5, "\0\0\0\x40", 4); /* 2 */
    put_message(out, 8, &tensor);
}

static void build(struct buf *out, const struct parts *parts)
{
    BUF_CLEANUP struct buf metadata = {0}, plugin = {0};
    if (parts->tag)
        put_text(out, 1, parts->tag);
    if (parts->plugin)
        put_text(&plugin, 1, parts->plugin);
    if (parts->plugin)
        put_message(&metadata, 1, &plugin);
    if (parts->has_metadata)
        put_message(out, 9, &metadata);
    if (parts->has_image)
        put_text(out, 4, "?");
    if (parts->has_simple)
        put_float(out, 2, 1);
    if (parts->has_tensor)
        put_tensor(out, parts->dims);
    if (parts->node)
        put_text(out, 7, parts->node);
}

static void scalars_are_told_from_other_values(void)
{
    static const struct {
        struct parts parts;
        const char *want; /* `tag number`, or NULL: no scalar */
    } cases[] = {
        {{.tag = "a", .has_simple = true}, "a 1"},
        {{.has_simple = true}, " 1"},
        {{.node = "n", .has_simple = true}, " 1"},
        {{.tag = "a", .has_simple = true, .has_metadata = true, .plugin = "x"}, "a 1"},
        {{.tag = "a", .has_tensor = true, .has_metadata = true, .plugin = "scalars"}, "a 2"},
        {{.tag = "a", .has_tensor = true, .dims = 1, .has_metadata = true, .plugin = "scalars"},
         "a 2"},
        {{.tag = "a", .has_tensor = true, .dims = 2, .has_metadata = true, .plugin = "scalars"},
         NULL},
        {{.tag = "a", .has_tensor = true}, "a 2"},
        {{.tag = "a", .has_tensor = true, .has_metadata = true}, "a 2"},
        {{.tag = "a", .has_tensor = true, .dims = 1}, NULL},
        {{.tag = "a", .has_tensor = true, .has_metadata = true, .plugin = "histograms"}, NULL},
        {{.tag = "a", .has_tensor = true, .has_metadata = true, .plugin = "scalar"}, NULL},
        {{.node = "n", .has_tensor = true}, "n 2"},
        {{.tag = "a", .node = "n", .has_tensor = true}, "a 2"},
        {{.tag = "a", .has_image = true}, NULL},
        {{.tag = "a", .has_metadata = true, .plugin = "scalars"}, NULL},
        {{.tag = "a", .has_image = true, .has_simple = true}, "a 1"}, /* the last of a oneof */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BUF_CLEANUP struct buf value = {0};
        struct event_scalar got;
        char text[64] = "";
        build(&value, &cases[i].parts);
        bool is = event_scalar_read((uint8_t *)value.data, value.len, &got);
        CHECK_EQ(is, cases[i].want != NULL);
        if (!is || !cases[i].want)
            continue;
        snprintf(text, sizeof(text), "%.*s %g", (int)got.tag_len, (const char *)got.tag,
                 got.number);
        CHECK_STR(text, cases[i].want);
    }
}

static void what_is_no_message_is_no_scalar(void)
{
    static const char *const cases[] = {"\x0a", "\x15\1\1", "\x4a\2\x0a\5", "\x4a\4\x0a\2\x0a\5",
                                        "\x42\2\x08"};
    struct event_scalar got;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK(!event_scalar_read((const uint8_t *)cases[i], strlen(cases[i]), &got));
}

int main(void)
{
    TEST("scalars are told from other values", scalars_are_told_from_other_values);
    TEST("what is no message is no scalar", what_is_no_message_is_no_scalar);
    return check_done();
}
