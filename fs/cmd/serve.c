/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs serve: runs the registry server until a signal ends it. */
#include "cmd/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "serve/keys.h"
#include "serve/server.h"
#include "util/buf.h"
#include "util/log.h"

DEFINE_CLEANUP(struct store *, cleanup_store, store_close)

enum {
    GRACE_MS = 5000, /* what requests on their way get when the server is told to stop */
};

static const char help[] =
    "usage: modelfs serve [OPTION]...\n"
    "\n"
    "Runs a model registry that speaks the Gradient API, for clients and for `modelfs mount`.\n"
    "\n"
    "  --listen ADDR:PORT   where to answer (default 127.0.0.1:8060; port 0 takes a free one)\n"
    "  --data DIR           where projects, models and files are kept\n"
    "                       (default $XDG_DATA_HOME/modelfs or ~/.local/share/modelfs)\n"
    "  --add-key NAME       makes an API key, prints it, this once, and ends\n"
    "  --remove-key NAME    removes an API key and ends\n"
    "  -v, --verbose        logs each write, too\n"
    "  -h, --help           prints this\n"
    "\n"
    "Without keys everybody on this machine may read and write; on any other address than a\n"
    "loopback one the server starts only when there is a key. Clients send it as X-API-Key or\n"
    "Authorization: Bearer.\n";

struct options {
    const char *listen, *data, *add_key, *remove_key;
    bool help;
};

/* False for an option that is none. */
static bool take_option(int option, const char *value, struct options *out)
{
    switch (option) {
    case 'l':
        out->listen = value;
        return true;
    case 'd':
        out->data = value;
        return true;
    case 'a':
        out->add_key = value;
        return true;
    case 'r':
        out->remove_key = value;
        return true;
    case 'v':
        log_set_level(LOG_LEVEL_INFO);
        return true;
    case 'h':
        out->help = true;
        return true;
    default:
        return false;
    }
}

static int parse_options(int argc, char **argv, struct options *out)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'},
        {"data", required_argument, NULL, 'd'},
        {"add-key", required_argument, NULL, 'a'},
        {"remove-key", required_argument, NULL, 'r'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    *out = (struct options){.listen = "127.0.0.1:8060"};
    optind = 0; /* main has looked at the arguments before */
    for (int c; (c = getopt_long(argc, argv, "vh", known, NULL)) != -1;) {
        if (!take_option(c, optarg, out))
            return -EINVAL;
    }
    if (optind < argc)
        fprintf(stderr, "modelfs serve: unknown argument `%s`\n", argv[optind]);
    return optind < argc ? -EINVAL : 0;
}

/* The data directory where none was given; -ENOENT with no home. */
static int default_data(struct buf *out)
{
    const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (xdg && xdg[0] == '/')
        return buf_printf(out, "%s/modelfs", xdg);
    return home && *home ? buf_printf(out, "%s/.local/share/modelfs", home) : -ENOENT;
}

static int fail_open(const char *dir, int error)
{
    if (error == -EBUSY) {
        fprintf(stderr, "modelfs serve: %s is in use by another server; stop it or choose --data\n",
                dir);
        return EX_TEMPFAIL;
    }
    fprintf(stderr, "modelfs serve: cannot open the data directory %s: %s\n", dir,
            strerror(-error));
    return error == -ENOSPC || error == -EACCES || error == -EROFS ? EX_CANTCREAT : EX_OSERR;
}

static int add_key(const char *dir, const char *name)
{
    struct store *store CLEANUP(cleanup_store) = NULL;
    char key[KEYS_TEXT_BYTES];
    int r = store_open(dir, STORE_BESIDE, &store);
    if (r < 0)
        return fail_open(dir, r);
    r = keys_add(store, name, key);
    if (r < 0) {
        fprintf(stderr, "modelfs serve: cannot add the key `%s`: %s\n", name,
                r == -EEXIST   ? "there is one of that name"
                : r == -EINVAL ? "a name has 1 to 64 bytes"
                               : strerror(-r));
        return r == -EEXIST || r == -EINVAL ? EX_USAGE : EX_OSERR;
    }
    if (printf("%s\n", key) > 0 && fflush(stdout) == 0)
        return EX_OK;
    fprintf(stderr, "modelfs serve: cannot write the key, so it was not added: %s\n",
            strerror(errno));
    keys_remove(store, name); /* nobody knows it */
    return EX_IOERR;
}

