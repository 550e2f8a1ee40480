/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/subject_contents.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "vfs/names.h"

/* By path: the checkpoint's directory stands in the model's. */
static int look_by_path(struct subject *s, const json_t *checkpoint, json_t **out)
{
    const char *name = json_get_text(checkpoint, "name");
    struct buf path BUF_CLEANUP = {0};
    int r = buf_printf(&path, "%s/", s->text);
    if (r == 0)
        r = name_to_entry(name ? name : "", &path);
    struct subject one = {.command = s->command, .text = path.data, .is_path = true};
    return r == 0 ? subject_describe(&one, out) : EX_OSERR;
}

static int look_by_url(struct subject *s, json_t *checkpoint, json_t **out)
{
    int r = url_model_add_contents(&s->model, &s->engine, checkpoint);
    if (r < 0)
        return source_complain(s->command, s->text, r);
    *out = json_incref(checkpoint);
    return EX_OK;
}

static int look_into_all(struct subject *s, const json_t *model, json_t *out)
{
    size_t i;
    json_t *checkpoint;
    json_array_foreach(json_get_array(model, "checkpoints"), i, checkpoint)
    {
        json_t *facts = NULL;
        int code =
            s->is_path ? look_by_path(s, checkpoint, &facts) : look_by_url(s, checkpoint, &facts);
        if (code == EX_OK && json_array_append_new(out, facts) < 0)
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
