/* SPDX-License-Identifier: Apache-2.0 */
#include "model/trainer_state.h"

#include "source_probe.h"

#define FILE_ROWS(s)                                                                               \
    s ":grad_norm 10 NaN\n" s ":learning_rate 10 1e-05\n" s ":loss 10 0.5\n" s                     \
      ":eval_loss 10 0.25\n" s ":eval_runtime 10 1.5\n" s ":grad_norm 20 2\n" s                    \
      ":learning_rate 20 0\n" s ":loss 20 Infinity\n" s ":eval_loss 20 -Infinity\n"

static void a_real_one_is_read(void)
{
    const char *file = CORPUS_DIR "/trainer_state/trainer_state.json";
    source_check_file(trainer_state_parse, file, "trainer_state.json", FILE_ROWS(""));
    source_check_file(trainer_state_parse, file, "run/trainer_state.json", FILE_ROWS("run"));
}

static void a_checkpoint_s_own_belongs_to_the_run(void)
{
    static const char *const paths[][2] = {
        {"checkpoint-20/trainer_state.json", ":a 1 2\n"},
        {"run/checkpoint-20/trainer_state.json", "run:a 1 2\n"},
        {"a/run/checkpoint-7/trainer_state.json", "a/run:a 1 2\n"},
        {"checkpoint-/trainer_state.json", "checkpoint-:a 1 2\n"},
        {"checkpoint-best/trainer_state.json", "checkpoint-best:a 1 2\n"},
        {"checkpoint-1x/trainer_state.json", "checkpoint-1x:a 1 2\n"},
        {"my-checkpoint-1/trainer_state.json", "my-checkpoint-1:a 1 2\n"},
    };
    const char *text = "{\"log_history\":[{\"step\":1,\"a\":2}]}";
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        source_check_text(trainer_state_parse, paths[i][0], text, strlen(text), 0, paths[i][1]);
}

static const struct source_case cases[] = {
    {"t", "{\"log_history\":[]}", 0, ""},
    {"t", " {\"x\":\"\\\"log_history\",\"y\":[{}],\"log_history\" : [ {\"step\":3,\"a\":1} ] } ", 0,
     ":a 3 1\n"},
    {"t", "\xef\xbb\xbf{\"log_history\":[{\"step\":3,\"a\":1}]}", 0, ":a 3 1\n"},
    {"t", "{\"log_history\":[{\"a\":1},{\"step\":-1,\"a\":1},{\"step\":1.5,\"a\":1}]}", 0, ""},
    {"t", "{\"log_history\":[{\"step\":4.0,\"a\":true,\"b\":\"5\",\"c\":null,\"d\":[1]}]}", 0, ""},
    {"t", "{\"log_history\":[{\"step\":1,\"a\":\"NaN\",\"b\":\"Infinity, NaN\"}]}", 0,
     ":a 1 NaN\n"},
    {"t", "{\"log_history\":[{\"step\":1,\"b\":\"x\\\\\\\" NaN\",\"a\":NaN}]}", 0, ":a 1 NaN\n"},
    {"t", "{\"log_history\":[1,[2],\"3\",null]}", 0, ""},
    {"t", "", -EBADMSG, ""},
    {"t", "{}", -EBADMSG, ""},
    {"t", "[]", -EBADMSG, ""},
    {"t", "{\"x\":{\"log_history\":[]}}", -EBADMSG, ""},
    {"t", "{\"log_history\":{}}", -EBADMSG, ""},
    {"t", "{\"log_history\":[{\"step\":1,\"a\":1}", -EBADMSG, ""},
    {"t", "{\"log_history\":[{\"step\":1,\"a\":1},{\"step\":2,\"a\":}]}", -EBADMSG, ""},
    {"t", "{\"log_history\":[{\"step\":1,\"a\":-NaN}]}", -EBADMSG, ""},
};

static void each_number_of_a_step_is_a_metric(void)
{
    source_check(trainer_state_parse, cases, sizeof(cases) / sizeof(cases[0]));
}

static void what_is_too_large_is_not_read(void)
{
    struct history_file file = {"t", 1ULL << 40};
    struct source_probe probe;
    struct history history;
    history_init(&history, &file, 1);
    CHECK_EQ(source_parse_pieces(&probe, trainer_state_parse, &history, 0, NULL, 0, 1ULL << 40),
             -EFBIG);
    CHECK_EQ(probe.n_rounds, 0);
    history_deinit(&history);
}

static void survives_each_allocation_failure(void)
{
    source_check_alloc(trainer_state_parse, "run/trainer_state.json",
                       "{\"log_history\":[{\"step\":1,\"a\":NaN,\"b\":2},{\"step\":2,\"a\":3}]}",
                       3);
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that jansson's allocations can fail, too */
    TEST("a real one is read, with what JSON has no numbers for", a_real_one_is_read);
    TEST("a checkpoint's own belongs to the run", a_checkpoint_s_own_belongs_to_the_run);
    TEST("each number of a step is a metric", each_number_of_a_step_is_a_metric);
    TEST("what is too large is not read", what_is_too_large_is_not_read);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
