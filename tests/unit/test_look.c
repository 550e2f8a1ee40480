/* SPDX-License-Identifier: Apache-2.0 */
/* What `modelfs stats` reads of a mount, and what a mount writes of its latencies. */
#include "cmd/look.h"

#include <errno.h>

#include "cmd/look_json.h"
#include "cmd/mount_latency.h"

#include "check.h"

static struct look look, earlier;

static const char small_text[] = "uptime_ms 5000\n"
                                 "lookups 3\n"
                                 "reads 4\n"
                                 "answered_cached_bytes 300\n"
                                 "answered_joined_bytes 60\n"
                                 "answered_fetched_bytes 40\n"
                                 "bytes_asked 400\n"
                                 "bytes_fetched 500\n"
                                 "latency_lookup_ns 3 1024:2 4096:1\n"
                                 "latency_lookup_sum_ns 5000\n"
                                 "latency_lookup_max_ns 3300\n"
                                 "latency_read_cached_ns 2 512:2\n"
                                 "latency_read_cached_sum_ns 900\n"
                                 "latency_read_cached_max_ns 500\n"
                                 "latency_read_fetched_ns 1 2097152:1\n"
                                 "latency_read_fetched_sum_ns 2000000\n"
                                 "latency_read_fetched_max_ns 2000000\n"
                                 "latency_read_other_ns 1 16777216:1\n"
                                 "latency_read_other_sum_ns 16000000\n"
                                 "latency_read_other_max_ns 16000000\n"
                                 "origin_rtt_us 250 near.test:80\n"
                                 "origin_rtt_us 80000 far.test:443\n"
                                 "origin_total_bytes_per_s 900 far.test:443\n"
                                 "origin_connection_bytes_per_s 100 far.test:443\n";

static void figures_are_found_by_name(void)
{
    CHECK_EQ(look_parse(small_text, &look), 0);
    CHECK_EQ(look_get(&look, "lookups"), 3);
    CHECK_EQ(look_get(&look, "uptime_ms"), 5000);
    CHECK_EQ(look_get(&look, "nothing_such"), 0);
    CHECK_EQ(look.n_figures, 8);
}

static void latencies_have_buckets_sum_and_max(void)
{
    struct histogram h;
    CHECK_EQ(look_parse(small_text, &look), 0);
    CHECK_EQ(look.n_latencies, 4);
    look_latency(&look, NULL, "lookup", &h);
    CHECK_EQ(histogram_count(&h), 3);
    CHECK_EQ(h.sum, 5000);
    CHECK_EQ(h.max, 3300);
    CHECK_EQ(histogram_quantile(&h, 0.5), 1023);
    CHECK_EQ(histogram_quantile(&h, 1), 3300);
    look_latency(&look, NULL, "mkdir", &h);
    CHECK_EQ(histogram_count(&h), 0);
}

static void origins_are_put_together_by_name(void)
{
    CHECK_EQ(look_parse(small_text, &look), 0);
    CHECK_EQ(look.n_origins, 2);
    CHECK_STR(look.origins[0].name, "near.test:80");
    CHECK_EQ(look.origins[0].rtt_us, 250);
    CHECK_EQ(look.origins[0].total_bytes_per_s, 0);
    CHECK_STR(look.origins[1].name, "far.test:443");
    CHECK_EQ(look.origins[1].rtt_us, 80000);
    CHECK_EQ(look.origins[1].connection_bytes_per_s, 100);
    CHECK_EQ(look.origins[1].total_bytes_per_s, 900);
}

static void what_came_between_two_looks_is_a_difference(void)
{
    struct histogram h;
    CHECK_EQ(look_parse("lookups 1\nreads 9\nlatency_lookup_ns 1 4096:1\n"
                        "latency_lookup_sum_ns 3000\nlatency_lookup_max_ns 3000\n",
                        &earlier),
             0);
    CHECK_EQ(look_parse(small_text, &look), 0);
    CHECK_EQ(look_grew(&look, &earlier, "lookups"), 2);
    CHECK_EQ(look_grew(&look, NULL, "lookups"), 3);
    CHECK_EQ(look_grew(&look, &earlier, "reads"), 0); /* it shrank: another mount */
    look_latency(&look, &earlier, "lookup", &h);
    CHECK_EQ(histogram_count(&h), 2);
    CHECK_EQ(h.sum, 2000);
    CHECK_EQ(h.max, 1023);
}

