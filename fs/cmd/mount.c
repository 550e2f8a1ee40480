/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs mount: puts the rooms together from the bottom up and takes them apart in the one order
 * in which nothing is used after it is gone: first no new request (the mount), then no new answer
 * (catalog, fetch, http, pool), then the memory. */
#include "cmd/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cache/blocks.h"
#include "cmd/background.h"
#include "cmd/mount_options.h"
#include "cmd/mount_point.h"
#include "cmd/mount_stats.h"
#include "cmd/source.h"
#include "net/http.h"
#include "net/url.h"
#include "read/fetch.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/pool.h"
#include "vfs/ops.h"
#include "vfs/tree.h"
#include "vfs/views.h"

enum { POOL_THREADS = 4, RESOLVE_MS = 3000, STALL_MS = 20000 };
/* What is larger goes back to the system when it is freed: left to itself malloc raises this to
 * 32 MiB, and the tables and arrays that a large listing outgrew stay behind in its heaps. */
enum { LARGE_BYTES = 2 << 20, HEAP_SPARE_BYTES = 16 << 20 };
static const uint64_t min_free_bytes = UINT64_C(1) << 30;

static const char help[] =
    "usage: modelfs mount [-f] [-o OPTION[,OPTION]...] SOURCE DIR\n"
    "\n"
    "Shows the registry SOURCE as directories at DIR: project/model/checkpoint/files, read only.\n"
    "SOURCE may name a project or a model of it: gradient+http://HOST:PORT/PROJECT/MODEL.\n"
    "An API key is taken from MODELFS_API_KEY, PAPERSPACE_API_KEY, the file that\n"
    "MODELFS_API_KEY_FILE names, or ~/.paperspace/config.json.\n"
    "\n"
    "  -f, --foreground     stay in the foreground; messages go to standard error\n"
    "  -o OPTION            see below; may be given more than once\n"
    "  -h, --help           prints this\n"
    "\n"
    "Options:\n";

/* Everything of a mount that runs, and what it was asked to be. */
struct mount {
    struct mount_options options;
    bool foreground;
    const char *url;
    char *dir; /* absolute */
    struct background background;
    struct blocks *blocks; /* NULL: no cache */
    struct source source;
    struct pool *pool, *verifier;
    struct fetch *fetch;
    struct tree *tree;
    struct ops *ops;
    uint64_t began_ms; /* on clock_now_ms() */
};

/* Says something before the mount is up: to the person who waits, and to the log file if there is
 * one. */
__attribute__((format(printf, 2, 3))) static void say(const struct mount *m, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fprintf(stderr, "modelfs mount: %s\n", text);
    if (m->options.log_file)
        log_warn("%s", text);
}

/* --- the command line --- */

static int parse_one(struct mount *m, int c)
{
    CLEANUP(cleanup_free) char *why = NULL;
    if (c == 'f') {
        m->foreground = true;
        return EX_OK;
    }
    if (c == 'o' && mount_options_parse(&m->options, optarg, &why) == 0)
        return EX_OK;
    if (c == 'o')
        fprintf(stderr, "modelfs mount: -o %s: %s\n", optarg, why ? why : "memory is short");
    fputs("Try `modelfs mount --help`.\n", stderr);
    return EX_USAGE;
}

/* EX_OK and *out_go_on false: all is said. */
static int parse(struct mount *m, int argc, char **argv, bool *out_go_on)
{
    static const struct option known[] = {
        {"foreground", no_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {0}};
    *out_go_on = false;
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, "fho:", known, NULL)) != -1;) {
        if (c == 'h') {
            printf("%s%s", help, mount_options_help);
            return EX_OK;
        }
        int code = parse_one(m, c);
        if (code != EX_OK)
            return code;
    }
    if (argc - optind != 2) {
        fputs("modelfs mount: name a SOURCE and a DIR. Try `modelfs mount --help`.\n", stderr);
        return EX_USAGE;
    }
    m->url = argv[optind];
    *out_go_on = true;
    return EX_OK;
}

/* --- the cache --- */

static char *default_cache_dir(void)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *dir = NULL;
    if (base && *base == '/')
        return asprintf(&dir, "%s/modelfs", base) < 0 ? NULL : dir;
    return asprintf(&dir, "%s/.cache/modelfs", home && *home ? home : "/root") < 0 ? NULL : dir;
}

