/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/url_model.h"

#include <errno.h>
#include <string.h>

#include "read/study_contents.h"
#include "registry/describe.h"
#include "util/json.h"

enum { PATIENCE_MS = 3000 }; /* for the listing */

void url_model_deinit(struct url_model *model)
{
    outline_deinit(&model->outline);
    listing_unref(model->listing);
    *model = (struct url_model){0};
}

int url_model_init(struct url_model *model, struct engine *engine, const char *model_id)
{
    const struct registry_place place = {engine->source->project_id, model_id};
    int r = catalog_get(engine->source->catalog, &place, PATIENCE_MS, &model->listing);
    if (r == 0)
        r = engine_read_history(engine, model_id, model->listing);
    if (r == 0)
        r = outline_init(&model->outline, model->listing, NULL);
    if (r < 0)
        url_model_deinit(model);
    return r;
}

json_t *url_model_describe(const struct url_model *model, const struct source *source)
{
    return describe_model(&model->outline, registry_origin(source->registry), source->project_name);
}

static const struct checkpoint *find(const struct checkpoints *checkpoints, const char *name)
{
    for (size_t i = 0; name && i < checkpoints->n; i++)
        if (strcmp(checkpoints->items[i].name, name) == 0)
            return &checkpoints->items[i];
    return NULL;
}

int url_model_add_contents(const struct url_model *model, struct engine *engine, json_t *facts)
{
    struct study_contents *contents = NULL;
    const struct checkpoint *c = find(&model->outline.checkpoints, json_get_text(facts, "name"));
    if (!c)
        return 0;
    int r = engine_read_contents(engine, model->listing->self.id, model->listing, c, &contents);
    if (r == 0)
        r = describe_contents(facts, &contents->contents);
    else if (r != -ENOMEM)
        r = json_object_set_new(facts, "unread", json_true()) == 0 ? 0 : -ENOMEM;
    study_contents_free(contents);
    return r;
}
