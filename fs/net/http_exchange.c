/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange, between a transfer and a curl easy handle.
 *
 * curl calls back with header lines and body pieces; the head goes to the caller when it is whole,
 * the body as it comes. A callback's non-zero answer is kept in `err` and curl is told to stop, so
 * that what ended the transfer is not lost in curl's own code for it. A redirect's head is not
 * delivered, its body neither: the transfer goes on elsewhere. */
#include "net/http_exchange.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/clock.h"

enum {
    BUFFER_BYTES = 512 * 1024,     /* of a connection: fewer rounds for bulk */
    REDIRECT_BODY_MAX = 64 * 1024, /* read to keep the connection; a longer one costs it */
    RANGE_TEXT_BYTES = 48,         /* two numbers of 20 digits and a dash */
    NS_PER_S = 1000000000,
};

/* ---- what curl brings ---- */

static bool is_redirect_status(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* A 206 whose two lengths differ is believed in neither. */
static int check_head(const struct http_transfer *t, const struct http_head *head)
{
    bool is_at_odds = head->range_len > 0 && head->content_length >= 0 &&
                      (uint64_t)head->content_length != head->range_len;
    return head->status == 206 && is_at_odds && !http_transfer_is_head(t) ? -EPROTO : 0;
}

static size_t on_header_line(char *line, size_t size, size_t n, void *arg)
{
    struct http_transfer *t = arg;
    t->active_ms = clock_now_ms();
    int r = http_head_feed(&t->head, line, size * n, clock_wall_ns() / NS_PER_S);
    if (r == HTTP_HEAD_WHOLE) {
        const struct http_head *head = &t->head.head;
        t->is_redirect = t->ask.follow && is_redirect_status(head->status) && head->location;
        r = check_head(t, head);
        if (r == 0 && !t->is_redirect)
            r = http_transfer_deliver_head(t, head);
    }
    t->err = r;
    return r ? 0 : size * n;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct http_transfer *t = arg;
    size_t len = size * n;
    t->active_ms = clock_now_ms();
    if (!t->n_received)
        t->n_first = len;
    if (t->is_redirect) {
        t->n_received += len;
        return t->n_received > REDIRECT_BODY_MAX ? 0 : len;
    }
    t->err = http_transfer_deliver_data(t, data, len);
    return t->err ? 0 : len;
}

static size_t on_read_body(char *out, size_t size, size_t n, void *arg)
{
    struct http_transfer *t = arg;
    uint64_t left = t->ask.body_len - t->body_off;
    size_t cap = size * n < left ? size * n : (size_t)left;
    t->active_ms = clock_now_ms();
    if (cap == 0)
        return 0;
    int64_t given = t->ask.read_body(t->ask.ctx, t->body_off, out, cap);
    if (given <= 0) {
        t->err = given < 0 ? (int)given : -ESTALE;
        return CURL_READFUNC_ABORT;
    }
    assert((uint64_t)given <= cap);
    t->body_off += (uint64_t)given;
    return (size_t)given;
}

/* curl goes back to the start when a kept connection turns out to be dead. */
static int on_seek_body(void *arg, curl_off_t off, int origin)
{
    struct http_transfer *t = arg;
    if (origin != SEEK_SET || off < 0 || (uint64_t)off > t->ask.body_len)
        return CURL_SEEKFUNC_FAIL;
    t->body_off = (uint64_t)off;
    return CURL_SEEKFUNC_OK;
}

/* ---- setting curl up ---- */

/* True for 127.x.y.z, ::1 and localhost: never asked of a proxy, which would look for them on its
 * own machine. */
static bool is_loopback(const char *url)
{
    const char *host = strstr(url, "://") + strlen("://");
    size_t len = strcspn(host, ":/?#");
    if (strncmp(host, "[::1]", 5) == 0)
        return true;
    if (len == strlen("localhost") && strncasecmp(host, "localhost", len) == 0)
        return true;
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == len;
}

/* Methods whose requests say Content-Length even when it is 0. */
static bool has_body(const struct http_transfer *t)
{
    return t->body || t->ask.read_body || strcmp(t->method, "POST") == 0 ||
           strcmp(t->method, "PUT") == 0 || strcmp(t->method, "PATCH") == 0;
}

static unsigned set_streamed_body(struct http_transfer *t, CURL *easy)
{
    unsigned failed = 0;
    failed |= curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    failed |= curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->ask.body_len);
    failed |= curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
    failed |= curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read_body);
    failed |= curl_easy_setopt(easy, CURLOPT_READDATA, t);
    failed |= curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek_body);
    failed |= curl_easy_setopt(easy, CURLOPT_SEEKDATA, t);
    return failed;
}

