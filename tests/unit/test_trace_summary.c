/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/trace_summary.h"

#include <errno.h>

#include "check.h"
#include "cmd/trace_stream.h"

#define SUMMARY_CLEANUP CLEANUP(trace_summary_deinit)

static void add_file(struct trace_summary *s, const char *path)
{
    const struct trace_record file = {
        .kind = TRACE_FILE,
        .file = {.size_bytes = 1000000, .path = path, .path_len = strlen(path)}};
    CHECK_EQ(trace_summary_add(s, &file), 0);
}

static void add_read(struct trace_summary *s, const struct trace_read *read)
{
    const struct trace_record record = {.kind = TRACE_READ, .read = *read};
    CHECK_EQ(trace_summary_add(s, &record), 0);
}

static void sources_and_files_are_counted(void)
{
    SUMMARY_CLEANUP struct trace_summary s = {0};
    add_file(&s, "a");
    add_file(&s, "b");
    add_read(&s, &(struct trace_read){.source = READ_CACHED, .size = 10, .got = 10});
    add_read(&s, &(struct trace_read){
                     .source = READ_FETCHED, .size = 10, .got = 4, .began_us = 7, .took_us = 5});
    add_read(&s, &(struct trace_read){.source = READ_NOWHERE, .size = 10, .began_us = -9});
    const struct trace_record lost = {.kind = TRACE_LOST, .n_lost = 3}, end = {.kind = TRACE_END};
    CHECK_EQ(trace_summary_add(&s, &lost), 0);
    CHECK_EQ(trace_summary_add(&s, &lost), 0);
    CHECK(!s.has_end);
    CHECK_EQ(trace_summary_add(&s, &end), 0);
    CHECK(s.has_end);
    CHECK_EQ(s.all.n_reads, 3);
    CHECK_EQ(s.all.n_bytes, 14);
    CHECK_EQ(s.sources[READ_CACHED].n_bytes, 10);
    CHECK_EQ(s.sources[READ_FETCHED].n_bytes, 4);
    CHECK_EQ(s.sources[READ_JOINED].n_reads, 0);
    CHECK_EQ(s.n_files, 2);
    CHECK_EQ(s.n_files_read, 1);
    CHECK_EQ(s.n_lost, 6);
    CHECK_EQ(s.ended_us, 12);
}

static void latencies_are_of_all_reads_and_of_each_source(void)
{
    SUMMARY_CLEANUP struct trace_summary s = {0};
    add_file(&s, "a");
    for (uint64_t i = 1; i <= 100; i++)
        add_read(&s, &(struct trace_read){.source = i <= 50 ? READ_CACHED : READ_FETCHED,
                                          .took_us = i <= 50   ? 3
                                                     : i <= 99 ? 1000
                                                               : 80000});
    const struct histogram *all = &s.all.latencies_us,
                           *cached = &s.sources[READ_CACHED].latencies_us;
    CHECK_EQ(histogram_count(all), 100);
    CHECK_EQ(histogram_count(cached), 50);
    CHECK(histogram_quantile(cached, 0.99) <= 3);
    CHECK(histogram_quantile(all, 0.5) <= 3);
    CHECK(histogram_quantile(all, 0.99) >= 1000 && histogram_quantile(all, 0.99) <= 1250);
    CHECK_EQ(histogram_quantile(all, 1), 80000);
}

/* How sequential reads of ten bytes at these places are, in hundredths. */
static int sequential(const uint64_t *places, size_t n)
{
    SUMMARY_CLEANUP struct trace_summary s = {0};
    add_file(&s, "a");
    for (size_t i = 0; i < n; i++)
        add_read(&s, &(struct trace_read){.off = places[i], .size = 10, .got = 10});
    return trace_file_sequential(&s.files[0]);
}

static void reads_in_sequence_are_told_from_others(void)
{
    static const struct {
        uint64_t places[6];
        size_t n;
        int want;
    } cases[] = {
        {{0}, 0, -1},
        {{0}, 1, -1},
        {{0, 10, 20, 30}, 4, 100},
        {{500, 510, 520}, 3, 100},
        {{0, 20, 10, 40, 30, 50}, 6, 60}, /* two at a time: each second one closes a gap */
        {{0, 100, 200, 300}, 4, 0},
        {{30, 20, 10, 0}, 4, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(sequential(cases[i].places, cases[i].n), cases[i].want);
}

static int keep_first(void *ctx, const struct trace_record *record)
{
    enum trace_kind *kind = ctx;
    *kind = record->kind;
    return record->kind == TRACE_LOST ? -ECANCELED : 0;
}

static void a_stream_tells_whole_records(void)
{
    struct trace_coder coder = {0};
    struct trace_stream stream = {0};
    BUF_CLEANUP struct buf bytes = {0};
    enum trace_kind kind = TRACE_END;
    CHECK_EQ(trace_put_start(&coder, 1, &bytes), 0);
    size_t start = bytes.len;
    CHECK_EQ(trace_put_file(&coder, 1, "a", &bytes), 0);
    size_t file = bytes.len;
    CHECK_EQ(trace_put_lost(&coder, 1, &bytes), 0);
    CHECK_EQ(trace_stream_add(&stream, bytes.data, start + 1, keep_first, &kind), 0);
    CHECK_EQ(kind, TRACE_START);
    CHECK_EQ(stream.n_told_bytes, start);
    CHECK_EQ(stream.rest.len, 1);
    CHECK_EQ(trace_stream_add(&stream, bytes.data + start + 1, file - start - 1, keep_first, &kind),
             0);
    CHECK_EQ(kind, TRACE_FILE);
    CHECK_EQ(stream.rest.len, 0);
    CHECK_EQ(trace_stream_add(&stream, bytes.data + file, bytes.len - file, keep_first, &kind),
             -ECANCELED);
    CHECK_EQ(trace_stream_add(&stream, "\xff", 1, keep_first, &kind), -EPROTO);
    CHECK_EQ(stream.n_told_bytes, bytes.len);
    trace_stream_deinit(&stream);
    trace_coder_deinit(&coder);
}

static void memory_may_be_short(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        struct trace_summary s = {0};
        const struct trace_record file = {.kind = TRACE_FILE, .file = {.path = "a", .path_len = 1}};
        int r = trace_summary_add(&s, &file);
        CHECK_EQ(r, check_alloc_hit ? -ENOMEM : 0);
        CHECK_EQ(s.n_files, r == 0);
        trace_summary_deinit(&s);
    }
}

int main(void)
{
    TEST("sources and files are counted", sources_and_files_are_counted);
    TEST("latencies are of all reads and of each source",
         latencies_are_of_all_reads_and_of_each_source);
    TEST("reads in sequence are told from others", reads_in_sequence_are_told_from_others);
    TEST("a stream tells whole records", a_stream_tells_whole_records);
    TEST("memory may be short", memory_may_be_short);
    return check_done();
}
