/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/subject_as.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

void subject_as_deinit(struct subject_as *as)
{
    subject_close(&as->subject);
    json_decref(as->facts);
    free(as->text);
    *as = (struct subject_as){0};
}

/* Opens @text with @more behind it. */
static int open_text(const char *command, const char *text, const char *more,
                     struct subject_as *out)
{
    struct buf whole BUF_CLEANUP = {0};
    if (buf_printf(&whole, "%s%s", text, more) < 0)
        return EX_OSERR;
    out->text = buf_steal(&whole);
    int code = subject_open(&out->subject, command, out->text);
    return code == EX_OK ? subject_describe(&out->subject, &out->facts) : code;
}

static bool is_kind(const struct subject_as *as, const char *kind)
{
    return strcmp(subject_kind(as->facts), kind) == 0;
}

static int refuse(const char *command, const char *text, const struct subject_as *as)
{
    fprintf(stderr,
            "modelfs %s: %s is a %s: name a model or a checkpoint; `modelfs ls` lists them\n",
            command, text, subject_kind(as->facts));
    return EX_USAGE;
}

static int reopen(const char *command, const char *text, const char *more, struct subject_as *out)
{
    subject_as_deinit(out);
    return open_text(command, text, more, out);
}

/* A URL without its checkpoint names the model, and is open already. */
static int forget_checkpoint(struct subject_as *as)
{
    free(as->subject.url.checkpoint);
    as->subject.url.checkpoint = NULL;
    json_decref(steal_ptr(as->facts));
    return subject_describe(&as->subject, &as->facts);
}

int subject_as_model(const char *command, const char *text, struct subject_as *out)
{
    int code = open_text(command, text, "", out);
    if (code == EX_OK && is_kind(out, "checkpoint"))
        /* the kernel follows a link such as `latest` before it goes up */
        code = out->subject.is_path ? reopen(command, text, "/..", out) : forget_checkpoint(out);
    if (code == EX_OK && !is_kind(out, "model"))
        return refuse(command, text, out);
    return code;
}

int subject_as_checkpoint(const char *command, const char *text, struct subject_as *out)
{
    int code = open_text(command, text, "", out);
    if (code == EX_OK && is_kind(out, "model")) {
        if (!json_get_text(out->facts, "latest")) {
            fprintf(stderr, "modelfs %s: %s has no complete checkpoint\n", command, text);
            return EX_NOINPUT;
        }
        code = reopen(command, text, "/latest", out);
    }
    if (code == EX_OK && !is_kind(out, "checkpoint"))
        return refuse(command, text, out);
    return code;
}