/* The background process works in another directory, so a relative name is completed. */
static char *absolute_cache_dir(const struct mount *m)
{
    const char *given = m->options.cache_dir;
    if (!given)
        return default_cache_dir();
    char *dir = NULL;
    CLEANUP(cleanup_free) char *here = *given == '/' ? strdup("") : getcwd(NULL, 0);
    if (!here || asprintf(&dir, "%s%s%s", here, *given == '/' ? "" : "/", given) < 0)
        return NULL;
    return dir;
}

static void report_cache(void *ctx, const char *text)
{
    const struct mount *m = ctx;
    log_warn("cache %s: %s", m->options.cache_dir, text);
}

static const char *why_no_cache(int err)
{
    switch (err) {
    case -EPERM:
        return "it belongs to somebody else, or others may write in it; name another with -o "
               "cache_dir=DIR, or chmod 700 it";
    case -EACCES:
    case -EROFS:
        return "it cannot be written; name another with -o cache_dir=DIR";
    case -ENOSPC:
        return "its disk is full; free some space, or name another with -o cache_dir=DIR";
    default:
        return strerror(-err);
    }
}

/* A mount without a cache is slower, and works. */
static int open_cache(struct mount *m)
{
    char *dir = absolute_cache_dir(m);
    if (!dir)
        return EX_OSERR;
    free(m->options.cache_dir);
    m->options.cache_dir = dir;
    if (m->options.cache_size_bytes == 0)
        return EX_OK;
    const struct blocks_options options = {
        .dir = dir,
        .limit_bytes = m->options.cache_size_bytes,
        .min_free_bytes = min_free_bytes,
        .report = report_cache,
        .report_ctx = m,
    };
    int r = blocks_open(&options, &m->blocks);
    if (r < 0)
        say(m, "going on without a cache: %s: %s", dir, why_no_cache(r));
    return EX_OK;
}

/* --- the source --- */

/* That the registry answers, or did so once: a mount that could show nothing is refused. */
static int look_at_root(struct mount *m)
{
    const struct registry_place root = {.project_id = m->source.project_id,
                                        .model_id = m->source.model_id};
    LISTING_CLEANUP struct listing *listing = NULL;
    int r = catalog_get(m->source.catalog, &root, RESOLVE_MS, &listing);
    if (r == 0)
        return EX_OK;
    int code = source_complain("mount", m->url, r);
    return r == -EIO || r == -EHOSTUNREACH ? EX_UNAVAILABLE : code;
}

static int open_source(struct mount *m)
{
    /* a transfer that stalls must leave time to try again before the deadline */
    const int deadline_ms = (int)(m->options.deadline_s * 1000);
    const struct http_options http = {
        .max_connections = m->options.connections,
        .stall_timeout_ms = deadline_ms / 3 < STALL_MS ? deadline_ms / 3 + 1 : STALL_MS,
    };
    int code = source_open(&m->source, "mount", m->url, m->blocks, &http);
    if (code == EX_OK)
        code = source_resolve(&m->source, "mount", RESOLVE_MS);
    return code == EX_OK ? look_at_root(m) : code;
}

/* --- what runs --- */

static void on_stale(void *ctx, const char *project_id, const char *model_id)
{
    const struct mount *m = ctx;
    tree_expire(m->tree, project_id, model_id);
}

static int live_text(void *ctx, uint32_t number, struct buf *out)
{
    const struct mount *m = ctx;
    const struct mount_stats stats = {
        .ops = m->ops,
        .tree = m->tree,
        .fetch = m->fetch,
        .blocks = m->blocks,
        .http = m->source.http,
        .began_ms = m->began_ms,
    };
    if (number == VIEW_CONFIG) {
        int r = buf_printf(out, "source=%s\n", registry_origin(m->source.registry));
        return r == 0 ? mount_options_format(&m->options, out) : r;
    }
    return mount_stats_format(&stats, number == VIEW_STATS_PROM, out);
}

static int start_engine(struct mount *m)
{
    const struct fetch_options fetch_options = {
        .http = m->source.http,
        .registry = m->source.registry,
        .pool = m->pool,
        .blocks = m->blocks,
        .verifier = m->verifier,
        .memory_bytes = m->options.memory_bytes,
        .deadline_ms = (int)(m->options.deadline_s * 1000),
        .on_stale = on_stale,
        .ctx = m,
    };
    int r = fetch_new(&fetch_options, &m->fetch);
    const struct tree_options tree_options = {
        .catalog = m->source.catalog,
        .fetch = m->fetch,
        .pool = m->pool,
        .list_timeout_ms = (int)(m->options.list_timeout_s * 1000),
        .deadline_ms = (int)(m->options.deadline_s * 1000),
        .project_id = m->source.project_id,
        .project_name = m->source.project_name,
        .model_id = m->source.model_id,
        .directions = &m->options.best,
    };
    return r == 0 ? tree_new(&tree_options, &m->tree) : r;
}