static void what_is_not_known_is_passed_over(void)
{
    CHECK_EQ(look_parse("lookups 1\n"
                        "reads 2\n"
                        "\n"
                        "a word\n"
                        "word\n"
                        " 5\n"
                        "negative -1\n"
                        "huge 99999999999999999999999\n"
                        "glued 12x\n"
                        "latency_odd 5\n"
                        "latency_lookup_ns 1 nonsense\n"
                        "origin_rtt_us 5\n"
                        "origin_shoe_size 46 far.test:80\n"
                        "later 7 with words behind it\n"
                        "a_name_that_is_longer_than_any_name_that_we_would_give_it 1\n"
                        "last 8",
                        &look),
             0);
    CHECK_EQ(look.n_figures, 4);
    CHECK_EQ(look_get(&look, "later"), 7);
    CHECK_EQ(look_get(&look, "last"), 8);
    CHECK_EQ(look_get(&look, "glued"), 0);
    CHECK_EQ(look.n_origins, 1);
}

static void another_files_text_is_refused(void)
{
    CHECK_EQ(look_parse("", &look), -EINVAL);
    CHECK_EQ(look_parse("{\"a\": 1}\n", &look), -EINVAL);
    CHECK_EQ(look_parse("lookups many\nreads few\n", &look), -EINVAL);
}

static void more_than_there_is_room_for_is_left_out(void)
{
    BUF_CLEANUP struct buf text = {0};
    buf_puts(&text, "lookups 1\nreads 2\n");
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "figure%d 1\nlatency_op%d_ns 1 4:1\norigin_rtt_us 5 host%d:80\n", i, i,
                   i);
    CHECK_EQ(look_parse(text.data, &look), 0);
    CHECK_EQ(look.n_figures, LOOK_MAX_FIGURES);
    CHECK_EQ(look.n_latencies, LOOK_MAX_LATENCIES);
    CHECK_EQ(look.n_origins, LOOK_MAX_ORIGINS);
    CHECK_EQ(look_get(&look, "figure100"), 1);
}

/* ---- a mount's latencies ---- */

static void add(struct histogram *h, uint64_t value)
{
    h->n[histogram_bucket(value)]++;
    h->sum += value;
    h->max = h->max > value ? h->max : value;
}

static struct ops_stats stats;

static void make_stats(void)
{
    stats = (struct ops_stats){0};
    add(&stats.took[OPS_LOOKUP], 700);
    add(&stats.took[OPS_LOOKUP], 5000);
    add(&stats.took[OPS_LOOKUP], UINT64_C(100000000000));
    add(&stats.took_read[READ_CACHED], 3000);
    add(&stats.took_read[READ_NOWHERE], 9000);
}

static void latencies_of_a_mount_are_read_back(void)
{
    BUF_CLEANUP struct buf text = {0};
    struct histogram h;
    make_stats();
    CHECK_EQ(buf_puts(&text, "lookups 3\nreads 2\n"), 0);
    CHECK_EQ(mount_latency_format(&stats, false, &text), 0);
    CHECK_EQ(look_parse(text.data, &look), 0);
    look_latency(&look, NULL, "lookup", &h);
    CHECK_EQ(memcmp(&h, &stats.took[OPS_LOOKUP], sizeof(h)), 0);
    look_latency(&look, NULL, "read_cached", &h);
    CHECK_EQ(memcmp(&h, &stats.took_read[READ_CACHED], sizeof(h)), 0);
    look_latency(&look, NULL, "read_other", &h);
    CHECK_EQ(memcmp(&h, &stats.took_read[READ_NOWHERE], sizeof(h)), 0);
    look_latency(&look, NULL, "read_joined", &h);
    CHECK_EQ(histogram_count(&h), 0);
    CHECK_EQ(look.n_latencies, OPS_N_KINDS - 1 + READ_N_SOURCES);
    CHECK_EQ(look.n_figures, 2); /* no line of a latency is taken for another figure */
}

