/* SPDX-License-Identifier: Apache-2.0 */
/* A far link on one machine: a TCP relay that lets bytes pass at a rate and after a time, so that
 * what waits for round trips can be seen on loopback.
 *
 *     relay HOST:PORT RTT-MS CONNECTION-MIB-PER-S TOTAL-MIB-PER-S      (numbers of IPv4)
 *
 * It prints the port it listens on at 127.0.0.1, then relays until SIGTERM or SIGINT, and prints
 * how many connections there were and how many bytes went up and down.
 *
 * Every direction of every connection (a lane) has tokens for its own rate and shares the tokens of
 * all that flow the same way; a millisecond fills both. A lane takes from its source what it has
 * tokens for, and gives it to its sink half a round trip later. Making a connection costs no round
 * trip here: a client that keeps its connections would not see it either. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 << 10, MAX_LINKS = 256, TICK_NS = 1000000, BURST_TICKS = 4 };

struct chunk {
    struct chunk *next;
    int64_t due_ns;
    size_t len, sent;
    char data[CHUNK_BYTES];
};

/* Bytes in one direction of one connection. */
struct lane {
    int from, to;
    int64_t tokens;
    bool ended; /* the source has no more */
    struct chunk *first, *last;
    size_t queued_bytes;
};

struct link {
    struct lane lanes[2]; /* up, down */
};

/* What all lanes of one direction share. */
struct trunk {
    int64_t tokens;
    unsigned long long bytes;
};

struct relay {
    struct sockaddr_in target;
    int listener;
    int64_t delay_ns, tick_ns;
    int64_t lane_rate, trunk_rate; /* bytes a tick */
    size_t max_queued_bytes;
    struct trunk trunks[2];
    int n_links, first; /* whose turn it is first */
    struct link links[MAX_LINKS];
    unsigned long long n_connections;
    struct chunk *spare;
};

static volatile sig_atomic_t ended;

