/* SPDX-License-Identifier: Apache-2.0 */
/* A flavor's version is under a key of its own kind: `sklearn_version`, `pytorch_version`,
 * `lgb_version`, `python_version`. The signature's halves are JSON in a text. */
#include "model/mlmodel.h"

#include <errno.h>
#include <string.h>

#include "model/contents.h"
#include "util/json.h"
#include "util/yaml.h"

static bool is_version(const char *key)
{
    static const char suffix[] = "_version";
    size_t len = strlen(key), n = strlen(suffix);
    return len > n && strcmp(key + len - n, suffix) == 0;
}

/* A new reference. A version without quotes may be a number: `1.5`. */
static json_t *version_of(json_t *flavor)
{
    const char *key;
    json_t *value;
    json_object_foreach(flavor, key, value) if (is_version(key) &&
                                                (json_is_string(value) ||
                                                 json_is_number(value))) return json_incref(value);
    return json_null();
}

static int tell_flavors(struct contents *contents, json_t *flavors)
{
    JSON_CLEANUP json_t *versions = json_object();
    const char *name;
    json_t *flavor;
    if (!versions)
        return -ENOMEM;
    json_object_foreach(
        flavors, name, flavor) if (json_object_set_new_nocheck(versions, name, version_of(flavor)) <
                                   0) return -ENOMEM;
    return json_object_size(versions)
               ? contents_tell(contents, "mlflow", "flavors", steal_ptr(versions))
               : 0;
}

static int tell_signature(struct contents *contents, const json_t *signature, const char *key)
{
    json_t *value = json_object_get(signature, key);
    const char *text = json_text(value);
    JSON_CLEANUP json_t *parsed = text ? json_parse(text, strlen(text), NULL) : NULL;
    if (!value || json_is_null(value))
        return 0;
    return contents_tell(contents, "mlflow", key, json_incref(parsed ? parsed : value));
}

static int tell(struct contents *contents, const json_t *model)
{
    static const char *const keys[] = {"model_uuid", "run_id", "mlflow_version"};
    const json_t *signature = json_get_object(model, "signature");
    int r = tell_flavors(contents, json_get_object(model, "flavors"));
    for (size_t i = 0; r == 0 && i < sizeof(keys) / sizeof(keys[0]); i++) {
        json_t *value = json_object_get(model, keys[i]);
        if (json_is_string(value) || json_is_number(value))
            r = contents_tell(contents, "mlflow", keys[i], json_incref(value));
    }
    if (r == 0)
        r = tell_signature(contents, signature, "inputs");
    return r < 0 ? r : tell_signature(contents, signature, "outputs");
}

int mlmodel_parse(void *contents, uint32_t file, struct glimpse *glimpse)
{
    JSON_CLEANUP json_t *model = NULL;
    (void)file;
    if (glimpse->size_bytes > YAML_MAX_BYTES)
        return -EFBIG;
    const char *text = (const char *)glimpse_at(glimpse, 0, glimpse->size_bytes);
    if (!text)
        return glimpse_error(glimpse);
    int r = yaml_parse(text, (size_t)glimpse->size_bytes, &model);
    if (r < 0)
        return r;
    return json_is_object(model) ? tell(contents, model) : -EBADMSG;
}
