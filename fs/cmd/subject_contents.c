/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/subject_contents.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "vfs/names.h"

/* By path: the checkpoint's directory stands in the model's. */
static int add_by_path(struct subject *s, json_t *checkpoint)
{
    const char *name = json_get_text(checkpoint, "name");
    struct buf path BUF_CLEANUP = {0};
    JSON_CLEANUP json_t *facts = NULL;
    int r = buf_printf(&path, "%s/", s->text);
    if (r == 0)
        r = name_to_entry(name ? name : "", &path);
    struct subject one = {.command = s->command, .text = path.data, .is_path = true};
    int code = r == 0 ? subject_describe(&one, &facts) : EX_OSERR;
    if (code == EX_OK && json_object_update(checkpoint, facts) < 0)
        code = EX_OSERR;
    return code;
}

int subject_add_contents(struct subject *s, json_t *checkpoint)
{
    if (s->is_path)
        return add_by_path(s, checkpoint);
    return url_model_add_contents(&s->model, &s->engine, checkpoint) == 0 ? EX_OK : EX_OSERR;
}

static int look_into_all(struct subject *s, const json_t *model, json_t *out)
{
    size_t i;
    json_t *checkpoint;
    json_array_foreach(json_get_array(model, "checkpoints"), i, checkpoint)
    {
        int code = subject_add_contents(s, checkpoint);
        if (code == EX_OK && json_array_append(out, checkpoint) < 0)
            code = EX_OSERR;
        if (code != EX_OK)
            return code;
    }
    return EX_OK;
}

int subject_look_into(struct subject *s, json_t **out)
{
    JSON_CLEANUP json_t *facts = NULL, *all = json_array();
    int code = subject_describe(s, &facts);
    if (code != EX_OK)
        return code;
    const char *kind = subject_kind(facts);
    if (strcmp(kind, "checkpoint") == 0)
        code = json_array_append(all, facts) == 0 ? EX_OK : EX_OSERR;
    else if (strcmp(kind, "model") == 0)
        code = look_into_all(s, facts, all);
    else
        code = EX_USAGE;
    if (code == EX_USAGE)
        fprintf(stderr,
                "modelfs %s: %s is a %s: name a model or a checkpoint; `modelfs ls` lists them\n",
                s->command, s->text, kind);
    *out = code == EX_OK ? steal_ptr(all) : NULL;
    return code;
}
