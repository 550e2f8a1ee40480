/* SPDX-License-Identifier: Apache-2.0 */
/* Many transfers of one engine: who runs first, how many at a time, and the end of the engine. */
#include "net/http.h"

#include <errno.h>

#include "check.h"
#include "fake_server.h"
#include "http_probe.h"
#include "util/clock.h"

enum { MANY = 200, RANGE_BYTES = 20000 };

static struct fake_server server;
static char gate_url[64], data_url[64];

/* The byte at @off of an endless content. */
static char byte_at(uint64_t off)
{
    return (char)(off * 2654435761u >> 11);
}

static void answer_range(int fd, const struct fake_request *request)
{
    unsigned long first = 0, last = 0;
    char text[RANGE_BYTES], *range = fake_get_header(request, "Range");
    if (!range || sscanf(range, "bytes=%lu-%lu", &first, &last) != 2)
        last = first;
    free(range);
    for (unsigned long off = first; off <= last; off++)
        text[off - first] = byte_at(off);
    fake_printf(fd,
                "HTTP/1.1 206 OK\r\nContent-Range: bytes %lu-%lu/100000000\r\nContent-Length: "
                "%lu\r\n\r\n",
                first, last, last - first + 1);
    fake_send(fd, text, last - first + 1);
}

/* /gate waits for the gate; anything else is a range. */
static bool answer(struct fake_server *s, int fd, const struct fake_request *request)
{
    if (strcmp(request->path, "/gate") == 0)
        fake_wait_gate(s);
    answer_range(fd, request);
    return true;
}

static void start_server(void)
{
    fake_server_start(&server, answer);
    snprintf(gate_url, sizeof(gate_url), "http://127.0.0.1:%d/gate", server.port);
    snprintf(data_url, sizeof(data_url), "http://127.0.0.1:%d/data", server.port);
}

/* Waits until the server has read @n requests: these are on their way, and not in a queue. */
static void wait_for_requests(int n)
{
    for (int i = 0; i < 1000 && atomic_load(&server.n_requests) < n; i++)
        fake_sleep_ms(5);
    CHECK_EQ(atomic_load(&server.n_requests), n);
}

static void free_engine(struct http **http)
{
    http_free(*http);
}

static void init_probes(struct probe *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        probe_init(&p[i]);
}

static void deinit_probes(struct probe *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        probe_deinit(&p[i]);
}

static void urgent_goes_before_bulk(void)
{
    struct probe first, bulk[3], urgent[2];
    int order = 0;
    struct http *http CLEANUP(free_engine) = NULL;
    start_server();
    CHECK_EQ(http_new(&(struct http_options){.max_connections = 1}, &http), 0);
    init_probes(&first, 1);
    init_probes(bulk, 3);
    init_probes(urgent, 2);
    CHECK_EQ(probe_start(&first, http, (struct http_request){.url = gate_url}), 0);
    wait_for_requests(1);
    for (int i = 0; i < 3; i++) {
        bulk[i].order = &order;
        CHECK_EQ(probe_start(&bulk[i], http, (struct http_request){.url = data_url}), 0);
    }
    for (int i = 0; i < 2; i++) {
        urgent[i].order = &order;
        CHECK_EQ(
            probe_start(&urgent[i], http, (struct http_request){.url = data_url, .urgent = true}),
            0);
    }
    struct http_stats stats;
    http_get_stats(http, &stats);
    CHECK_EQ(stats.active, 1);
    CHECK_EQ(stats.queued, 5);
    fake_open_gate(&server);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(probe_wait(&bulk[i]), 0);
    CHECK_EQ(probe_wait(&first), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(probe_wait(&urgent[i]), 0);
        CHECK_EQ(urgent[i].place, 1 + i);
    }
    for (int i = 0; i < 3; i++)
        CHECK_EQ(bulk[i].place, 3 + i);
    fake_server_stop(&server);
    deinit_probes(&first, 1);
    deinit_probes(bulk, 3);
    deinit_probes(urgent, 2);
}

