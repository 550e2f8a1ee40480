/* SPDX-License-Identifier: Apache-2.0 */
/* A tiny HTTP server inside a test, on 127.0.0.1 and a free port: a thread a connection, and a
 * function of the test that writes the replies, whole or broken.
 *
 *     static bool answer(struct fake_server *server, int fd, const struct fake_request *request);
 *     struct fake_server server;
 *     fake_server_start(&server, answer);
 *     ... "http://127.0.0.1:<server.port>/path" ...
 *     fake_server_stop(&server);
 *
 * answer() returns true to keep the connection for the next request. */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FAKE_CONNECTIONS_MAX = 1024, FAKE_HEAD_BYTES = 8192 };

struct fake_request {
    char method[16], path[1024];
    char head[FAKE_HEAD_BYTES]; /* request line and headers */
    char *body;                 /* with a NUL behind it */
    size_t body_len;
};

struct fake_server {
    bool (*answer)(struct fake_server *server, int fd, const struct fake_request *request);
    int port, listen_fd;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t gate_changed;
    bool is_gate_open;                       /* lock: for replies that wait, see fake_wait_gate() */
    bool is_ending;                          /* lock */
    int n_connections;                       /* lock */
    int fds[FAKE_CONNECTIONS_MAX];           /* lock; -1 once closed */
    pthread_t threads[FAKE_CONNECTIONS_MAX]; /* the accepting thread's */
    atomic_int n_requests;
};

struct fake_connection {
    struct fake_server *server;
    int slot, fd;
};

static inline void fake_send(int fd, const void *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        data = (const char *)data + n;
        len -= (size_t)n;
    }
}

__attribute__((format(printf, 2, 3))) static inline void fake_printf(int fd, const char *fmt, ...)
{
    char text[2 * FAKE_HEAD_BYTES];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fake_send(fd, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static inline void fake_sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Holds a reply until fake_open_gate() or the end. */
static inline void fake_wait_gate(struct fake_server *server)
{
    pthread_mutex_lock(&server->lock);
    while (!server->is_gate_open && !server->is_ending)
        pthread_cond_wait(&server->gate_changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

static inline void fake_open_gate(struct fake_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->is_gate_open = true;
    pthread_cond_broadcast(&server->gate_changed);
    pthread_mutex_unlock(&server->lock);
}

/* Waits until the other side hangs up. */
static inline void fake_wait_hangup(int fd)
{
    char c;
    while (recv(fd, &c, 1, 0) > 0)
        continue;
}

/* The value of a request header in fresh memory, or NULL. */
static inline char *fake_get_header(const struct fake_request *request, const char *name)
{
    char key[128];
    snprintf(key, sizeof(key), "\r\n%s: ", name);
    const char *at = strcasestr(request->head, key);
    if (!at)
        return NULL;
    at += strlen(key);
    return strndup(at, strcspn(at, "\r\n"));
}

static inline bool fake_read_body(int fd, struct fake_request *request)
{
    char *text = fake_get_header(request, "Content-Length");
    size_t got = 0;
    request->body_len = text ? strtoul(text, NULL, 10) : 0;
    free(text);
    request->body = calloc(1, request->body_len + 1);
    while (got < request->body_len) {
        ssize_t n = recv(fd, request->body + got, request->body_len - got, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

/* Byte by byte, which is slow and never reads too far. */
static inline bool fake_read_request(int fd, struct fake_request *request)
{
    size_t len = 0;
    memset(request, 0, sizeof(*request));
    while (len < FAKE_HEAD_BYTES - 1 && !strstr(len > 4 ? request->head + len - 4 : "", "\r\n\r\n"))
        if (recv(fd, request->head + len++, 1, 0) <= 0)
            return false;
    return sscanf(request->head, "%15s %1023s", request->method, request->path) == 2 &&
           fake_read_body(fd, request);
}

static inline void *fake_serve_connection(void *arg)
{
    struct fake_connection *c = arg;
    struct fake_request request;
    bool goes_on = true;
    while (goes_on && fake_read_request(c->fd, &request)) {
        atomic_fetch_add(&c->server->n_requests, 1);
        goes_on = c->server->answer(c->server, c->fd, &request);
        free(request.body);
        request.body = NULL;
    }
    free(goes_on ? request.body : NULL);
    pthread_mutex_lock(&c->server->lock);
    c->server->fds[c->slot] = -1;
    pthread_mutex_unlock(&c->server->lock);
    close(c->fd);
    free(c);
    return NULL;
}

static inline void fake_add_connection(struct fake_server *server, int fd)
{
    struct fake_connection *c = malloc(sizeof(*c));
    pthread_mutex_lock(&server->lock);
    int slot = server->n_connections++;
    server->fds[slot] = fd;
    pthread_mutex_unlock(&server->lock);
    *c = (struct fake_connection){server, slot, fd};
    pthread_create(&server->threads[slot], NULL, fake_serve_connection, c);
}

static inline void *fake_accept(void *arg)
{
    struct fake_server *server = arg;
    int fd;
    while ((fd = accept(server->listen_fd, NULL, NULL)) >= 0)
        fake_add_connection(server, fd);
    return NULL;
}

static inline void fake_server_start(struct fake_server *server,
                                     bool (*answer)(struct fake_server *, int,
                                                    const struct fake_request *))
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    memset(server, 0, sizeof(*server));
    server->answer = answer;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->gate_changed, NULL);
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->listen_fd, (struct sockaddr *)&address, len) < 0 ||
        listen(server->listen_fd, 512) < 0 ||
        getsockname(server->listen_fd, (struct sockaddr *)&address, &len) < 0) {
        perror("fake server");
        exit(EXIT_FAILURE);
    }
    server->port = ntohs(address.sin_port);
    pthread_create(&server->thread, NULL, fake_accept, server);
}

static inline void fake_server_stop(struct fake_server *server)
{
    shutdown(server->listen_fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listen_fd);
    pthread_mutex_lock(&server->lock);
    server->is_ending = true;
    pthread_cond_broadcast(&server->gate_changed);
    for (int i = 0; i < server->n_connections; i++)
        if (server->fds[i] >= 0)
            shutdown(server->fds[i], SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    for (int i = 0; i < server->n_connections; i++)
        pthread_join(server->threads[i], NULL);
    pthread_cond_destroy(&server->gate_changed);
    pthread_mutex_destroy(&server->lock);
}