static void prometheus_counts_all_up_to_each_bound(void)
{
    BUF_CLEANUP struct buf text = {0};
    make_stats();
    CHECK_EQ(mount_latency_format(&stats, true, &text), 0);
    CHECK(strstr(text.data, "# TYPE modelfs_latency_seconds histogram\n") == text.data);
    CHECK(strstr(text.data, "bucket{op=\"lookup\",le=\"0.000001023\"} 1\n"));
    CHECK(strstr(text.data, "bucket{op=\"lookup\",le=\"0.000004095\"} 1\n"));
    CHECK(strstr(text.data, "bucket{op=\"lookup\",le=\"0.000008191\"} 2\n"));
    CHECK(strstr(text.data, "bucket{op=\"lookup\",le=\"68.719476735\"} 2\n"));
    CHECK(strstr(text.data, "bucket{op=\"lookup\",le=\"+Inf\"} 3\n"));
    CHECK(strstr(text.data, "_count{op=\"lookup\"} 3\n"));
    CHECK(strstr(text.data, "_sum{op=\"lookup\"} 100.000005700\n"));
    CHECK(strstr(text.data, "_count{op=\"read\",source=\"cached\"} 1\n"));
    CHECK(strstr(text.data, "_count{op=\"read\",source=\"joined\"} 0\n"));
}

/* ---- JSON ---- */

static void json_has_every_figure_and_what_follows_from_them(void)
{
    CHECK_EQ(look_parse(small_text, &look), 0);
    JSON_CLEANUP json_t *all =
        look_json(&(struct look_text){.dir = "/mnt", .source = "dir:///x", .now = &look});
    CHECK_STR(json_get_text(all, "dir"), "/mnt");
    CHECK_STR(json_get_text(all, "source"), "dir:///x");
    CHECK_EQ(json_get_int(all, "lookups", -1), 3);
    CHECK(json_get_real(all, "hit_rate", -1) == 0.75);
    CHECK(json_get_real(all, "amplification", -1) == 1.25);
    const json_t *latency = json_get_object(all, "latency");
    CHECK_EQ(json_get_int(json_get_object(latency, "lookup"), "p50_ns", -1), 1023);
    CHECK_EQ(json_get_int(json_get_object(latency, "lookup"), "max_ns", -1), 3300);
    CHECK_EQ(json_get_int(json_get_object(latency, "read"), "count", -1), 3); /* not read_other */
    CHECK_EQ(json_get_int(json_get_object(latency, "read"), "max_ns", -1), 2000000);
    const json_t *far = json_array_get(json_get_array(all, "origins"), 1);
    CHECK_STR(json_get_text(far, "origin"), "far.test:443");
    CHECK_EQ(json_get_int(far, "rtt_us", -1), 80000);
}

static void a_ratio_of_nothing_is_null(void)
{
    CHECK_EQ(look_parse("lookups 0\nreads 0\n", &look), 0);
    JSON_CLEANUP json_t *all =
        look_json(&(struct look_text){.dir = "\xff", .source = "", .now = &look});
    CHECK(json_is_null(json_object_get(all, "hit_rate")));
    CHECK(json_is_null(json_object_get(all, "amplification")));
    CHECK_STR(json_get_text(all, "dir"), "\xef\xbf\xbd");
}

static void a_lack_of_memory_is_said(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        BUF_CLEANUP struct buf text = {0};
        make_stats();
        int r = mount_latency_format(&stats, false, &text);
        CHECK_EQ(r, check_alloc_hit ? -ENOMEM : 0);
    }
    FOR_EACH_ALLOC_FAILURE
    {
        int r = look_parse(small_text, &look);
        CHECK_EQ(r, check_alloc_hit ? -ENOMEM : 0);
    }
}

int main(void)
{
    TEST("figures are found by name", figures_are_found_by_name);
    TEST("latencies have buckets, sum and max", latencies_have_buckets_sum_and_max);
    TEST("origins are put together by name", origins_are_put_together_by_name);
    TEST("what came between two looks is a difference",
         what_came_between_two_looks_is_a_difference);
    TEST("what is not known is passed over", what_is_not_known_is_passed_over);
    TEST("another file's text is refused", another_files_text_is_refused);
    TEST("more than there is room for is left out", more_than_there_is_room_for_is_left_out);
    TEST("latencies of a mount are read back", latencies_of_a_mount_are_read_back);
    TEST("Prometheus counts all up to each bound", prometheus_counts_all_up_to_each_bound);
    TEST("JSON has every figure, and what follows from them",
         json_has_every_figure_and_what_follows_from_them);
    TEST("a ratio of nothing is null", a_ratio_of_nothing_is_null);
    TEST("a lack of memory is said", a_lack_of_memory_is_said);
    return check_done();
}
