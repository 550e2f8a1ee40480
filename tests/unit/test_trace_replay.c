/* SPDX-License-Identifier: Apache-2.0 */
/* What programs read, recorded once (tests/data/traces), is read again on a simulated far link by
 * the read-ahead of today. The figures are the same on every machine; a change of streams or window
 * that costs one of these programs bytes or waiting shows here. */
#include <dirent.h>

#include "check.h"
#include "trace_replay.h"

enum { PATH_BYTES = 512 };

/* The most that a program may cost: what it was when this was written, and a little. When a change
 * is for the better, write its figures here (they are printed). */
static const struct limit {
    const char *name;
    int permille;      /* bytes fetched, of each thousand that it read */
    unsigned waits;    /* reads that had to wait for bytes */
    unsigned requests; /* ranges asked of the registry */
    unsigned ms;       /* virtual time */
} limits[] = {
    {"mmap.trace", 1020, 9, 98, 483},
    {"onnx.trace", 1020, 8, 58, 223},
    {"safetensors-rank.trace", 1142, 22, 122, 441},
    {"safetensors.trace", 1020, 13, 109, 394},
    {"shards.trace", 1020, 46, 95, 760},
    {"tensorflow-weights.trace", 2045, 18, 116, 365},
    {"tensorflow.trace", 1020, 20, 102, 450},
    {"torch-zip.trace", 1020, 9, 70, 336},
};

enum { N_LIMITS = sizeof(limits) / sizeof(limits[0]) };

static const char *path_of(const char *name, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%s", TRACES_DIR, name);
    return out;
}

static void programs_cost_no_more_than_they_did(void)
{
    for (size_t i = 0; i < N_LIMITS; i++) {
        const struct limit *limit = &limits[i];
        char path[PATH_BYTES];
        struct replay r;
        bool is_read = replay_init(&r, path_of(limit->name, path), &far_link);
        CHECK(is_read);
        if (is_read && r.bytes_distinct) {
            int permille =
                (int)((r.bytes_fetched * 1000 + r.bytes_distinct - 1) / r.bytes_distinct);
            printf("# %s: %zu reads, %d of 1000 bytes fetched, %u waits, %u requests, %.0f ms\n",
                   limit->name, r.n_reads, permille, (unsigned)r.n_waits, (unsigned)r.n_requests,
                   r.sim->now_ms);
            CHECK(r.bytes_fetched >= r.bytes_distinct);
            CHECK(permille <= limit->permille);
            CHECK(r.n_waits <= limit->waits);
            CHECK(r.n_requests <= limit->requests);
            CHECK(r.sim->now_ms <= limit->ms);
        }
        replay_deinit(&r);
    }
}

static void each_recording_has_its_limits(void)
{
    DIR *dir = opendir(TRACES_DIR);
    size_t n = 0;
    CHECK(dir != NULL);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        const char *dot = strrchr(entry->d_name, '.');
        bool known = !dot || strcmp(dot, ".trace") != 0;
        n += !known;
        for (size_t i = 0; !known && i < N_LIMITS; i++)
            known = strcmp(limits[i].name, entry->d_name) == 0;
        if (!known)
            printf("# %s has no line in limits\n", entry->d_name);
        CHECK(known);
    }
    if (dir)
        closedir(dir);
    CHECK_EQ(n, N_LIMITS);
}

/* --- the replay itself, on recordings made here --- */

static const char *made_path(char out[PATH_BYTES])
{
    const char *folder = getenv("TMPDIR");
    snprintf(out, PATH_BYTES, "%s/test_trace_replay.%d", folder ? folder : "/tmp", (int)getpid());
    return out;
}

#define MIB(n) (UINT64_C(n) << 20)

struct made {
    struct trace_coder coder;
    struct buf bytes;
};

static void made_begin(struct made *made, uint64_t size)
{
    *made = (struct made){0};
    trace_put_start(&made->coder, 1, &made->bytes);
    trace_put_file(&made->coder, size, "p/m/f", &made->bytes);
}

