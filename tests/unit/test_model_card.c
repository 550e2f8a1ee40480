/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_card.h"

#include "source_probe.h"

#define METRICS(metrics) "model-index:\n- results:\n  - metrics: [" metrics "]\n"
#define CARD(yaml)       "---\n" yaml "---\n# x\n"

static void the_hub_s_are_read(void)
{
    source_check_file(model_card_parse, CORPUS_DIR "/model_card/one.md", "README.md",
                      ":accuracy last 0.9375\n:f1 last 1e-05\n");
    source_check_file(model_card_parse, CORPUS_DIR "/model_card/two.md", "sub/README.md",
                      "sub:IMDb/accuracy last 0.9375\nsub:SST-2/accuracy last 0.5\n");
}

static const struct source_case cases[] = {
    {"README.md", CARD(METRICS("{type: wer, value: 1}")), 0, ":wer last 1\n"},
    {"README.md", CARD(METRICS("{type: wer, name: W, value: 1}, {name: X, value: 2}")), 0,
     ":wer last 1\n:X last 2\n"},
    {"README.md", CARD(METRICS("{type: f, name: A, value: 1}, {type: f, name: B, value: 2}")), 0,
     ":A last 1\n:B last 2\n"},
    {"README.md", CARD(METRICS("{type: f, value: .nan}, {type: g, value: [1]}, {value: 3}, 4")), 0,
     ":f last NaN\n"},
    {"README.md",
     "---  \r\nmodel-index:\r\n- results:\r\n  - metrics:\r\n    - type: a\r\n"
     "      value: 1e-3\r\n---\r\n",
     0, ":a last 0.001\n"},
    {"README.md",
     CARD("model-index:\n- results: [{dataset: {type: d}, metrics: [{type: a, value: 1}]}]\n"
          "- results: [{metrics: [{type: a, value: 2}]}]\n"),
     0, ":d/a last 1\n:a last 2\n"},
    {"README.md", CARD("model-index: 3\n"), 0, ""},
    {"README.md", CARD("- 3\n"), 0, ""},
    {"README.md", "# x\n---\nmodel-index: []\n---\n", 0, ""},
    {"README.md", "---\nmodel-index: []\n", 0, ""},
    {"README.md", "----\nx: 1\n---\n", 0, ""},
    {"README.md", "", 0, ""},
    {"README.md", "---", 0, ""},
    {"README.md", CARD("a: [\n"), -EBADMSG, ""},
    {"README.md", CARD(""), -EBADMSG, ""},
};

static void results_are_metrics(void)
{
    source_check(model_card_parse, cases, sizeof(cases) / sizeof(cases[0]));
}

static void survives_each_allocation_failure(void)
{
    source_check_alloc(model_card_parse, "x/README.md",
                       CARD(METRICS("{type: a, value: .nan}, {type: b, value: 2}")), 2);
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that jansson's allocations can fail, too */
    TEST("the hub's are read", the_hub_s_are_read);
    TEST("results are metrics", results_are_metrics);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
