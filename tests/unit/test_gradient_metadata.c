/* SPDX-License-Identifier: Apache-2.0 */
#include "model/gradient_metadata.h"

#include "source_probe.h"

static const struct source_case cases[] = {
    {"gradient-model-metadata.json",
     "{\"metrics\":[{\"name\":\"accuracy-score\",\"numberValue\":60}]}", 0,
     ":accuracy-score last 60\n"},
    {"a/b/gradient-model-metadata.json", "{\"loss\":0.25,\"acc\":\"0.5\"}", 0,
     "a/b:loss last 0.25\na/b:acc last 0.5\n"},
    {"g", "{\"loss\":{\"scalar\":\"loss\",\"result\":{\"mean\":0.25,\"max\":1}}}", 0,
     ":loss last 0.25\n"},
    {"g",
     "{\"metrics\":[{\"name\":1},{\"numberValue\":1},2,{\"name\":\"a\",\"numberValue\":\"x\"}]}", 0,
     ""},
    {"g", "{\"loss\":NaN,\"a\":-Infinity}", 0, ":loss last NaN\n:a last -Infinity\n"},
    {"g", "{\"by\":\"me\",\"on\":true,\"\":1}", 0, ""},
    {"g", "[1]", 0, ""},
    {"g", "{\"a\":1", -EBADMSG, ""},
    {"g", "", -EBADMSG, ""},
};

static void each_shape_is_read(void)
{
    source_check(gradient_metadata_parse, cases, sizeof(cases) / sizeof(cases[0]));
}

static void the_sample_s_is_read(void)
{
    source_check_file(gradient_metadata_parse, SAMPLE_DIR "/gradient-model-metadata.json",
                      "gradient-model-metadata.json",
                      ":accuracy-score last 0.9722222222222222\n:loss last 0.14160345120097376\n");
}

static void survives_each_allocation_failure(void)
{
    source_check_alloc(gradient_metadata_parse, "x/g", "{\"a\":NaN,\"b\":2}", 2);
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that jansson's allocations can fail, too */
    TEST("each shape is read", each_shape_is_read);
    TEST("the sample's is read", the_sample_s_is_read);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
