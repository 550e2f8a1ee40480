/* SPDX-License-Identifier: Apache-2.0 */
/* Read-ahead tried on a simulated link: what readers of many kinds get of it, and what is fetched
 * in vain. Thousands of traces from seeds; no figure here depends on the machine. */
#include "reader_sim.h"

#include "check.h"

#define MIB(n) (UINT64_C(n) << 20)

enum { MAX_READERS = 8, TRACES = 3000 };

/* Who reads: places in order, each read begun when the one before is answered. */
struct reader {
    uint64_t begin, end; /* of the part it reads now */
    uint64_t step;       /* from the begin of one part to that of the next; 0: only one */
    uint64_t read_bytes;
    uint64_t pos;
    double starts_ms;
    bool waits;
};

struct trace {
    struct sim *sim;
    struct reader_sim file;
    int n_readers;
    struct reader readers[MAX_READERS];
};

static uint64_t random_state;

static uint64_t random_below(uint64_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % n;
}

static void begin_read(struct trace *t, uint64_t off, uint64_t len)
{
    reader_sim_begin(&t->file, t->sim, off, len);
}

static bool is_done(const struct reader *r, uint64_t size)
{
    return r->pos >= size || (r->pos >= r->end && !r->step);
}

static void go_on(struct reader *r, uint64_t len)
{
    r->pos += len;
    if (r->pos == r->end && r->step) {
        r->begin += r->step;
        r->end += r->step;
        r->pos = r->begin;
    }
}

/* One read: how many bytes it brought; 0 while it waits, or when there is nothing more to read. */
static uint64_t read_once(struct trace *t, struct reader *r)
{
    if (is_done(r, t->sim->size) || t->sim->now_ms < r->starts_ms)
        return 0;
    uint64_t len = min_u64(r->read_bytes, min_u64(r->end, t->sim->size) - r->pos);
    if (!r->waits)
        begin_read(t, r->pos, len);
    r->waits = !sim_has(t->sim, r->pos, len);
    if (r->waits)
        return 0;
    go_on(r, len);
    return len;
}

/* What a reader gets done in a millisecond: 2 MiB at most. */
static void read_on(struct trace *t, struct reader *r)
{
    uint64_t done = 0, len;
    while (done < MIB(2) && (len = read_once(t, r)))
        done += len;
}

/* Reads until all have read all. */
static void run(struct trace *t)
{
    for (bool goes_on = true; goes_on;) {
        goes_on = false;
        for (int i = 0; i < t->n_readers; i++) {
            read_on(t, &t->readers[i]);
            goes_on |= !is_done(&t->readers[i], t->sim->size);
        }
        sim_step(t->sim);
    }
}

static struct trace *trace_new(const struct sim_link *link, uint64_t size)
{
    struct trace *t = calloc(1, sizeof(*t));
    t->sim = sim_new(link, size);
    t->file.size = size;
    return t;
}

static void trace_free(struct trace *t)
{
    sim_free(t->sim);
    free(t);
}

static struct reader reads(uint64_t begin, uint64_t end, uint64_t read_bytes)
{
    return (struct reader){.begin = begin, .end = end, .pos = begin, .read_bytes = read_bytes};
}

/* How much of the link was used, in thousandths. */
static int64_t used_of(const struct sim *sim)
{
    return (int64_t)(1000 * (double)sim->size / sim->link.total_rate / sim->now_ms);
}

static void one_reader_fills_a_far_link(void)
{
    static const uint64_t read_bytes[] = {64 << 10, 128 << 10, 256 << 10, 1 << 20};
    for (size_t i = 0; i < sizeof(read_bytes) / sizeof(read_bytes[0]); i++) {
        struct trace *t = trace_new(&far_link, MIB(1024));
        t->readers[t->n_readers++] = reads(0, t->sim->size, read_bytes[i]);
        run(t);
        CHECK(used_of(t->sim) >= 950);
        CHECK(t->sim->most_in_flight_bytes <= MIB(66));
        CHECK_EQ(t->sim->bytes_fetched, t->sim->size);
        trace_free(t);
    }
}

/* A link that some 28 ranges of 2 MiB can fill with less than half of a window on their way. */
static struct sim_link random_link(void)
{
    struct sim_link link = {.connections = 32, .for_bulk = 28};
    link.rtt_ms = 1 + (double)random_below(60);
    link.total_rate = 1048.576 * (50 + (double)random_below(250));
    link.connection_rate = link.total_rate / (1 + (double)random_below(8));
    return link;
}

static void one_reader_fills_links_of_many_kinds(void)
{
    random_state = 1;
    for (int i = 0; i < 100; i++) {
        struct sim_link link = random_link();
        struct trace *t = trace_new(&link, MIB(256) + random_below(MIB(256)));
        t->readers[t->n_readers++] = reads(0, t->sim->size, UINT64_C(4096) << random_below(9));
        run(t);
        /* Opening costs some round trips, then the link is full. */
        double least_ms = (double)t->sim->size / link.total_rate;
        CHECK(t->sim->now_ms <= least_ms * 1.04 + 5 * link.rtt_ms + 40);
        CHECK(t->sim->most_in_flight_bytes <= MIB(66));
        trace_free(t);
    }
}

