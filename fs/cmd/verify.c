/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs verify: whether checkpoints are whole, and their bytes right. */
#include "cmd/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/facts.h"
#include "cmd/interrupt.h"
#include "cmd/subject_contents.h"
#include "cmd/supply.h"
#include "cmd/table.h"
#include "cmd/verify_bytes.h"

static const char help[] =
    "usage: modelfs verify [--bytes] [--json] URL|PATH\n"
    "\n"
    "Says of each checkpoint whether it is whole: no shard, index or piece of a file lacks, by "
    "the\n"
    "files' names and by what their headers say. The exit code is 0 when all are, else 65.\n"
    "\n"
    "  URL            gradient+http://HOST:PORT/PROJECT/MODEL[/CHECKPOINT]\n"
    "                 dir:///PATH#PROJECT/MODEL[/CHECKPOINT]\n"
    "  PATH           a model's or checkpoint's directory in a mount\n"
    "  -b, --bytes    reads all files, too, and compares them with the registry's SHA-256\n"
    "      --json     for scripts\n"
    "  -h, --help     prints this\n";

struct verification {
    bool as_json, reads_bytes;
    json_t *checkpoints; /* owned: their facts */
    struct verify_bytes bytes;
};

static void verification_deinit(struct verification *v)
{
    json_decref(v->checkpoints);
    verify_bytes_deinit(&v->bytes);
}

/* What lacks of a checkpoint, as an array, new; empty when it is whole. */
static json_t *missing_of(const json_t *facts)
{
    const json_t *missing = json_object_get(facts, "missing");
    if (json_is_array(missing))
        return json_copy((json_t *)missing);
    return json_is_string(missing) ? json_pack("[O]", missing) : json_array();
}

/* Where the files could not be looked into, nothing is certain. */
static bool is_whole(const json_t *facts)
{
    return json_get_bool(facts, "complete", true) && !json_get_bool(facts, "unread", false);
}

static size_t count_broken(const json_t *checkpoints)
{
    size_t i, n = 0;
    json_t *facts;
    json_array_foreach(checkpoints, i, facts) n += !is_whole(facts);
    return n;
}

/* --- what is printed --- */

static int append_missing(const json_t *facts, struct buf *out)
{
    JSON_CLEANUP json_t *missing = missing_of(facts);
    size_t i;
    json_t *text;
    int r = buf_puts(out, "");
    json_array_foreach(missing, i, text) if (r == 0 && json_text(text)) r =
        buf_printf(out, "%s%s", i ? ", " : "", json_text(text));
    return r;
}

static int print_checkpoints(const json_t *checkpoints)
{
    TABLE_CLEANUP struct table *table = table_new();
    size_t i;
    json_t *facts;
    if (!table)
        return EX_OSERR;
    table_add_column(table, "CHECKPOINT", TABLE_LEFT);
    table_add_column(table, "WHOLE", TABLE_LEFT);
    table_add_column(table, "LACKS", TABLE_LEFT);
    json_array_foreach(checkpoints, i, facts)
    {
        struct buf missing BUF_CLEANUP = {0};
        if (append_missing(facts, &missing) < 0)
            return EX_OSERR;
        bool unread = json_get_bool(facts, "unread", false);
        table_add(table, json_get_text(facts, "name"));
        table_add(table, is_whole(facts) ? "yes" : unread ? "?" : "no");
        table_add(table, unread ? "its files could not be read; see the log" : missing.data);
    }
    return table_print(table, stdout) == 0 ? EX_OK : EX_IOERR;
}

static int print_damaged(const json_t *damaged)
{
    TABLE_CLEANUP struct table *table = table_new();
    size_t i;
    json_t *item;
    if (!table)
        return EX_OSERR;
    table_add_column(table, NULL, TABLE_LEFT);
    table_add_column(table, NULL, TABLE_LEFT);
    json_array_foreach(damaged, i, item)
    {
        table_add(table, json_get_text(item, "path"));
        table_add(table, json_get_text(item, "why"));
    }
    return table_print(table, stdout) == 0 ? EX_OK : EX_IOERR;
}

