/* SPDX-License-Identifier: Apache-2.0 */
#include "model/hf_config.h"

#include "source_probe.h"

static const struct {
    const char *text;
    int result;
    const char *told; /* of `config` */
} cases[] = {
    {"{\"a\":1,\"b\":\"x\",\"c\":true,\"d\":null,\"e\":[1],\"f\":{\"g\":1},\"h\":1.5}", 0,
     "{\"a\":1,\"b\":\"x\",\"c\":true,\"h\":1.5}"},
    {"{\"architectures\":[\"X\"],\"torch_dtype\":\"float16\"}", 0,
     "{\"architectures\":[\"X\"],\"torch_dtype\":\"float16\"}"},
    {"{\"architectures\":\"X\",\"a\":Infinity}", 0, "{\"a\":\"Infinity\"}"},
    {"{}", 0, "null"},
    {"[1]", -EBADMSG, "null"},
    {"{\"a\":", -EBADMSG, "null"},
    {"", -EBADMSG, "null"},
};

static void scalars_and_architectures_are_told(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct contents contents;
        contents_init(&contents, NULL, 0);
        int r = source_parse(hf_config_parse, &contents, 0, cases[i].text, strlen(cases[i].text));
        CHECK_EQ(r, cases[i].result);
        CHECK_JSON(json_object_get(contents.metadata, "config"), cases[i].told);
        contents_deinit(&contents);
    }
}

static void a_real_one_is_read(void)
{
    BUF_CLEANUP struct buf data = {0};
    struct contents contents;
    contents_init(&contents, NULL, 0);
    source_read(CORPUS_DIR "/hf_config/config.json", &data);
    CHECK_EQ(source_parse(hf_config_parse, &contents, 0, data.data, data.len), 0);
    json_t *config = json_object_get(contents.metadata, "config");
    CHECK_JSON(json_object_get(config, "architectures"), "[\"BertForMaskedLM\"]");
    CHECK_STR(json_get_text(config, "model_type"), "bert");
    CHECK_STR(json_get_text(config, "dtype"), "float16");
    CHECK_EQ(json_get_int(config, "hidden_size", -1), 32);
    CHECK_EQ(json_get_int(config, "num_hidden_layers", -1), 2);
    CHECK(!json_object_get(config, "id2label") && !json_object_get(config, "bos_token_id"));
    contents_deinit(&contents);
}

static void survives_each_allocation_failure(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        struct contents contents;
        contents_init(&contents, NULL, 0);
        int r = source_parse(hf_config_parse, &contents, 0, "{\"a\":1,\"b\":NaN}", 15);
        check_alloc_countdown = -1;
        CHECK(r == 0 || r == -ENOMEM || r == -EBADMSG);
        if (r == 0)
            CHECK_EQ(json_object_size(json_object_get(contents.metadata, "config")), 2);
        contents_deinit(&contents);
    }
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that jansson's allocations can fail, too */
    TEST("scalars and architectures are told", scalars_and_architectures_are_told);
    TEST("a real one is read", a_real_one_is_read);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