static struct trace *ranks(bool interleaved, uint64_t size, uint64_t part_bytes)
{
    struct trace *t = trace_new(&far_link, size);
    for (uint64_t i = 0; i < MAX_READERS; i++) {
        uint64_t part = interleaved ? part_bytes : size / MAX_READERS;
        struct reader r = reads(i * part, (i + 1) * part, 1 << 20);
        r.step = interleaved ? MAX_READERS * part : 0;
        t->readers[t->n_readers++] = r;
    }
    run(t);
    return t;
}

static void ranks_are_as_fast_as_one_reader(void)
{
    static const struct {
        bool interleaved;
        uint64_t part_bytes;
    } cases[] = {{false, 0}, {true, MIB(1)}, {true, MIB(4)}, {true, MIB(16)}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct trace *t = ranks(cases[i].interleaved, MIB(1024), cases[i].part_bytes);
        CHECK(used_of(t->sim) >= 870);
        CHECK_EQ(t->sim->bytes_fetched, t->sim->size);
        trace_free(t);
    }
}

/* Places far from each other, each with a run of reads. */
static void short_runs_fetch_little_in_vain(void)
{
    static const uint64_t far = MIB(64);
    random_state = 2;
    for (int i = 0; i < TRACES; i++) {
        uint64_t read_bytes = UINT64_C(4096) << random_below(8);
        uint64_t run_bytes = read_bytes * (1 + random_below(MIB(1) / read_bytes - 1));
        struct trace *t = trace_new(&far_link, far * 4);
        uint64_t begin = far * 2 + random_below(far) / 4096 * 4096;
        t->readers[t->n_readers++] = reads(begin, begin + run_bytes, read_bytes);
        run(t);
        uint64_t fetched = t->sim->bytes_fetched + t->sim->in_flight_bytes;
        CHECK(fetched <= 2 * run_bytes + 3 * SIM_PIECE_BYTES);
        trace_free(t);
    }
}

static void random_reads_fetch_what_was_asked(void)
{
    random_state = 3;
    struct trace *t = trace_new(&far_link, MIB(4096));
    uint64_t asked = 0;
    for (int i = 0; i < 400; i++) {
        begin_read(t, (1 + random_below(4000)) * MIB(1), 256 << 10);
        asked += 256 << 10;
    }
    /* Some of them happen to lie beside each other. */
    CHECK(t->sim->in_flight_bytes <= asked * 13 / 10);
    trace_free(t);
}

/* What it reads first, the other has left out, and its window does not reach back to it. */
static void who_reads_behind_another_has_a_window_too(void)
{
    struct trace *t = trace_new(&far_link, MIB(1024));
    t->readers[t->n_readers++] = reads(MIB(100), MIB(130), 128 << 10);
    t->readers[t->n_readers] = reads(MIB(80), MIB(100), 128 << 10);
    t->readers[t->n_readers++].starts_ms = 1000;
    run(t);
    CHECK(t->sim->now_ms <= 1000 + 350);
    trace_free(t);
}

/* Milliseconds until a read of 256 KiB at @off is answered, while @t's readers go on. */
static double time_read(struct trace *t, uint64_t off)
{
    double began_ms = t->sim->now_ms;
    begin_read(t, off, 256 << 10);
    while (!sim_has(t->sim, off, 256 << 10)) {
        for (int i = 0; i < t->n_readers; i++)
            read_on(t, &t->readers[i]);
        sim_step(t->sim);
    }
    return t->sim->now_ms - began_ms;
}

/* The longest of some reads, far behind what @bulk reads. */
static double slowest_read(bool bulk)
{
    struct trace *t = trace_new(&far_link, MIB(8192));
    double slowest_ms = 0;
    if (bulk)
        t->readers[t->n_readers++] = reads(0, MIB(4096), 1 << 20);
    for (int i = 0; i < 200; i++) { /* until its window is open */
        if (bulk)
            read_on(t, &t->readers[0]);
        sim_step(t->sim);
    }
    for (uint64_t i = 0; i < 100; i++) {
        double ms = time_read(t, MIB(4200) + i * 37 % 100 * MIB(30) + (12 << 10));
        slowest_ms = ms > slowest_ms ? ms : slowest_ms;
    }
    trace_free(t);
    return slowest_ms;
}

static void who_waits_is_served_beside_a_bulk_reader(void)
{
    double idle_ms = slowest_read(false), busy_ms = slowest_read(true);
    CHECK(idle_ms <= 30 + 8);
    CHECK(busy_ms <= 1.6 * idle_ms);
}

int main(void)
{
    TEST("one reader fills a far link", one_reader_fills_a_far_link);
    TEST("one reader fills links of many kinds", one_reader_fills_links_of_many_kinds);
    TEST("ranks are as fast as one reader", ranks_are_as_fast_as_one_reader);
    TEST("short runs fetch little in vain", short_runs_fetch_little_in_vain);
    TEST("random reads fetch what was asked for", random_reads_fetch_what_was_asked);
    TEST("who reads behind another has a window, too", who_reads_behind_another_has_a_window_too);
    TEST("who waits is served beside a bulk reader", who_waits_is_served_beside_a_bulk_reader);
    return check_done();
}
