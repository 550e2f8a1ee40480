/* SPDX-License-Identifier: Apache-2.0 */
#include "model/mlmodel.h"

#include "source_probe.h"

static const struct {
    const char *text;
    int result;
    const char *told; /* of `mlflow` */
} cases[] = {
    {"flavors: {a: {a_version: '1.0', x: y}, b: {}, c: null, d: {_version: 3}, e: {e_version: "
     "1.5}}",
     0, "{\"flavors\":{\"a\":\"1.0\",\"b\":null,\"c\":null,\"d\":null,\"e\":1.5}}"},
    {"signature: {inputs: 'no json', outputs: null}", 0, "{\"inputs\":\"no json\"}"},
    {"signature: {inputs: [1], outputs: '[2]', params: '[3]'}", 0,
     "{\"inputs\":[1],\"outputs\":[2]}"},
    {"signature: null\nrun_id: abc\nmodel_uuid: null\nmlflow_version: 1.30", 0,
     "{\"mlflow_version\":1.3,\"run_id\":\"abc\"}"},
    {"flavors: []\nsignature: x\nrun_id: [1]", 0, "null"},
    {"{}", 0, "null"},
    {"- 1", -EBADMSG, "null"},
    {"a: [", -EBADMSG, "null"},
    {"", -EBADMSG, "null"},
};

static void check(const char *text, size_t len, int result, const char *told)
{
    struct contents_file file = {"MLmodel", len};
    struct contents contents;
    contents_init(&contents, &file, 1);
    CHECK_EQ(source_parse(mlmodel_parse, &contents, 0, text, len), result);
    CHECK_JSON(json_object_get(contents.metadata, "mlflow"), told);
    contents_deinit(&contents);
}

static void what_is_known_is_told(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check(cases[i].text, strlen(cases[i].text), cases[i].result, cases[i].told);
}

static void mlflow_s_own_is_read(void)
{
    BUF_CLEANUP struct buf data = {0};
    source_read(CORPUS_DIR "/mlmodel/MLmodel", &data);
    check(data.data, data.len, 0,
          "{\"flavors\":{\"python_function\":\"3.11.2\",\"sklearn\":\"1.5.0\"},"
          "\"inputs\":[{\"name\":\"pixels\",\"tensor-spec\":{\"dtype\":\"float32\",\"shape\":[-1,"
          "784]},\"type\":\"tensor\"}],\"mlflow_version\":\"3.17.2\","
          "\"model_uuid\":\"89abcdef0123456789abcdef01234567\","
          "\"outputs\":[{\"name\":\"score\",\"required\":true,\"type\":\"double\"}],"
          "\"run_id\":\"0123456789abcdef0123456789abcdef\"}");
}

static void survives_each_allocation_failure(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        const char *text = "flavors: {a: {a_version: 1}}\nsignature: {inputs: '[1]'}\nrun_id: x\n";
        struct contents_file file = {"MLmodel", strlen(text)};
        struct contents contents;
        contents_init(&contents, &file, 1);
        int r = source_parse(mlmodel_parse, &contents, 0, text, strlen(text));
        check_alloc_countdown = -1;
        CHECK(r == 0 || r == -ENOMEM);
        if (r == 0)
            CHECK_EQ(json_object_size(json_object_get(contents.metadata, "mlflow")), 3);
        contents_deinit(&contents);
    }
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that jansson's allocations can fail, too */
    TEST("what is known is told", what_is_known_is_told);
    TEST("MLflow's own is read", mlflow_s_own_is_read);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