static void bulk_leaves_a_slot_for_the_urgent(void)
{
    struct probe bulk[10], urgent;
    struct http *http CLEANUP(free_engine) = NULL;
    start_server();
    CHECK_EQ(http_new(&(struct http_options){.max_connections = 8, .n_threads = 3}, &http), 0);
    init_probes(bulk, 10);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(probe_start(&bulk[i], http, (struct http_request){.url = gate_url}), 0);
    wait_for_requests(7);
    CHECK_EQ(probe_run(&urgent, http, (struct http_request){.url = data_url, .urgent = true}), 0);
    fake_sleep_ms(50);
    CHECK_EQ(atomic_load(&server.n_requests), 8);
    CHECK_EQ(bulk[0].n_done, 0);
    fake_open_gate(&server);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(probe_wait(&bulk[i]), 0);
    fake_server_stop(&server);
    deinit_probes(bulk, 10);
    probe_deinit(&urgent);
}

static void the_queue_counts_in_the_deadline(void)
{
    struct probe first, waiting;
    struct http *http CLEANUP(free_engine) = NULL;
    start_server();
    CHECK_EQ(http_new(&(struct http_options){.max_connections = 1}, &http), 0);
    probe_init(&first);
    CHECK_EQ(probe_start(&first, http, (struct http_request){.url = gate_url}), 0);
    uint64_t start_ms = clock_now_ms();
    CHECK_EQ(probe_run(&waiting, http, (struct http_request){.url = data_url, .deadline_ms = 300}),
             -ETIMEDOUT);
    CHECK(clock_now_ms() - start_ms >= 300 && clock_now_ms() - start_ms < 1500);
    CHECK_EQ(first.n_done, 0);
    fake_open_gate(&server);
    CHECK_EQ(probe_wait(&first), 0);
    fake_server_stop(&server);
    probe_deinit(&first);
    probe_deinit(&waiting);
}

static void check_range(const struct probe *p, uint64_t off)
{
    CHECK_EQ(p->head.range_off, off);
    CHECK_EQ(p->body.len, RANGE_BYTES);
    for (size_t i = 0; i < p->body.len; i++)
        if (p->body.data[i] != byte_at(off + i)) {
            CHECK_EQ(p->body.data[i], byte_at(off + i));
            return;
        }
}

static void many_at_once_all_arrive(void)
{
    static struct probe probes[MANY];
    struct http *http CLEANUP(free_engine) = NULL;
    struct http_stats stats;
    start_server();
    CHECK_EQ(http_new(&(struct http_options){.n_threads = 3}, &http), 0);
    init_probes(probes, MANY);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(probe_start(&probes[i], http,
                             (struct http_request){.url = data_url,
                                                   .range_off = (uint64_t)i * 333,
                                                   .range_len = RANGE_BYTES,
                                                   .urgent = i % 7 == 0}),
                 0);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(probe_wait(&probes[i]), 0);
        check_range(&probes[i], (uint64_t)i * 333);
    }
    http_get_stats(http, &stats);
    CHECK_EQ(stats.requests, MANY);
    CHECK_EQ(stats.bytes_received, (uint64_t)MANY * RANGE_BYTES);
    CHECK(stats.connections_opened <= 32 + 2);
    CHECK(server.n_connections <= 32 + 2);
    CHECK_EQ(stats.active, 0);
    fake_server_stop(&server);
    deinit_probes(probes, MANY);
}

/* Files of several lengths, all started by a callback: so the only thread finds them all at
 * once. */
struct files {
    struct http *http;
    struct http_request requests[4];
    struct probe probes[4];
};

