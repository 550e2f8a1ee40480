/* SPDX-License-Identifier: Apache-2.0 */
/* One screen of a mount's stats, and one line. */
#include "cmd/look_text.h"

#include <errno.h>

#include "cmd/screen.h"

#include "check.h"

static struct look before, now;

static const char text_before[] = "uptime_ms 10000\nlookups 10\nreads 100\n"
                                  "answered_cached_bytes 1048576\n"
                                  "latency_lookup_ns 10 1024:10\nlatency_lookup_sum_ns 9000\n"
                                  "latency_lookup_max_ns 1000\n"
                                  "latency_xattr_ns 0\nlatency_xattr_sum_ns 0\n"
                                  "latency_xattr_max_ns 0\n"
                                  "latency_read_cached_ns 100 1048576:100\n"
                                  "latency_read_cached_sum_ns 100000000\n"
                                  "latency_read_cached_max_ns 1000000\n"
                                  "bytes_asked 1048576\nbytes_fetched 0\n";

/* Two seconds later: 20 fast reads, a slow one. */
static const char text_now[] =
    "uptime_ms 12000\nlookups 10\nreads 121\n"
    "answered_cached_bytes 4194304\nanswered_joined_bytes 0\nanswered_fetched_bytes 1048576\n"
    "latency_lookup_ns 10 1024:10\nlatency_lookup_sum_ns 9000\nlatency_lookup_max_ns 1000\n"
    "latency_xattr_ns 0\nlatency_xattr_sum_ns 0\nlatency_xattr_max_ns 0\n"
    "latency_read_cached_ns 120 16384:20 1048576:100\nlatency_read_cached_sum_ns 100300000\n"
    "latency_read_cached_max_ns 1000000\n"
    "latency_read_fetched_ns 1 83886080:1\nlatency_read_fetched_sum_ns 80000000\n"
    "latency_read_fetched_max_ns 80000000\n"
    "bytes_asked 5242880\nbytes_fetched 3145728\nretries 2\nfailures 0\n"
    "files_open 2\nfiles_streaming 1\nstreams 3\nwindow_bytes 25165824\nahead_bytes 8388608\n"
    "memory_used_bytes 12582912\nmemory_limit_bytes 268435456\nmemory_kept_bytes 31457280\n"
    "connections_open 4\ntransfers_active 2\ntransfers_queued 1\nhttp_requests 30\n"
    "origin_rtt_us 250 near.test:80\norigin_connection_bytes_per_s 104857600 near.test:80\n"
    "origin_total_bytes_per_s 1073741824 near.test:80\n"
    "cache_used_bytes 1073741824\ncache_limit_bytes 10737418240\ncache_blocks 1024\n"
    "cache_hits 120\ncache_misses 1\ncache_pending_bytes 0\ncache_written_blocks 9\n"
    "cache_evicted_blocks 1\ncache_dropped_blocks 2\ncache_damaged_blocks 0\ncache_works 1\n"
    "listings_fetched 3\nlistings_failed 0\nlistings_stale_served 1\ninodes 57\n";

static struct look_text setup(bool is_live)
{
    CHECK_EQ(look_parse(text_before, &before), 0);
    CHECK_EQ(look_parse(text_now, &now), 0);
    return (struct look_text){"/mnt/models", "dir:///srv", &now, is_live ? &before : NULL};
}

/* The screen without colours. */
static void format(const struct look_text *text, struct buf *out)
{
    BUF_CLEANUP struct buf marked = {0};
    CHECK_EQ(look_text_format(text, &marked), 0);
    CHECK_EQ(screen_format(marked.data, (struct screen_size){0}, false, false, out), 0);
}

static void once_it_tells_of_the_time_since_the_mount(void)
{
    struct look_text text = setup(false);
    BUF_CLEANUP struct buf out = {0};
    format(&text, &out);
    CHECK_STR(out.data,
              "up 0:12  /mnt/models  dir:///srv\n"
              "\n"
              "since the mount      number     p50     p90     p99     max      bytes  share\n"
              "lookup                   10  1.0 us  1.0 us  1.0 us  1.0 us          -      -\n"
              "read, block cache       120  1.0 ms  1.0 ms  1.0 ms  1.0 ms    4.0 MiB    80%\n"
              "read, network             1   80 ms   80 ms   80 ms   80 ms    1.0 MiB    20%\n"
              "\n"
              "read-ahead   in 1 of 2 open files: 3 streams, 8.0 MiB ahead, windows of 24.0 MiB\n"
              "memory       12.0 MiB of 256 MiB in use, 30.0 MiB kept for reuse\n"
              "network      3.0 MiB fetched for 5.0 MiB asked (0.60), 2 retries, 0 failures\n"
              "connections  4 open, 2 busy, 1 requests queued; 30 requests so far\n"
              "  near.test:80  250 us away, 100 MiB/s a connection, 1.0 GiB/s in all\n"
              "cache        1.0 GiB of 10.0 GiB, 0 B pending; 120 hits, 1 misses\n"
              "             1024 blocks; 9 written, 1 evicted, 2 dropped, 0 damaged\n"
              "listings     3 fetched, 0 failed, 1 stale ones used; 57 inodes\n");
}