static void end(int number)
{
    (void)number;
    ended = 1;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct chunk *chunk_new(struct relay *relay)
{
    struct chunk *chunk = relay->spare;
    if (chunk)
        relay->spare = chunk->next;
    else if (!(chunk = malloc(sizeof(*chunk))))
        die("relay");
    chunk->next = NULL;
    chunk->sent = 0;
    return chunk;
}

static void chunk_free(struct relay *relay, struct chunk *chunk)
{
    chunk->next = relay->spare;
    relay->spare = chunk;
}

static void push(struct lane *lane, struct chunk *chunk)
{
    if (lane->last)
        lane->last->next = chunk;
    else
        lane->first = chunk;
    lane->last = chunk;
    lane->queued_bytes += chunk->len;
}

static void pop(struct relay *relay, struct lane *lane)
{
    struct chunk *chunk = lane->first;
    lane->first = chunk->next;
    if (!lane->first)
        lane->last = NULL;
    lane->queued_bytes -= chunk->len;
    chunk_free(relay, chunk);
}

/* Takes a chunk from the source; false when there is nothing now. */
static bool take(struct relay *relay, struct lane *lane, struct trunk *trunk)
{
    int64_t room = lane->tokens < trunk->tokens ? lane->tokens : trunk->tokens;
    if (lane->ended || room <= 0 || lane->queued_bytes >= relay->max_queued_bytes)
        return false;
    struct chunk *chunk = chunk_new(relay);
    ssize_t n = recv(lane->from, chunk->data, room < CHUNK_BYTES ? (size_t)room : CHUNK_BYTES,
                     MSG_DONTWAIT);
    if (n <= 0) {
        chunk_free(relay, chunk);
        lane->ended = n == 0 || errno != EAGAIN;
        return false;
    }
    chunk->len = (size_t)n;
    chunk->due_ns = now_ns() + relay->delay_ns;
    lane->tokens -= n;
    trunk->tokens -= n;
    trunk->bytes += (unsigned long long)n;
    push(lane, chunk);
    return true;
}

/* Gives the sink what is due; false when it is gone. */
static bool give(struct relay *relay, struct lane *lane, int64_t now)
{
    while (lane->first && lane->first->due_ns <= now) {
        struct chunk *chunk = lane->first;
        ssize_t n = send(lane->to, chunk->data + chunk->sent, chunk->len - chunk->sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN;
        chunk->sent += (size_t)n;
        if (chunk->sent < chunk->len)
            return true;
        pop(relay, lane);
    }
    return true;
}

static void set_up(int fd)
{
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

static void accept_all(struct relay *relay)
{
    int client;
    while (relay->n_links < MAX_LINKS &&
           (client = accept4(relay->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (server < 0 ||
            connect(server, (struct sockaddr *)&relay->target, sizeof(relay->target)) < 0) {
            close(client);
            close(server);
            continue;
        }
        set_up(client);
        set_up(server);
        relay->links[relay->n_links++] =
            (struct link){{{.from = client, .to = server}, {.from = server, .to = client}}};
        relay->n_connections++;
    }
}

static void drop(struct relay *relay, int number)
{
    struct link *link = &relay->links[number];
    for (int way = 0; way < 2; way++)
        while (link->lanes[way].first)
            pop(relay, &link->lanes[way]);
    close(link->lanes[0].from);
    close(link->lanes[0].to);
    *link = relay->links[--relay->n_links];
}

static void add_tokens(int64_t *tokens, int64_t rate, int64_t n_ticks)
{
    *tokens += rate * n_ticks;
    if (*tokens > rate * BURST_TICKS)
        *tokens = rate * BURST_TICKS;
}

/* Fills the buckets for the whole ticks that went by. */
static void fill(struct relay *relay, int64_t now)
{
    int64_t n_ticks = (now - relay->tick_ns) / TICK_NS;
    relay->tick_ns += n_ticks * TICK_NS;
    for (int way = 0; way < 2; way++) {
        add_tokens(&relay->trunks[way].tokens, relay->trunk_rate, n_ticks);
        for (int i = 0; i < relay->n_links; i++)
            add_tokens(&relay->links[i].lanes[way].tokens, relay->lane_rate, n_ticks);
    }
}

/* A chunk a lane in turn, until nobody has something or the trunk is full. */
static void take_all(struct relay *relay, int way)
{
    bool any = true;
    while (any && relay->trunks[way].tokens > 0) {
        any = false;
        for (int i = 0; i < relay->n_links; i++) {
            int number = (relay->first + i) % relay->n_links;
            any |= take(relay, &relay->links[number].lanes[way], &relay->trunks[way]);
        }
        relay->first++;
    }
}

/* One side said its last, and all of it is through: the other hears of it. A connection is over
 * with either half, which is enough for HTTP. */
static bool is_over(const struct link *link)
{
    for (int way = 0; way < 2; way++)
        if (link->lanes[way].ended && !link->lanes[way].first)
            return true;
    return false;
}

static void give_all(struct relay *relay)
{
    int64_t now = now_ns();
    for (int i = relay->n_links - 1; i >= 0; i--) {
        struct link *link = &relay->links[i];
        bool up = give(relay, &link->lanes[0], now), down = give(relay, &link->lanes[1], now);
        if (!up || !down || is_over(link))
            drop(relay, i);
    }
}

/* Sleeps for a while less than a tick while something is on its way or was a moment ago, else until
 * somebody has something. */
static void wait_for_work(struct relay *relay)
{
    struct pollfd polled[2 * MAX_LINKS + 1] = {{.fd = relay->listener, .events = POLLIN}};
    nfds_t n = 1;
    bool busy = false;
    for (int i = 0; i < relay->n_links; i++)
        for (int way = 0; way < 2; way++) {
            const struct lane *lane = &relay->links[i].lanes[way];
            busy |= lane->first || lane->tokens < relay->lane_rate;
            polled[n++] = (struct pollfd){.fd = lane->ended ? -1 : lane->from, .events = POLLIN};
        }
    if (busy)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = TICK_NS / 2}, NULL);
    else
        poll(polled, n, -1);
}

static void run(struct relay *relay)
{
    relay->tick_ns = now_ns();
    while (!ended) {
        accept_all(relay);
        fill(relay, now_ns());
        take_all(relay, 0);
        take_all(relay, 1);
        give_all(relay);
        wait_for_work(relay);
    }
    printf("%llu connections, %llu bytes up, %llu bytes down\n", relay->n_connections,
           relay->trunks[0].bytes, relay->trunks[1].bytes);
}

static int64_t rate(const char *mib_per_s)
{
    return (int64_t)(atof(mib_per_s) * (1 << 20) / (1000000000 / TICK_NS));
}

static void parse_target(struct relay *relay, char *text)
{
    char *colon = strrchr(text, ':');
    if (!colon)
        exit(64);
    *colon = '\0';
    relay->target.sin_family = AF_INET;
    relay->target.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, text, &relay->target.sin_addr) != 1)
        exit(64);
}

static void listen_anywhere(struct relay *relay)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(relay->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(relay->listener, 128) < 0 ||
        getsockname(relay->listener, (struct sockaddr *)&at, &len) < 0)
        die("relay: listen");
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct relay relay;
    if (argc != 5) {
        fprintf(stderr, "usage: relay HOST:PORT RTT-MS CONNECTION-MIB-PER-S TOTAL-MIB-PER-S\n");
        return 64;
    }
    parse_target(&relay, argv[1]);
    relay.delay_ns = (int64_t)(atof(argv[2]) * 1000000 / 2);
    relay.lane_rate = rate(argv[3]);
    relay.trunk_rate = rate(argv[4]);
    relay.max_queued_bytes = (size_t)(relay.lane_rate * (relay.delay_ns / TICK_NS + 20));
    signal(SIGTERM, end);
    signal(SIGINT, end);
    listen_anywhere(&relay);
    run(&relay);
    return 0;
}