static unsigned set_method(struct http_transfer *t, CURL *easy)
{
    unsigned failed = 0;
    curl_off_t body_len = t->body ? (curl_off_t)t->ask.body_len : 0;
    if (http_transfer_is_head(t))
        return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (t->ask.read_body) {
        failed |= set_streamed_body(t, easy);
    } else if (has_body(t)) {
        failed |= curl_easy_setopt(easy, CURLOPT_POST, 1L);
        failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, body_len);
        failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->body ? t->body : "");
    } else if (strcmp(t->method, "GET") == 0) {
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    failed |= curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, t->method);
    return failed;
}

static unsigned set_range(const struct http_transfer *t, CURL *easy)
{
    char text[RANGE_TEXT_BYTES];
    unsigned long long first = t->ask.range_off, len = t->ask.range_len;
    if (len == 0)
        return CURLE_OK;
    snprintf(text, sizeof(text), "%llu-%llu", first, first + len - 1);
    return curl_easy_setopt(easy, CURLOPT_RANGE, text);
}

static unsigned set_connection(const struct http_transfer *t, CURL *easy,
                               const struct http_setup *setup)
{
    unsigned failed = 0;
    failed |= curl_easy_setopt(easy, CURLOPT_URL, t->url);
    failed |=
        curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* a signature is over the URL as it is */
    failed |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    failed |= curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    /* One request a connection: the streams of one HTTP/2 connection share its congestion
     * window. */
    failed |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    failed |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Ending a transfer must not wait for a resolver that hangs: its thread ends by itself. */
    failed |= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    failed |= curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    failed |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    failed |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
    failed |= curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    failed |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)setup->connect_timeout_ms);
    if (setup->ca_file) /* curl's directory of authorities stays in use beside it */
        failed |= curl_easy_setopt(easy, CURLOPT_CAINFO, setup->ca_file);
    if (setup->user_agent)
        failed |= curl_easy_setopt(easy, CURLOPT_USERAGENT, setup->user_agent);
    if (is_loopback(t->url))
        failed |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return failed;
}

/* Open connections are counted where their sockets come and go. */
static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    atomic_int *n_connections = arg;
    (void)purpose;
    int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    atomic_fetch_add_explicit(n_connections, 1, memory_order_relaxed);
    return fd;
}

static int on_close_socket(void *arg, curl_socket_t fd)
{
    atomic_int *n_connections = arg;
    atomic_fetch_sub_explicit(n_connections, 1, memory_order_relaxed);
    return close(fd);
}

static unsigned set_counting(CURL *easy, atomic_int *n_connections)
{
    unsigned failed = 0;
    failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, n_connections);
    failed |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    failed |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, n_connections);
    return failed;
}

static unsigned set_callbacks(struct http_transfer *t, CURL *easy)
{
    unsigned failed = 0;
    failed |= curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    failed |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
    failed |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header_line);
    failed |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    failed |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    failed |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    return failed;
}

int http_exchange_prepare(struct http_transfer *t, CURL *easy, const struct http_setup *setup)
{
    http_head_deinit(&t->head);
    t->is_redirect = false;
    t->n_received = t->n_first = 0;
    t->body_off = 0;
    unsigned failed = set_connection(t, easy, setup) | set_callbacks(t, easy) |
                      set_method(t, easy) | set_range(t, easy);
    if (setup->n_connections)
        failed |= set_counting(easy, setup->n_connections);
    return failed ? -ENOMEM : 0;
}

/* ---- how it ends ---- */

/* Why no connection came about: curl keeps the last connect()'s errno. */
static int connect_errno(CURL *easy)
{
    long os_errno = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
    switch (os_errno) {
    case EHOSTUNREACH:
    case ENETUNREACH:
        return -EHOSTUNREACH;
    case ETIMEDOUT:
        return -ETIMEDOUT;
    default:
        return -ECONNREFUSED;
    }
}

/* The one table from curl's codes to ours. */
static int code_errno(CURLcode code, CURL *easy)
{
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return -EHOSTUNREACH;
    case CURLE_COULDNT_CONNECT:
        return connect_errno(easy);
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_SSL_CONNECT_ERROR: /* a busy server hangs up in the handshake, too */
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return -ECONNRESET;
    case CURLE_FILESIZE_EXCEEDED:
        return -EFBIG;
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    case CURLE_URL_MALFORMAT:
        return -EINVAL;
    default:
        return -EPROTO;
    }
}

/* A 206 said how many bytes it carries; without a Content-Length nothing but this notices a cut. */
static int check_range_len(const struct http_transfer *t)
{
    const struct http_head *head = &t->head.head;
    if (head->status != 206 || head->range_len == 0 || http_transfer_is_head(t))
        return 0;
    if (t->n_received < head->range_len)
        return -ECONNRESET;
    return t->n_received == head->range_len ? 0 : -EPROTO;
}

int http_exchange_end(struct http_transfer *t, CURLcode code)
{
    if (t->err)
        return t->err;
    if (t->is_redirect) /* its head is all that matters */
        return 0;
    if (code != CURLE_OK)
        return code_errno(code, t->easy);
    /* To curl a connection closed in the middle of the head is a reply. */
    return t->head.is_whole ? check_range_len(t) : -ECONNRESET;
}
