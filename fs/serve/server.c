/* SPDX-License-Identifier: Apache-2.0 */
/* A thread for each connection. What this server does is move large files: a download sits in
 * sendfile(), an upload in write() and, at its end, in an fsync() that may take seconds. In an
 * event loop or a small pool each such wait would stop all the connections that share the thread,
 * and a registry that answers no listing while somebody's checkpoint is flushed is what people
 * would notice. Threads cost 50 microseconds to start and little memory; clients keep their
 * connections. The number of connections is limited, further ones are closed at once; one on which
 * nothing happens is closed after a minute. */
#include "serve/server.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "serve/exchange.h"
#include "util/clock.h"
#include "util/log.h"

enum {
    CONNECTIONS_MAX = 1024,
    /* A connection's memory holds a request's head, in which notes of 64 KiB may stand three bytes
     * a byte. Half of it is what an upload is read in. */
    CONNECTION_BYTES = 384 << 10,
    STACK_BYTES = 512 << 10,
    SPARE_FDS = 64,
    DRAIN_POLL_MS = 20,
};

struct server {
    struct MHD_Daemon *daemon;
    struct listener listener;
    struct exchange_context context;
};

/* Two descriptors a connection: its socket and the file it sends. */
static void raise_fd_limit(void)
{
    struct rlimit limit;
    const rlim_t want = CONNECTIONS_MAX * 4 + SPARE_FDS;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= want)
        return;
    limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_warn("serve: cannot raise the limit of open files: %s", strerror(errno));
}

static struct MHD_Daemon *start_daemon(struct server *server)
{
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | MHD_USE_ITC;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, exchange_handle, &server->context, MHD_OPTION_LISTEN_SOCKET,
        server->listener.fd, MHD_OPTION_NOTIFY_COMPLETED, exchange_completed, &server->context,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)EXCHANGE_TIMEOUT_S,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_END);
}

int server_start(struct store *store, struct listener *listener, bool key_required,
                 struct server **out)
{
    struct server *server CLEANUP(cleanup_free) = calloc(1, sizeof(*server));
    if (!server)
        return -ENOMEM;
    raise_fd_limit();
    server->listener = *listener;
    server->context.store = store;
    server->context.key_required = key_required;
    server->context.own_name = server->listener.name;
    server->daemon = start_daemon(server);
    if (!server->daemon)
        return errno ? -errno : -EIO;
    listener->fd = -1;
    *out = steal_ptr(server);
    return 0;
}

static void wait_until_idle(struct server *server, unsigned grace_ms)
{
    const struct timespec pause = {.tv_nsec = DRAIN_POLL_MS * 1000000L};
    uint64_t end_ms = clock_now_ms() + grace_ms;
    while (atomic_load(&server->context.n_open) > 0 && clock_now_ms() < end_ms)
        nanosleep(&pause, NULL);
}

void server_stop(struct server *server, unsigned grace_ms)
{
    if (!server)
        return;
    atomic_store(&server->context.closing, true);
    MHD_quiesce_daemon(server->daemon);
    listener_close(&server->listener);
    wait_until_idle(server, grace_ms);
    MHD_stop_daemon(server->daemon);
    free(server);
}
