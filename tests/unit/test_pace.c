/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pace.h"

#include <errno.h>

#include "check.h"

#define MIB      (UINT64_C(1) << 20)
#define SECOND   UINT64_C(1000000)
#define START_US (UINT64_C(1000) * SECOND)
#define HALF_US  (UINT64_C(15) * SECOND)

static const char *const far_host = "far.test:443";

static struct pace found(const struct paces *paces, const char *name)
{
    struct pace pace = {0};
    CHECK(paces_find(paces, name, &pace));
    return pace;
}

/* ---- names ---- */

static void a_name_is_host_and_port(void)
{
    static const struct {
        const char *url, *name;
    } cases[] = {
        {"http://models.test/a/b", "models.test:80"},
        {"https://models.test", "models.test:443"},
        {"HTTPS://Models.TEST/x", "models.test:443"},
        {"http://127.0.0.1:8060/x?y=http://other/", "127.0.0.1:8060"},
        {"https://[::1]/x", "[::1]:443"},
        {"https://[fe80::1]:99/x", "[fe80::1]:99"},
        {"http://h?q", "h:80"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[PACE_NAME_BYTES];
        CHECK_EQ(pace_name(cases[i].url, name), 0);
        CHECK_STR(name, cases[i].name);
    }
}

static void what_no_text_should_show_has_no_name(void)
{
    static const char *const bad[] = {
        "",
        "file:///a",
        "ftp://h/",
        "http://",
        "http:///path",
        "http://a b/",
        "http://a\nb/",
        "http://user@h/",
        "http://h\x1b[2J/",
        "http://\xc3\xa9.test/",
    };
    char name[PACE_NAME_BYTES];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_EQ(pace_name(bad[i], name), -EINVAL);
}

static void a_name_that_is_too_long_is_refused(void)
{
    char url[600] = "https://", name[PACE_NAME_BYTES];
    memset(url + 8, 'a', 255);
    CHECK_EQ(pace_name(url, name), 0);
    CHECK_EQ(strlen(name), 255 + strlen(":443"));
    memset(url + 8, 'a', 500);
    CHECK_EQ(pace_name(url, name), -EINVAL);
}

/* ---- the round trip ---- */

static void note_wait(struct paces *paces, uint64_t end_us, uint64_t wait_us)
{
    paces_note(paces, far_host, &(struct pace_sample){.end_us = end_us, .wait_us = wait_us});
}

static void nothing_is_known_of_a_stranger(void)
{
    struct paces paces = {0};
    struct pace pace;
    CHECK(!paces_find(&paces, far_host, &pace));
    CHECK(!paces_find(&paces, "", &pace));
    note_wait(&paces, START_US, 100);
    CHECK(paces_find(&paces, far_host, &pace));
    CHECK(!paces_find(&paces, "near.test:443", &pace));
}

static void the_round_trip_is_the_least_wait(void)
{
    struct paces paces = {0};
    static const uint64_t waits[] = {90000, 80500, 400000, 80000, 81000, 95000};
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
        note_wait(&paces, START_US + i * 1000, waits[i]);
    CHECK_EQ(found(&paces, far_host).rtt_us, 80000);
}

static void a_wait_that_is_not_known_counts_for_nothing(void)
{
    struct paces paces = {0};
    note_wait(&paces, START_US, 0);
    CHECK_EQ(found(&paces, far_host).rtt_us, 0);
    note_wait(&paces, START_US, 70000);
    note_wait(&paces, START_US, 0);
    CHECK_EQ(found(&paces, far_host).rtt_us, 70000);
}

/* A route that became longer is noticed when two halves are over, and not before. */
static void a_longer_way_is_believed_after_two_halves(void)
{
    struct paces paces = {0};
    uint64_t now = START_US;
    for (; now < START_US + HALF_US; now += SECOND)
        note_wait(&paces, now, 20000);
    for (; now < START_US + 2 * HALF_US; now += SECOND)
        note_wait(&paces, now, 60000);
    CHECK_EQ(found(&paces, far_host).rtt_us, 20000);
    for (; now < START_US + 3 * HALF_US; now += SECOND)
        note_wait(&paces, now, 60000);
    CHECK_EQ(found(&paces, far_host).rtt_us, 60000);
}

static void a_shorter_way_is_believed_at_once(void)
{
    struct paces paces = {0};
    note_wait(&paces, START_US, 60000);
    note_wait(&paces, START_US + HALF_US, 20000);
    CHECK_EQ(found(&paces, far_host).rtt_us, 20000);
}

static void a_pause_forgets_nothing(void)
{
    struct paces paces = {0};
    note_wait(&paces, START_US, 30000);
    note_wait(&paces, START_US + 100 * HALF_US, 90000);
    CHECK_EQ(found(&paces, far_host).rtt_us, 30000);
}

/* ---- rates ---- */

static void note_body(struct paces *paces, uint64_t end_us, uint64_t bytes, uint64_t first,
                      uint64_t body_us)
{
    const struct pace_sample sample = {.end_us = end_us,
                                       .wait_us = 1000,
                                       .body_us = body_us,
                                       .bytes = bytes,
                                       .first_bytes = first};
    paces_note(paces, far_host, &sample);
}

/* Within a percent. */
static bool is_near(uint64_t got, uint64_t want)
{
    bool near = got + want / 100 >= want && got <= want + want / 100;
    if (!near)
        printf("# %llu, not about %llu\n", (unsigned long long)got, (unsigned long long)want);
    return near;
}

static void a_connections_rate_is_bytes_by_time(void)
{
    struct paces paces = {0};
    for (uint64_t i = 1; i <= 20; i++)
        note_body(&paces, START_US + i * SECOND, 10 * MIB, 0, SECOND / 2);
    CHECK(is_near(found(&paces, far_host).connection_bytes_per_s, 20 * MIB));
}

static void what_came_with_the_first_byte_is_left_out(void)
{
    struct paces paces = {0};
    note_body(&paces, START_US, 4 * MIB, MIB, SECOND);
    CHECK(is_near(found(&paces, far_host).connection_bytes_per_s, 3 * MIB));
}

static void small_bodies_say_nothing_of_a_connection(void)
{
    struct paces paces = {0};
    note_body(&paces, START_US, 30000, 0, 100);
    CHECK_EQ(found(&paces, far_host).connection_bytes_per_s, 0);
    note_body(&paces, START_US, MIB, MIB - 1000, 3);
    note_body(&paces, START_US, 8 * MIB, 0, 0);
    CHECK_EQ(found(&paces, far_host).connection_bytes_per_s, 0);
    note_body(&paces, START_US + SECOND, 8 * MIB, 0, SECOND);
    note_body(&paces, START_US + 2 * SECOND, 30000, 0, SECOND);
    CHECK(is_near(found(&paces, far_host).connection_bytes_per_s, 8 * MIB));
}

static void a_connections_rate_follows_what_changed(void)
{
    struct paces paces = {0};
    uint64_t now = START_US;
    for (int i = 0; i < 50; i++)
        note_body(&paces, now += SECOND, 8 * MIB, 0, SECOND);
    for (int i = 0; i < 50; i++)
        note_body(&paces, now += SECOND, MIB, 0, SECOND);
    CHECK(is_near(found(&paces, far_host).connection_bytes_per_s, MIB));
}

/* Eight connections of 5 MiB/s each, whose bodies of two seconds end one after another. */
static void the_total_is_that_of_all_connections(void)
{
    struct paces paces = {0};
    for (uint64_t i = 1; i <= 80; i++)
        note_body(&paces, START_US + i * SECOND / 4, 10 * MIB, 0, 2 * SECOND);
    CHECK(is_near(found(&paces, far_host).connection_bytes_per_s, 5 * MIB));
    CHECK(is_near(found(&paces, far_host).total_bytes_per_s, 40 * MIB));
}

static void the_total_is_not_less_than_one_connections(void)
{
    struct paces paces = {0};
    note_body(&paces, START_US, 8 * MIB, 0, SECOND / 50); /* a burst within one slot of time */
    CHECK(is_near(found(&paces, far_host).connection_bytes_per_s, 400 * MIB));
    CHECK(is_near(found(&paces, far_host).total_bytes_per_s, 400 * MIB));
}

/* What is asked for is often less than what could come. */
static void few_wishes_do_not_lower_the_total(void)
{
    struct paces paces = {0};
    uint64_t now = START_US;
    for (int i = 0; i < 40; i++)
        note_body(&paces, now += SECOND / 4, 10 * MIB, 0, 2 * SECOND);
    for (int i = 0; i < 300; i++)
        note_body(&paces, now += SECOND, 10000, 0, 1000);
    CHECK(is_near(found(&paces, far_host).total_bytes_per_s, 40 * MIB));
}

static void a_slower_line_is_believed_after_two_halves(void)
{
    struct paces paces = {0};
    uint64_t now = START_US;
    for (int i = 0; i < 40; i++)
        note_body(&paces, now += SECOND / 4, 10 * MIB, 0, 2 * SECOND);
    for (int i = 0; i < 60; i++)
        note_body(&paces, now += SECOND, 4 * MIB, 0, SECOND);
    CHECK(is_near(found(&paces, far_host).total_bytes_per_s, 4 * MIB));
}

static void a_body_longer_than_memory_counts_by_its_end(void)
{
    struct paces paces = {0};
    note_body(&paces, START_US, 3600 * MIB, 0, 3600 * SECOND);
    CHECK(is_near(found(&paces, far_host).total_bytes_per_s, MIB));
}

static void samples_out_of_order_do_no_harm(void)
{
    struct paces paces = {0};
    note_body(&paces, START_US + HALF_US, 2 * MIB, 0, SECOND);
    note_body(&paces, START_US, 2 * MIB, 0, SECOND);
    note_body(&paces, START_US + HALF_US - 1, 2 * MIB, 0, SECOND);
    CHECK(is_near(found(&paces, far_host).total_bytes_per_s, 4 * MIB));
    note_body(&paces, 5, 2 * MIB, 0, SECOND);
    CHECK(is_near(found(&paces, far_host).connection_bytes_per_s, 2 * MIB));
}

/* The older one would have the slot that the newer ones are in, a turn before. */
static void a_sample_that_is_late_takes_nothing_from_newer_ones(void)
{
    struct paces paces = {0};
    uint64_t slot_us = SECOND / 10;
    note_body(&paces, START_US, 10 * MIB, 10 * MIB, 0);
    note_body(&paces, START_US - PACE_SLOTS * slot_us, MIB, MIB, 0);
    note_body(&paces, START_US, 10 * MIB, 10 * MIB, 0);
    CHECK(is_near(found(&paces, far_host).total_bytes_per_s, 100 * MIB));
}

/* ---- the table ---- */

static void the_origin_that_was_not_used_longest_goes(void)
{
    static struct paces paces;
    struct pace pace;
    char name[PACE_NAME_BYTES];
    for (int i = 0; i < PACE_ORIGINS; i++) {
        snprintf(name, sizeof(name), "host%d:80", i);
        paces_note(&paces, name, &(struct pace_sample){.end_us = START_US, .wait_us = 1 + i});
    }
    paces_note(&paces, "host0:80", &(struct pace_sample){.end_us = START_US, .wait_us = 5});
    paces_note(&paces, "another:80", &(struct pace_sample){.end_us = START_US, .wait_us = 99});
    CHECK(!paces_find(&paces, "host1:80", &pace));
    CHECK_EQ(found(&paces, "host0:80").rtt_us, 1);
    CHECK_EQ(found(&paces, "another:80").rtt_us, 99);
    CHECK_EQ(found(&paces, "host31:80").rtt_us, 32);
}

int main(void)
{
    TEST("a name is host and port", a_name_is_host_and_port);
    TEST("what no text should show has no name", what_no_text_should_show_has_no_name);
    TEST("a name that is too long is refused", a_name_that_is_too_long_is_refused);
    TEST("nothing is known of a stranger", nothing_is_known_of_a_stranger);
    TEST("the round trip is the least wait", the_round_trip_is_the_least_wait);
    TEST("a wait that is not known counts for nothing",
         a_wait_that_is_not_known_counts_for_nothing);
    TEST("a longer way is believed after two halves", a_longer_way_is_believed_after_two_halves);
    TEST("a shorter way is believed at once", a_shorter_way_is_believed_at_once);
    TEST("a pause forgets nothing", a_pause_forgets_nothing);
    TEST("a connection's rate is bytes by time", a_connections_rate_is_bytes_by_time);
    TEST("what came with the first byte is left out", what_came_with_the_first_byte_is_left_out);
    TEST("small bodies say nothing of a connection", small_bodies_say_nothing_of_a_connection);
    TEST("a connection's rate follows what changed", a_connections_rate_follows_what_changed);
    TEST("the total is that of all connections", the_total_is_that_of_all_connections);
    TEST("the total is not less than one connection's", the_total_is_not_less_than_one_connections);
    TEST("few wishes do not lower the total", few_wishes_do_not_lower_the_total);
    TEST("a slower line is believed after two halves", a_slower_line_is_believed_after_two_halves);
    TEST("a body longer than memory counts by its end",
         a_body_longer_than_memory_counts_by_its_end);
    TEST("samples out of order do no harm", samples_out_of_order_do_no_harm);
    TEST("a sample that is late takes nothing from newer ones",
         a_sample_that_is_late_takes_nothing_from_newer_ones);
    TEST("the origin that was not used longest goes", the_origin_that_was_not_used_longest_goes);
    return check_done();
}