static int remove_key(const char *dir, const char *name)
{
    struct store *store CLEANUP(cleanup_store) = NULL;
    int r = store_open(dir, STORE_BESIDE, &store);
    if (r < 0)
        return fail_open(dir, r);
    r = keys_remove(store, name);
    if (r == 0)
        return EX_OK;
    fprintf(stderr, "modelfs serve: cannot remove the key `%s`: %s\n", name,
            r == -ENOENT ? "there is none of that name" : strerror(-r));
    return r == -ENOENT ? EX_USAGE : EX_OSERR;
}

static bool has_keys(struct store *store)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    return store_begin(store, false, &txn) == 0 && keys_exist(txn) == 1;
}

static int fail_listen(const char *listen, int error)
{
    if (error == -EINVAL) {
        fprintf(stderr, "modelfs serve: `%s` is not ADDR:PORT\n", listen);
        return EX_USAGE;
    }
    fprintf(stderr, "modelfs serve: cannot listen on %s: %s\n", listen, strerror(-error));
    return EX_UNAVAILABLE;
}

/* Serves until one of @signals, which are blocked in all threads, arrives. */
static int serve_until(const sigset_t *signals, struct store *store, struct listener *listener,
                       const char *dir)
{
    struct server *server = NULL;
    char name[LISTENER_NAME_BYTES];
    int signal_number;
    memcpy(name, listener->name, sizeof(name));
    int r = server_start(store, listener, !listener->is_loopback, &server);
    if (r < 0) {
        fprintf(stderr, "modelfs serve: cannot start: %s\n", strerror(-r));
        return EX_OSERR;
    }
    printf("modelfs: serving %s on http://%s/\n", dir, name);
    fflush(stdout);
    sigwait(signals, &signal_number);
    server_stop(server, GRACE_MS);
    return EX_OK;
}

static int serve(const char *dir, const char *listen)
{
    struct store *store CLEANUP(cleanup_store) = NULL;
    struct listener listener CLEANUP(listener_close) = {.fd = -1};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* EFBIG is an answer, too */
    int r = listener_open(listen, &listener);
    if (r < 0)
        return fail_listen(listen, r);
    r = store_open(dir, STORE_SERVE, &store);
    if (r < 0)
        return fail_open(dir, r);
    if (!listener.is_loopback && !has_keys(store)) {
        fprintf(stderr,
                "modelfs serve: %s can be reached from other machines, so a key is needed: make "
                "one with `modelfs serve --add-key NAME`, or listen on 127.0.0.1\n",
                listen);
        return EX_CONFIG;
    }
    return serve_until(&signals, store, &listener, dir);
}

int cmd_serve(int argc, char **argv)
{
    struct options options;
    struct buf dir BUF_CLEANUP = {0};
    if (parse_options(argc, argv, &options) < 0) {
        fprintf(stderr, "Try `modelfs serve --help`.\n");
        return EX_USAGE;
    }
    if (options.help) {
        fputs(help, stdout);
        return EX_OK;
    }
    int r = options.data ? buf_puts(&dir, options.data) : default_data(&dir);
    if (r < 0) {
        fprintf(stderr, "modelfs serve: no home directory is known: give --data DIR\n");
        return EX_CONFIG;
    }
    if (dir.len == 0) {
        fprintf(stderr, "modelfs serve: --data is empty\n");
        return EX_USAGE;
    }
    if (options.add_key)
        return add_key(dir.data, options.add_key);
    if (options.remove_key)
        return remove_key(dir.data, options.remove_key);
    return serve(dir.data, options.listen);
}
