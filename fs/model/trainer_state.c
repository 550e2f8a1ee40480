/* SPDX-License-Identifier: Apache-2.0 */
/* The list is read entry by entry: of a long training it is megabytes, and a hundred times that in
 * memory. */
#include "model/trainer_state.h"

#include <errno.h>
#include <string.h>

#include "model/metric_source.h"
#include "util/json.h"

/* Cuts a last part `checkpoint-<digits>` off a session. */
static void leave_checkpoint(char *session)
{
    static const char word[] = "checkpoint-";
    char *slash = strrchr(session, '/'), *name = slash ? slash + 1 : session;
    if (strncmp(name, word, strlen(word)) != 0)
        return;
    const char *digits = name + strlen(word);
    if (*digits && digits[strspn(digits, "0123456789")] == '\0')
        *(slash ? slash : session) = '\0';
}

static int take_entry(void *ctx, const char *text, size_t len)
{
    struct metric_source *source = ctx;
    JSON_CLEANUP json_t *entry = metric_source_parse(text, len);
    if (!entry)
        return -EBADMSG;
    return metric_source_seek(source, entry) ? metric_source_add_object(source, NULL, entry) : 0;
}

int trainer_state_parse(void *history, uint32_t file, struct glimpse *glimpse)
{
    METRIC_SOURCE_CLEANUP struct metric_source source;
    char error[JSON_ERROR_TEXT_LENGTH];
    size_t len;
    int r = metric_source_open(history, file, glimpse, &source);
    if (r < 0)
        return r;
    leave_checkpoint(source.session);
    const char *list = json_find_member(source.text, source.len, "log_history", &len);
    r = list ? json_each_text(list, len, take_entry, &source, error) : -EBADMSG;
    return metric_source_end(&source, r == -EPROTO ? -EBADMSG : r);
}
