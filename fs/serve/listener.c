/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/cleanup.h"

DEFINE_CLEANUP(struct addrinfo *, cleanup_addrinfo, freeaddrinfo)

enum { HOST_BYTES = 64, BACKLOG = 1024 };

/* `host:port` or `[host]:port` in its two parts; *out_port points into @text. */
static int split(const char *text, char host[HOST_BYTES], const char **out_port)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strlen(colon + 1) == 0 || strlen(colon + 1) > 5)
        return -EINVAL;
    size_t len = (size_t)(colon - text);
    bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
    if (len >= HOST_BYTES || (!brackets && memchr(text, ':', len)))
        return -EINVAL;
    snprintf(host, HOST_BYTES, "%.*s", (int)len - (brackets ? 2 : 0), text + (brackets ? 1 : 0));
    *out_port = colon + 1;
    return 0;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
    const struct sockaddr_in *v4 = (const void *)address;
    return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}

/* What the socket is bound to, port and all. */
static int describe(struct listener *listener)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    char host[HOST_BYTES], port[8];
    if (getsockname(listener->fd, (struct sockaddr *)&address, &len) < 0)
        return -errno;
    if (getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return -EINVAL;
    bool v6 = address.ss_family == AF_INET6;
    listener->is_loopback = is_loopback((struct sockaddr *)&address);
    snprintf(listener->name, sizeof(listener->name), "%s%s%s:%s", v6 ? "[" : "", host,
             v6 ? "]" : "", port);
    return 0;
}

static int bind_to(struct listener *listener, const struct addrinfo *address)
{
    const int on = 1;
    listener->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return -errno;
    if (setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(listener->fd, address->ai_addr, address->ai_addrlen) < 0 ||
        listen(listener->fd, BACKLOG) < 0)
        return -errno;
    return describe(listener);
}

/* A name may have an address of a family that this machine does not speak. */
static int bind_to_first(struct listener *out, const struct addrinfo *address)
{
    int r = -EADDRNOTAVAIL;
    for (; address; address = address->ai_next) {
        struct listener listener = {.fd = -1};
        r = bind_to(&listener, address);
        if (r == 0) {
            *out = listener;
            return 0;
        }
        listener_close(&listener);
    }
    return r;
}

int listener_open(const char *text, struct listener *out)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *address CLEANUP(cleanup_addrinfo) = NULL;
    char host[HOST_BYTES];
    const char *port;
    int r = split(text, host, &port);
    if (r < 0)
        return r;
    if (atoi(port) > 65535)
        return -EINVAL;
    if (getaddrinfo(host, port, &hints, &address) != 0)
        return -EADDRNOTAVAIL;
    return bind_to_first(out, address);
}

void listener_close(struct listener *listener)
{
    cleanup_close(&listener->fd);
    listener->fd = -1;
}
