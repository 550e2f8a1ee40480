/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metrics_json.h"

#include "source_probe.h"

static void lines_of_weights_and_biases_are_read(void)
{
    source_check_file(metrics_json_parse, CORPUS_DIR "/metrics_json/wandb.jsonl",
                      "run/metrics.jsonl",
                      "run:loss 0 2.5@1557442800500000000\nrun:loss 10 NaN@1557442801500000000\n");
}

static const struct source_case cases[] = {
    {"metrics.json", "{\"loss\":0.25,\"n\":3}", 0, ":loss last 0.25\n:n last 3\n"},
    {"a/metrics.json", " {\"loss\":NaN,\"b\":true,\"c\":\"1\"}\n", 0, "a:loss last NaN\n"},
    {"metrics.json", "{\"a\":1,\"test\":{\"b\":2,\"c\":{\"d\":3},\"epoch\":4},\"e\":[5]}", 0,
     ":a last 1\n:test/b last 2\n"},
    {"metrics.json", "{\"a\":{\"scalar\":\"a\",\"result\":{\"mean\":2,\"max\":3}}}", 0,
     ":a last 2\n"},
    {"metrics.json", "{\"step\":600,\"epoch\":2,\"loss\":0.25,\"test\":{\"b\":2}}", 0,
     ":loss 600 0.25\n:test/b 600 2\n"},
    {"metrics.json", "[{\"step\":1,\"a\":2},{\"a\":3},4,{\"global_step\":5,\"a\":6}]", 0,
     ":a 1 2\n:a 5 6\n"},
    {"metrics.json", "[]", 0, ""},
    {"metrics.json", "{}", 0, ""},
    {"metrics.json", "3", 0, ""},
    {"metrics.json", "", 0, ""},
    {"metrics.json", "{\"iteration\":1,\"a\":2}\n{\"iteration\":2,\"a\":3}\n", 0,
     ":a 1 2\n:a 2 3\n"},
    {"metrics.jsonl", "{\"step\":1,\"a\":2,\"_step\":9}\r\n\n{\"a\":3}\n{\"step\":2,\"a\":", 0,
     ":a 1 2\n"},
    {"metrics.jsonl", "x\n[1]\n{\"trainer/global_step\":4,\"timestamp\":1,\"a\":Infinity}\n", 0,
     ":a 4 Infinity@1000000000\n"},
    {"metrics.jsonl", "{\"step\":\"1\",\"a\":2}\n{\"step\":-1,\"a\":2}\n", 0, ""},
    {"metrics.json", "[{\"step\":1,\"a\":2},", -EBADMSG, ""},
    {"metrics.json", "[{\"step\":1,\"a\":2}] x", -EBADMSG, ""},
};

static void each_form_is_read(void)
{
    source_check(metrics_json_parse, cases, sizeof(cases) / sizeof(cases[0]));
}

static void a_line_that_is_too_long_is_passed_over(void)
{
    BUF_CLEANUP struct buf text = {0};
    CHECK_EQ(buf_puts(&text, "{\"step\":1,\"a\":2}\n{\"step\":2,\"a\":3,\"pad\":\""), 0);
    for (int i = 0; i < 1100; i++)
        CHECK_EQ(buf_printf(&text, "%01000d", 0), 0);
    CHECK_EQ(buf_puts(&text, "\"}\n{\"step\":3,\"a\":4}"), 0);
    source_check_text(metrics_json_parse, "m.jsonl", text.data, text.len, 0, ":a 1 2\n:a 3 4\n");
}

static void survives_each_allocation_failure(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        const char *text = "{\"step\":1,\"a\":NaN}\n{\"step\":2,\"a\":3}";
        struct history_file file = {"run/m.jsonl", strlen(text)};
        struct history history;
        history_init(&history, &file, 1);
        int r = source_parse(metrics_json_parse, &history, 0, text, strlen(text));
        check_alloc_countdown = -1;
        CHECK(r == 0 || r == -ENOMEM);
        CHECK(r < 0 ? history.n_rows == 0 : history.n_rows <= 2);
        history_deinit(&history);
    }
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that jansson's allocations can fail, too */
    TEST("lines of Weights & Biases are read", lines_of_weights_and_biases_are_read);
    TEST("each form is read", each_form_is_read);
    TEST("a line that is too long is passed over", a_line_that_is_too_long_is_passed_over);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