static void live_it_tells_of_what_came_between(void)
{
    struct look_text text = setup(true);
    BUF_CLEANUP struct buf out = {0};
    format(&text, &out);
    CHECK(
        strstr(out.data,
               "\n"
               "the last 2.0 s           /s     p50     p90     p99     max    bytes/s  share\n"
               "lookup                    0       -       -       -       -          -      -\n"
               "read, block cache        10   16 us   16 us   16 us   16 us    1.5 MiB    75%\n"
               "read, network           0.5   80 ms   80 ms   80 ms   80 ms    512 KiB    25%\n"));
    CHECK(strstr(out.data, "\nnetwork      1.5 MiB/s fetched for 2.0 MiB/s asked (0.75), "));
}

static void a_screen_is_80_columns_wide(void)
{
    struct look_text text = setup(false);
    BUF_CLEANUP struct buf out = {0};
    format(&text, &out);
    for (const char *line = out.data; *line; line += strcspn(line, "\n") + 1)
        CHECK(strcspn(line, "\n") <= 80);
}

static void trouble_is_red(void)
{
    struct look_text text = setup(false);
    BUF_CLEANUP struct buf calm = {0}, alarmed = {0};
    CHECK_EQ(look_text_format(&text, &calm), 0);
    CHECK(!strstr(calm.data, SCREEN_RED));
    for (size_t i = 0; i < now.n_figures; i++)
        if (strcmp(now.figures[i].name, "failures") == 0)
            now.figures[i].value = 7;
    CHECK_EQ(look_text_format(&text, &alarmed), 0);
    CHECK(strstr(alarmed.data, SCREEN_RED "7 failures" SCREEN_NORMAL));
}

static void a_cache_that_does_not_work_is_told_from_none(void)
{
    BUF_CLEANUP struct buf none = {0}, broken = {0};
    struct look_text text = {.dir = "/m", .source = "s", .now = &now};
    CHECK_EQ(look_parse("lookups 0\nreads 0\ncache_works 0\ncache_limit_bytes 0\n", &now), 0);
    format(&text, &none);
    CHECK(strstr(none.data, "\ncache        none\n"));
    CHECK_EQ(look_parse("lookups 0\nreads 0\ncache_works 0\ncache_limit_bytes 99\n", &now), 0);
    format(&text, &broken);
    CHECK(strstr(broken.data, "\ncache        it does not work"));
}

static void names_from_elsewhere_do_not_speak_to_the_terminal(void)
{
    BUF_CLEANUP struct buf out = {0};
    struct look_text text = setup(false);
    text.dir = "/mnt\x1b[2J\nx";
    text.source = "dir:///\001\002\x7f";
    format(&text, &out);
    CHECK(strstr(out.data, "up 0:12  /mnt?[2J?x  dir:///???\n") == out.data);
}

static void a_line_tells_the_same_in_short(void)
{
    BUF_CLEANUP struct buf out = {0};
    struct look_text text = setup(true);
    CHECK_EQ(look_line_format(&text, &out), 0);
    CHECK_STR(out.data, "        10       1.5 MiB           0 B       512 KiB   75%   16 us   "
                        "80 ms       1.5 MiB\n");
    CHECK_EQ(strlen(out.data), strlen(look_line_heading));
}

static void a_line_of_nothing_has_dashes(void)
{
    BUF_CLEANUP struct buf out = {0};
    setup(true);
    CHECK_EQ(look_line_format(&(struct look_text){"/m", "s", &now, &now}, &out), 0);
    CHECK_STR(out.data, "         0           0 B           0 B           0 B     -       -       "
                        "-           0 B\n");
}

static void a_lack_of_memory_is_said(void)
{
    struct look_text text = setup(true);
    FOR_EACH_ALLOC_FAILURE
    {
        BUF_CLEANUP struct buf out = {0};
        int r = look_text_format(&text, &out);
        CHECK_EQ(r, check_alloc_hit ? -ENOMEM : 0);
    }
}

int main(void)
{
    TEST("once, it tells of the time since the mount", once_it_tells_of_the_time_since_the_mount);
    TEST("live, it tells of what came between", live_it_tells_of_what_came_between);
    TEST("a screen is 80 columns wide", a_screen_is_80_columns_wide);
    TEST("trouble is red", trouble_is_red);
    TEST("a cache that does not work is told from none",
         a_cache_that_does_not_work_is_told_from_none);
    TEST("names from elsewhere do not speak to the terminal",
         names_from_elsewhere_do_not_speak_to_the_terminal);
    TEST("a line tells the same in short", a_line_tells_the_same_in_short);
    TEST("a line of nothing has dashes", a_line_of_nothing_has_dashes);
    TEST("a lack of memory is said", a_lack_of_memory_is_said);
    return check_done();
}