static int print_bytes(const struct verify_bytes *bytes)
{
    printf("\n%zu file%s right", bytes->n_right, bytes->n_right == 1 ? " is" : "s are");
    if (bytes->n_unknown)
        printf(", %zu read without a SHA-256 to compare with", bytes->n_unknown);
    printf(", %zu damaged\n", json_array_size(bytes->damaged));
    return print_damaged(bytes->damaged);
}

static json_t *describe_checkpoints(const json_t *checkpoints)
{
    JSON_CLEANUP json_t *all = json_array();
    size_t i;
    json_t *facts;
    int r = 0;
    json_array_foreach(checkpoints, i, facts) r |= json_array_append_new(
        all, json_pack("{s:O?, s:b, s:o}", "name", json_object_get(facts, "name"), "complete",
                       is_whole(facts), "missing", missing_of(facts)));
    return r == 0 ? steal_ptr(all) : NULL;
}

static int print_json(const struct verification *v)
{
    JSON_CLEANUP json_t *out =
        json_pack("{s:o}", "checkpoints", describe_checkpoints(v->checkpoints));
    int r = out ? 0 : -1;
    if (r == 0 && v->reads_bytes)
        r = json_object_set_new(
            out, "files",
            json_pack("{s:I, s:I, s:o}", "right", (json_int_t)v->bytes.n_right, "unknown",
                      (json_int_t)v->bytes.n_unknown, "damaged",
                      v->bytes.damaged ? json_incref(v->bytes.damaged) : json_array()));
    return r == 0 ? facts_print_json(out) : EX_OSERR;
}

/* --- the work --- */

static int read_bytes(struct verification *v, struct subject *subject)
{
    CLEANUP(supply_close) struct supply supply = {0};
    int code =
        subject->is_path ? supply_open_path(subject, &supply) : supply_open_url(subject, &supply);
    if (code != EX_OK)
        return code;
    int r = verify_bytes(&supply, &v->bytes);
    if (r < 0)
        fprintf(stderr, "modelfs verify: %s\n", r == -EINTR ? "interrupted" : strerror(-r));
    return r == 0 ? EX_OK : r == -EINTR ? EX_TEMPFAIL : EX_OSERR;
}

static int verify(struct verification *v, const char *what)
{
    SUBJECT_CLEANUP struct subject subject = {0};
    int code = subject_open(&subject, "verify", what);
    if (code == EX_OK)
        code = subject_look_into(&subject, &v->checkpoints);
    if (code == EX_OK && v->reads_bytes) {
        interrupt_catch();
        code = read_bytes(v, &subject);
    }
    if (code == EX_OK && v->as_json)
        code = print_json(v);
    else if (code == EX_OK)
        code = print_checkpoints(v->checkpoints);
    if (code == EX_OK && v->reads_bytes && !v->as_json)
        code = print_bytes(&v->bytes);
    if (code == EX_OK && (count_broken(v->checkpoints) || json_array_size(v->bytes.damaged)))
        code = EX_DATAERR;
    return fflush(stdout) == 0 ? code : EX_IOERR;
}

int cmd_verify(int argc, char **argv)
{
    static const struct option known[] = {{"bytes", no_argument, NULL, 'b'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    CLEANUP(verification_deinit) struct verification v = {0};
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, "bh", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        if (c != 'b' && c != 'j') {
            fputs("Try `modelfs verify --help`.\n", stderr);
            return EX_USAGE;
        }
        v.reads_bytes |= c == 'b';
        v.as_json |= c == 'j';
    }
    if (optind + 1 != argc) {
        fputs("modelfs verify: name one model or checkpoint\nTry `modelfs verify --help`.\n",
              stderr);
        return EX_USAGE;
    }
    int code = verify(&v, argv[optind]);
    interrupt_obey();
    return code;
}