static int start_session(struct mount *m)
{
    const struct ops_options options = {
        .tree = m->tree,
        .fetch = m->fetch,
        .blocks = m->blocks,
        .uid = m->options.uid,
        .gid = m->options.gid,
        .umask = m->options.umask,
        .entry_timeout_s = m->options.entry_timeout_s,
        .attr_timeout_s = m->options.attr_timeout_s,
        .n_threads = m->options.threads,
        .read_ahead_kib = m->options.read_ahead_kib,
        .allow_other = m->options.allow_other,
        .debug = m->options.debug,
        .source = registry_origin(m->source.registry),
        .live_text = live_text,
        .live_ctx = m,
    };
    const char *why = "";
    if (ops_mount(&options, m->dir, &m->ops, &why) == 0)
        return EX_OK;
    fprintf(stderr, "modelfs mount: %s: %s\n", m->dir, why);
    return EX_OSERR;
}

static int start(struct mount *m)
{
    int code = open_cache(m);
    if (code == EX_OK)
        code = open_source(m);
    if (code != EX_OK)
        return code;
    int r = pool_new(POOL_THREADS, &m->pool);
    if (r == 0)
        r = pool_new(1, &m->verifier);
    if (r == 0)
        r = start_engine(m);
    if (r < 0) {
        fprintf(stderr, "modelfs mount: %s\n", strerror(-r));
        return EX_OSERR;
    }
    return start_session(m);
}

static void stop(struct mount *m)
{
    ops_unmount(m->ops);
    if (m->source.catalog)
        catalog_stop(m->source.catalog);
    if (m->fetch)
        fetch_stop(m->fetch);
    if (m->source.http)
        http_stop(m->source.http);
    pool_free(m->pool);
    pool_free(m->verifier);
    ops_free(m->ops);
    blocks_close(m->blocks); /* gives the buffers it still wrote back to fetch */
    fetch_free(m->fetch);
    tree_free(m->tree);
    source_close(&m->source);
}

static int run(struct mount *m)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, HEAP_SPARE_BYTES);
    int code = start(m);
    if (code != EX_OK) {
        background_failed(&m->background, code);
    } else {
        if (!m->foreground && !m->options.log_file)
            log_to_syslog();
        background_ready(&m->background);
        int r = ops_loop(m->ops);
        if (r < 0)
            log_error("%s: %s", m->dir, strerror(-r));
        code = r < 0 ? EX_OSERR : EX_OK;
    }
    stop(m);
    return code;
}

/* In the background: forks before anything has threads, and returns when the mount answers, or why
 * it does not. */
static int run_behind(struct mount *m)
{
    int code = EX_OSERR;
    int r = background_fork(&m->background, &code);
    if (r < 0)
        fprintf(stderr, "modelfs mount: cannot go into the background: %s\n", strerror(-r));
    if (r == 1)
        return run(m);
    struct stat st;
    if (r == 0 && code == EX_OK && stat(m->dir, &st) < 0) {
        fprintf(stderr, "modelfs mount: %s: %s\n", m->dir, strerror(errno));
        return EX_OSERR;
    }
    return code;
}

static int open_log(const struct mount *m)
{
    log_set_level(m->options.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
    int r = m->options.log_file ? log_to_file(m->options.log_file) : 0;
    if (r == 0)
        return EX_OK;
    fprintf(stderr, "modelfs mount: log_file=%s: %s\n", m->options.log_file, strerror(-r));
    return EX_CANTCREAT;
}

int cmd_mount(int argc, char **argv)
{
    struct mount m = {.background.to_parent = -1, .began_ms = clock_now_ms()};
    bool go_on;
    mount_options_init(&m.options);
    int code = parse(&m, argc, argv, &go_on);
    if (code == EX_OK && go_on)
        m.dir = mount_point_check("mount", argv[optind + 1], &code);
    if (m.dir && (code = open_log(&m)) == EX_OK)
        code = m.foreground ? run(&m) : run_behind(&m);
    free(m.dir);
    mount_options_deinit(&m.options);
    return code;
}
