/* SPDX-License-Identifier: Apache-2.0 */
#include "model/hf_config.h"

#include <errno.h>
#include <string.h>

#include "model/contents.h"
#include "util/json.h"

enum { MAX_BYTES = 1 << 20 };

static bool is_told(const char *key, const json_t *value)
{
    if (strcmp(key, "architectures") == 0)
        return json_is_array(value);
    return json_is_string(value) || json_is_number(value) || json_is_boolean(value);
}

static int tell(struct contents *contents, json_t *config)
{
    const char *key;
    json_t *value;
    json_object_foreach(config, key, value)
    {
        int r =
            is_told(key, value) ? contents_tell(contents, "config", key, json_incref(value)) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

int hf_config_parse(void *contents, uint32_t file, struct glimpse *glimpse)
{
    (void)file;
    if (glimpse->size_bytes > MAX_BYTES)
        return -EFBIG;
    const char *text = (const char *)glimpse_at(glimpse, 0, glimpse->size_bytes);
    if (!text)
        return glimpse_error(glimpse);
    JSON_CLEANUP json_t *config = json_parse_python(text, (size_t)glimpse->size_bytes, NULL);
    return json_is_object(config) ? tell(contents, config) : -EBADMSG;
}