static void start_files(void *ctx, int err)
{
    struct files *files = ctx;
    CHECK_EQ(err, 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(probe_start(&files->probes[i], files->http, files->requests[i]), 0);
}

static void files_take_turns(void)
{
    static const int places[] = {4, 3, 2, 1};
    struct files files = {0};
    struct http *http CLEANUP(free_engine) = NULL;
    char path[] = "/tmp/modelfs-test-queue-XXXXXX", url[64];
    int fd CLEANUP(cleanup_close) = mkstemp(path), order = 0;
    CHECK_EQ(ftruncate(fd, 8 << 20), 0);
    snprintf(url, sizeof(url), "file://%s", path);
    CHECK_EQ(http_new(&(struct http_options){.n_threads = 1}, &http), 0);
    files.http = http;
    init_probes(files.probes, 4);
    for (int i = 0; i < 4; i++) {
        files.requests[i] = (struct http_request){.url = url};
        files.probes[i].order = &order;
    }
    files.requests[1].range_len = 2 << 20; /* overtakes the whole one before it */
    files.requests[2].range_len = 1000;
    files.requests[3].urgent = true; /* whole, and still before all others */
    struct http_request first = {.url = url, .on_done = start_files, .ctx = &files};
    CHECK_EQ(http_start(http, &first), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(probe_wait(&files.probes[i]), 0);
        CHECK_EQ(files.probes[i].place, places[i]);
    }
    unlink(path);
    deinit_probes(files.probes, 4);
}

static void the_end_cancels_all(void)
{
    static struct probe probes[40];
    struct http *http = NULL;
    start_server();
    CHECK_EQ(http_new(&(struct http_options){.max_connections = 8, .n_threads = 2}, &http), 0);
    init_probes(probes, 40);
    for (int i = 0; i < 40; i++) {
        probes[i].restart = http;
        CHECK_EQ(
            probe_start(&probes[i], http, (struct http_request){.url = gate_url, .urgent = i % 2}),
            0);
    }
    wait_for_requests(8);
    http_free(http);
    for (int i = 0; i < 40; i++) {
        CHECK_EQ(probes[i].n_done, 1);
        CHECK_EQ(probes[i].err, -ECANCELED);
        CHECK_EQ(probes[i].restart_answer, -ECANCELED);
        CHECK(probes[i].was_done_last);
    }
    fake_server_stop(&server);
    deinit_probes(probes, 40);
}

/* A chain: each end starts the next, on the transfer thread. */
struct chain {
    struct http *http;
    struct probe last;
    int n_left;
};

static void start_next(void *ctx, int err)
{
    struct chain *chain = ctx;
    CHECK_EQ(err, 0);
    if (--chain->n_left == 0) {
        probe_done(&chain->last, err);
        return;
    }
    struct http_request request = {.url = data_url, .on_done = start_next, .ctx = chain};
    CHECK_EQ(http_start(chain->http, &request), 0);
}

static void a_callback_may_start_the_next(void)
{
    struct chain chain = {.n_left = 50};
    start_server();
    CHECK_EQ(http_new(&(struct http_options){.max_connections = 1}, &chain.http), 0);
    probe_init(&chain.last);
    struct http_request request = {.url = data_url, .on_done = start_next, .ctx = &chain};
    CHECK_EQ(http_start(chain.http, &request), 0);
    CHECK_EQ(probe_wait(&chain.last), 0);
    http_free(chain.http);
    fake_server_stop(&server);
    probe_deinit(&chain.last);
}

static void an_idle_engine_ends_at_once(void)
{
    for (int i = 0; i < 20; i++) {
        struct http *http = NULL;
        uint64_t start_ms = clock_now_ms();
        CHECK_EQ(http_new(&(struct http_options){.n_threads = 1000}, &http), 0);
        http_free(http);
        CHECK(clock_now_ms() - start_ms < 5000);
    }
}

int main(void)
{
    TEST("urgent goes before bulk, each in its order", urgent_goes_before_bulk);
    TEST("bulk leaves a slot for the urgent", bulk_leaves_a_slot_for_the_urgent);
    TEST("waiting in the queue counts in the deadline", the_queue_counts_in_the_deadline);
    TEST("200 at once all arrive, over 32 connections", many_at_once_all_arrive);
    TEST("files take turns, and urgent ones do not", files_take_turns);
    TEST("the end cancels all, once each", the_end_cancels_all);
    TEST("a callback may start the next transfer", a_callback_may_start_the_next);
    TEST("an idle engine ends at once", an_idle_engine_ends_at_once);
    return check_done();
}
