/* SPDX-License-Identifier: Apache-2.0 */
#include "model/state_file.h"

#include <errno.h>

#include "check.h"
#include "model/history.h"
#include "bytes_probe.h"
#include "util/cleanup.h"

#define HISTORY_CLEANUP CLEANUP(history_deinit)

enum { ROOT, RUN, OTHER };
static const struct history_file files[] = {
    {"checkpoint", 0}, {"a/run/checkpoint", 0}, {"b/checkpoint", 0}};

static int parse(struct history *history, uint32_t file, const char *text, size_t len)
{
    struct probe probe;
    CLEANUP(cleanup_free) char *copy = malloc(len + !len); /* exact, for ASan */
    if (!copy)
        return -ENOMEM;
    memcpy(copy, text, len);
    return probe_parse(&probe, state_file_parse, history, file, copy, len);
}

#define FIELD "model_checkpoint_path: "

static void a_prefix_is_a_path_within_the_model(void)
{
    static const struct {
        uint32_t file;
        const char *text, *want;
    } cases[] = {
        {ROOT, FIELD "\"model.ckpt-600\"\n", "model.ckpt-600"},
        {RUN, FIELD "\"model.ckpt-600\"\n", "a/run/model.ckpt-600"},
        {RUN, FIELD "\"./x//y/./ckpt-1\"", "a/run/x/y/ckpt-1"},
        {RUN, FIELD "\"../other/ckpt-1\"", "a/other/ckpt-1"},
        {RUN, FIELD "\"../../ckpt-1\"", "ckpt-1"},
        {RUN, FIELD "\"/home/me/run/ckpt-1\"", "a/run/ckpt-1"},
        {RUN, FIELD "\"../../../ckpt-1\"", NULL},
        {RUN, FIELD "\"..\"", NULL},
        {RUN, FIELD "\"x/\"", NULL},
        {RUN, FIELD "\"/x/\"", NULL},
        {RUN, FIELD "\"/\"", NULL},
        {RUN, FIELD "\".\"", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        HISTORY_CLEANUP struct history history;
        history_init(&history, files, 3);
        CHECK_EQ(parse(&history, cases[i].file, cases[i].text, strlen(cases[i].text)), 0);
        CHECK_EQ(history.latest != NULL, cases[i].want != NULL);
        if (cases[i].want)
            CHECK_STR(history.latest, cases[i].want);
    }
}

static void texts_are_read_with_their_escapes(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {FIELD "'single'", "single"},
        {FIELD "\"it's\"", "it's"},
        {FIELD "\"a\\\"b\\\\c\\'d\"", "a\"b\\c'd"},
        {FIELD "\"\\303\\251\\x41\\x4az\\7\\n\\t\"", "\303\251AJz\7\n\t"},
        {FIELD "\"two \" 'parts'\n\"three\"", "two partsthree"},
        {FIELD "\"first\"\n" FIELD "\"last\"", "last"},
        {"# a comment: \"x\"\n" FIELD "\"a\" # behind", "a"},
        {"model_checkpoint_path:\"a\";all_model_checkpoint_paths:\"b\",", "a"},
        {"all_model_checkpoint_timestamps: 1557442800.5\nlast_preserved_timestamp: -1e-5\n" FIELD
         "\"a\"\nall_model_checkpoint_paths: \"b\"\nall_model_checkpoint_paths: \"a\"\n",
         "a"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        HISTORY_CLEANUP struct history history;
        history_init(&history, files, 3);
        CHECK_EQ(parse(&history, ROOT, cases[i].text, strlen(cases[i].text)), 0);
        CHECK_STR(history.latest, cases[i].want);
    }
}

static void other_texts_are_refused(void)
{
#define TEXT(text) text, sizeof(text) - 1
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {TEXT("")},
        {TEXT("# nothing")},
        {TEXT("all_model_checkpoint_paths: \"a\"")},
        {TEXT(FIELD "\"\"")},
        {TEXT(FIELD)},
        {TEXT(FIELD "\"a")},
        {TEXT(FIELD "\"a\\")},
        {TEXT(FIELD "\"a\\\"")},
        {TEXT(FIELD "\"a\\q\"")},
        {TEXT(FIELD "\"a\\xg\"")},
        {TEXT(FIELD "\"a\nb\"")},
        {TEXT(FIELD "\"a\0b\"")},
        {TEXT(FIELD "\"a\\0b\"")},
        {TEXT(FIELD "\"a\\400b\"")},
        {TEXT(FIELD "\"a\"}")},
        {TEXT(FIELD "\"a\"\0")},
        {TEXT("model_checkpoint_path \"a\"")},
        {TEXT("model_checkpoint_path { }")},
        {TEXT("\x80\2}q\0.")}, /* PyTorch calls its files like that too */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        HISTORY_CLEANUP struct history history;
        history_init(&history, files, 3);
        CHECK_EQ(parse(&history, ROOT, cases[i].text, cases[i].len), -EBADMSG);
        CHECK(!history.latest);
    }
}

static void the_first_state_file_by_path_counts(void)
{
    static const uint32_t orders[][3] = {
        {ROOT, RUN, OTHER}, {OTHER, RUN, ROOT}, {RUN, ROOT, OTHER}};
    for (size_t i = 0; i < 3; i++) {
        HISTORY_CLEANUP struct history history;
        history_init(&history, files, 3);
        for (size_t k = 0; k < 3; k++)
            CHECK_EQ(parse(&history, orders[i][k], TEXT(FIELD "\"x\"")), 0);
        CHECK_STR(history.latest, "a/run/x");
    }
}

static void a_large_file_is_not_asked_for(void)
{
    static char large[STATE_FILE_MAX_BYTES + 1];
    HISTORY_CLEANUP struct history history;
    struct probe probe;
    history_init(&history, files, 3);
    CHECK_EQ(probe_parse(&probe, state_file_parse, &history, ROOT, large, sizeof(large)), -EFBIG);
    CHECK_EQ(probe.given_bytes, 0);
}

static void no_memory_is_an_error(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        HISTORY_CLEANUP struct history history;
        history_init(&history, files, 3);
        int r = parse(&history, OTHER, TEXT(FIELD "\"first/x\"")) < 0 ||
                parse(&history, RUN, TEXT(FIELD "\"second/x\" ' and'")) < 0;
        CHECK(r || strcmp(history.latest, "a/run/second/x and") == 0);
        CHECK(!r || !history.latest || strcmp(history.latest, "b/first/x") == 0);
    }
}

int main(void)
{
    TEST("a prefix is a path within the model", a_prefix_is_a_path_within_the_model);
    TEST("texts are read with their escapes", texts_are_read_with_their_escapes);
    TEST("other texts are refused", other_texts_are_refused);
    TEST("the first state file by path counts", the_first_state_file_by_path_counts);
    TEST("a large file is not asked for", a_large_file_is_not_asked_for);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
