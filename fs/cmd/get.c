/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs get: copies a model or a checkpoint out of a registry or a mount. */
#include "cmd/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/copy.h"
#include "cmd/dest.h"
#include "cmd/human.h"
#include "cmd/interrupt.h"
#include "cmd/subject.h"
#include "util/cleanup.h"

static const char help[] =
    "usage: modelfs get URL|PATH DEST\n"
    "\n"
    "Copies a model or a checkpoint into the directory DEST: each file as FILE.part first, then,\n"
    "compared with its SHA-256 where the registry knows it, under its own name and with its time.\n"
    "What is there already is not copied again, and a copy that was interrupted goes on.\n"
    "\n"
    "  URL          gradient+http://HOST:PORT/PROJECT/MODEL[/CHECKPOINT]\n"
    "               dir:///PATH#PROJECT/MODEL[/CHECKPOINT]\n"
    "               CHECKPOINT may be `latest` or `best-METRIC`, too\n"
    "  PATH         a model, a checkpoint, or any directory or file below one, in a mount\n"
    "  -h, --help   prints this\n"
    "\n"
    "A model is copied as it lies in the registry, a checkpoint as it lies in a mount.\n";

/* What has been copied so far. */
struct tally {
    size_t n_copied, n_there;
};

struct failure {
    int err;
    int exit_code;
    const char *text;
};

/* What the source's failures mean. */
static const struct failure at_source[] = {
    {-EINTR, EX_TEMPFAIL, "interrupted; the same command goes on where this one ended"},
    {-EBADMSG, EX_DATAERR,
     "its bytes are not those that the registry has the SHA-256 of; they were thrown away"},
    {-ESTALE, EX_TEMPFAIL, "it was changed in the registry meanwhile; run the command again"},
    {-ENOENT, EX_NOINPUT, "it is gone from the registry; run the command again"},
    {-EACCES, EX_NOPERM, "the registry refused it; see the messages above"},
    {-EIO, EX_TEMPFAIL,
     "it could not be read; see the messages above. The same command goes on where this one ended"},
};

/* What the destination's mean. */
static const struct failure at_dest[] = {
    {-EINTR, EX_TEMPFAIL, "interrupted; the same command goes on where this one ended"},
    {-ENOSPC, EX_CANTCREAT, "there is no room left; the same command goes on once there is"},
    {-EDQUOT, EX_CANTCREAT, "the quota is used up; the same command goes on once there is room"},
    {-ELOOP, EX_CANTCREAT, "a symbolic link stands in its place, and is not followed: remove it"},
    {-ENOTDIR, EX_CANTCREAT,
     "a link or a file stands where a directory has to be: remove it, or take another DEST"},
    {-EISDIR, EX_CANTCREAT, "a directory stands in its place: remove it, or take another DEST"},
    {-EEXIST, EX_CANTCREAT, "something stands in the place of its .part file: remove it"},
    {-EBUSY, EX_TEMPFAIL, "another `modelfs get` is copying it just now"},
};

static int complain(const char *dest, const char *path, const struct failure *failures, size_t n,
                    int err)
{
    const char *text = strerror(-err);
    int code = EX_IOERR;
    for (size_t i = 0; i < n; i++)
        if (failures[i].err == err) {
            text = failures[i].text;
            code = failures[i].exit_code;
        }
    fprintf(stderr, "modelfs get: %s/%s: %s\n", dest, path, text);
    return code;
}

static int copy_all(struct copy *copy, const char *dest, struct tally *tally)
{
    const struct supply *supply = copy->supply;
    for (size_t i = 0; i < supply->n; i++) {
        const struct supply_item *item = &supply->items[i];
        int r = copy_file(copy, item);
        if (r < 0) {
            progress_clear(copy->progress);
            const struct failure *failures = copy->at_source ? at_source : at_dest;
            size_t n = copy->at_source ? sizeof(at_source) : sizeof(at_dest);
            return complain(dest, item->path, failures, n / sizeof(*failures), r);
        }
        tally->n_there += r == COPY_WAS_THERE;
        tally->n_copied += r == 0;
    }
    progress_clear(copy->progress);
    return EX_OK;
}

static int tell(const struct supply *supply, const char *dest, const struct tally *tally)
{
    char size[HUMAN_BYTES];
    human_size(supply->size_bytes, size);
    printf("%s: %zu file%s, %s: ", dest, supply->n, supply->n == 1 ? "" : "s", size);
    if (!tally->n_there)
        printf("all copied\n");
    else if (!tally->n_copied)
        printf("all there already\n");
    else
        printf("%zu copied, %zu there already\n", tally->n_copied, tally->n_there);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int copy_supply(const struct supply *supply, const char *dest)
{
    struct progress progress;
    struct tally tally = {0};
    interrupt_catch();
    CLEANUP(cleanup_close) int dest_fd = dest_open(dest);
    if (dest_fd < 0) {
        fprintf(stderr, "modelfs get: cannot make the directory %s: %s\n", dest,
                strerror(dest_fd == -ENOTDIR || dest_fd == -EEXIST ? ENOTDIR : -dest_fd));
        return EX_CANTCREAT;
    }
    progress_start(&progress, supply->size_bytes);
    struct copy copy = {.supply = supply, .dest_fd = dest_fd, .progress = &progress};
    int code = copy_all(&copy, dest, &tally);
    return code == EX_OK ? tell(supply, dest, &tally) : code;
}

static int get(const char *what, const char *dest)
{
    SUBJECT_CLEANUP struct subject subject = {0};
    CLEANUP(supply_close) struct supply supply = {0};
    int code = subject_open(&subject, "get", what);
    if (code == EX_OK)
        code = subject.is_path ? supply_open_path(&subject, &supply)
                               : supply_open_url(&subject, &supply);
    if (code != EX_OK)
        return code;
    if (supply.n)
        return copy_supply(&supply, dest);
    fprintf(stderr, "modelfs get: %s has no files\n", what);
    return EX_NOINPUT;
}

int cmd_get(int argc, char **argv)
{
    static const struct option known[] = {{"help", no_argument, NULL, 'h'}, {0}};
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        fputs("Try `modelfs get --help`.\n", stderr);
        return EX_USAGE;
    }
    if (argc - optind != 2) {
        fputs("modelfs get: name what to copy, and the directory to copy it into\n"
              "Try `modelfs get --help`.\n",
              stderr);
        return EX_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    int code = get(argv[optind], argv[optind + 1]);
    interrupt_obey();
    return code;
}