static void made_add(struct made *made, uint64_t off, uint32_t size, int64_t began_us,
                     uint64_t took_us)
{
    const struct trace_read read = {.source = READ_FETCHED,
                                    .off = off,
                                    .size = size,
                                    .got = size,
                                    .began_us = began_us,
                                    .took_us = took_us};
    CHECK_EQ(trace_put_read(&made->coder, &read, &made->bytes), 0);
}

/* Ends the recording and reads it again. */
static void made_replay(struct made *made, struct replay *r)
{
    char path[PATH_BYTES];
    trace_put_end(&made->coder, &made->bytes);
    FILE *file = fopen(made_path(path), "wb");
    CHECK(file && fwrite(made->bytes.data, 1, made->bytes.len, file) == made->bytes.len);
    if (file)
        fclose(file);
    CHECK(replay_init(r, path, &far_link));
    remove(path);
    trace_coder_deinit(&made->coder);
    buf_deinit(&made->bytes);
}

static void reads_one_after_the_other_wait_one_by_one(void)
{
    struct made made;
    struct replay r;
    made_begin(&made, MIB(1000));
    for (uint64_t i = 0; i < 5; i++) /* far from each other; nothing is read ahead */
        made_add(&made, MIB(100) * (i + 1), 65536, (int64_t)i * 100000, 50000);
    made_replay(&made, &r);
    CHECK_EQ(r.n_waits, 5);
    CHECK_EQ(r.n_requests, 5);
    CHECK_EQ(r.bytes_distinct, 5 * 65536);
    CHECK_EQ(r.bytes_fetched, 5 * 65536);
    CHECK(r.sim->now_ms >= 5 * far_link.rtt_ms + 4 * MAX_THINK_MS);
    CHECK(r.sim->now_ms <= 5 * (far_link.rtt_ms + 5) + 4 * MAX_THINK_MS);
    replay_deinit(&r);
}

static void reads_side_by_side_wait_together(void)
{
    struct made made;
    struct replay r;
    made_begin(&made, MIB(1000));
    for (uint64_t i = 0; i < 5; i++)
        made_add(&made, MIB(100) * (i + 1), 65536, (int64_t)i * 100, 50000);
    made_replay(&made, &r);
    CHECK_EQ(r.n_waits, 5);
    CHECK(r.sim->now_ms <= far_link.rtt_ms + 10);
    replay_deinit(&r);
}

static void what_was_brought_is_not_waited_for(void)
{
    struct made made;
    struct replay r;
    made_begin(&made, 100000); /* fetched whole at the first touch */
    for (uint64_t i = 0; i < 5; i++)
        made_add(&made, i * 4096, 4096, (int64_t)i * 1000, 900);
    made_add(&made, 0, 4096, 9000, 0);
    made_add(&made, 200000, 4096, 9100, 0); /* behind the end: not a read */
    made_replay(&made, &r);
    CHECK_EQ(r.n_reads, 6);
    CHECK_EQ(r.n_waits, 1);
    CHECK_EQ(r.n_requests, 1);
    CHECK_EQ(r.bytes_distinct, 5 * 4096);
    CHECK_EQ(r.bytes_fetched, 100000);
    replay_deinit(&r);
}

static void what_is_no_whole_trace_is_not_replayed(void)
{
    char path[PATH_BYTES];
    struct replay r;
    FILE *file = fopen(made_path(path), "wb");
    CHECK(file != NULL);
    if (file) {
        fputs(TRACE_MAGIC "\1", file);
        fclose(file);
    }
    CHECK(!replay_init(&r, path, &far_link));
    replay_deinit(&r);
    remove(path);
    CHECK(!replay_init(&r, path, &far_link));
    replay_deinit(&r);
}

int main(void)
{
    TEST("reads one after the other wait one by one", reads_one_after_the_other_wait_one_by_one);
    TEST("reads side by side wait together", reads_side_by_side_wait_together);
    TEST("what was brought is not waited for", what_was_brought_is_not_waited_for);
    TEST("what is no whole trace is not replayed", what_is_no_whole_trace_is_not_replayed);
    TEST("programs cost no more than they did", programs_cost_no_more_than_they_did);
    TEST("each recording has its limits", each_recording_has_its_limits);
    return check_done();
}
