/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/packed.h"

#include <errno.h>

#include "check.h"

static void check_text(const char *got, const char *want)
{
    CHECK_EQ(got != NULL, want != NULL);
    if (got && want)
        CHECK_STR(got, want);
}

static void check_same(const struct listing_entry *got, const struct listing_entry *want)
{
    check_text(got->id, want->id);
    check_text(got->name, want->name ? want->name : want->id);
    check_text(got->type, want->type);
    check_text(got->url, want->url);
    check_text(got->etag, want->etag);
    CHECK_EQ(got->size_bytes, want->size_bytes);
    CHECK_EQ(got->mtime_ns, want->mtime_ns);
    CHECK_EQ(got->has_digest, want->has_digest);
    CHECK(!want->has_digest || digest_equal(&got->digest, &want->digest));
}

/* Packs @entry and reads it again; how many bytes it took. */
static size_t check_round_trip(const struct links *links, const struct listing_entry *entry)
{
    BUF_CLEANUP struct buf bytes = {0}, texts = {0};
    struct listing_entry got;
    CHECK_EQ(packed_append(&bytes, links, entry), 0);
    CHECK_EQ(packed_read_whole(bytes.data, bytes.data + bytes.len, links, &texts, &got), 0);
    check_same(&got, entry);
    CHECK(packed_read(bytes.data, bytes.data + bytes.len, &got) == bytes.data + bytes.len);
    CHECK(!got.url);
    for (size_t len = 0; len < bytes.len; len++) {
        CHECK(!packed_read(bytes.data, bytes.data + len, &got));
        CHECK_EQ(packed_read_whole(bytes.data, bytes.data + len, links, &texts, &got), -EINVAL);
    }
    return bytes.len;
}

static void numbers_and_times_come_back(void)
{
    static const uint64_t sizes[] = {0, 1, 127, 128, 1 << 14, UINT64_C(1) << 40, UINT64_MAX};
    static const int64_t times[] = {
        0,  1,         -1,        999999999,     1000000000,         -1000000000,
        -5, INT64_MAX, INT64_MIN, INT64_MIN + 1, 1700000000123456789};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        check_round_trip(NULL, &(struct listing_entry){.id = "a", .size_bytes = sizes[i]});
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        check_round_trip(NULL, &(struct listing_entry){.id = "a", .mtime_ns = times[i]});
}

static void texts_come_back(void)
{
    static const struct listing_entry cases[] = {
        {.id = ""},
        {.id = "a", .name = "b", .type = "ONNX", .etag = "e", .url = "u"},
        {.id = "\xff\n", .name = "", .type = "", .etag = "", .url = ""},
        {.name = "only"},
        {.id = NULL},
        {.id = "a", .etag = "\"0000\"", .has_digest = true, .digest.bytes = {7}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_round_trip(NULL, &cases[i]);
}

static void an_etag_that_is_the_digest_takes_no_room(void)
{
    struct listing_entry entry = {.id = "a", .has_digest = true, .digest.bytes = {0xab}};
    char etag[80] = "\"", hex[DIGEST_HEX_BYTES];
    size_t without = check_round_trip(NULL, &entry);
    digest_format_hex(&entry.digest, hex);
    strcat(strcat(etag, hex), "\"");
    entry.etag = etag;
    CHECK_EQ(check_round_trip(NULL, &entry), without);
    etag[1] = 'c'; /* another one */
    CHECK(check_round_trip(NULL, &entry) > without);
}

static void links_of_one_form_are_short(void)
{
    static const struct {
        const char *first_id, *first, *id, *url;
        size_t max_bytes; /* for the link */
    } cases[] = {
        {"a/b", "http://h/m/a/b?x=1&s=00ff", "c d", "http://h/m/c%20d?x=1&s=0123", 3},
        {"a/b", "http://h/m/a/b?x=1&s=00ff", "c", "http://h/m/c?x=1&s=0x23", 5},
        {"a/b", "http://h/m/a/b?x=1&s=00ff", "c", "http://h/m/c?x=1&s=012", 4},
        {"a/b", "http://h/m/a/b?x=1&s=00ff", "c", "http://h/m/c?x=1&s=", 1},
        {"a/b", "http://h/m/a/b?x=1&s=00ff", "c", "http://h/m/c?x=2&s=0123", 99},
        {"a/b", "http://h/m/a/b?x=1&s=00ff", "c", "http://h/m/d?x=1&s=0123", 99},
        {"a/b", "http://h/m/a/b?x=1&s=00ff", "c", "", 99},
        {"a/b", "http://h/m/a/b", "c", "http://h/m/c", 1},
        {"h", "http://h/m/h", "i", "http://h/m/i", 1},
        {"a/b", "http://h/blob/0011", "c", "http://h/blob/2233", 3},
        {"a/b", "http://h/blob?s=0011", "c", "http://h/blob?s=2233", 3},
        {"a", "nothing", "b", "else", 99},
        {"", "http://h/", "", "http://h/", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(cleanup_free) struct links *links = links_of(cases[i].first, cases[i].first_id);
        struct listing_entry entry = {.id = cases[i].id};
        size_t without = check_round_trip(links, &entry);
        entry.url = cases[i].url;
        CHECK(check_round_trip(links, &entry) - without <= cases[i].max_bytes);
        check_round_trip(links,
                         &(struct listing_entry){.id = cases[i].first_id, .url = cases[i].first});
    }
}

static void a_short_link_needs_its_form(void)
{
    static const struct listing_entry entry = {.id = "a", .url = "http://h/a"};
    CLEANUP(cleanup_free) struct links *links = links_of(entry.url, entry.id);
    BUF_CLEANUP struct buf bytes = {0}, texts = {0};
    struct listing_entry got;
    CHECK_EQ(packed_append(&bytes, links, &entry), 0);
    CHECK_EQ(packed_read_whole(bytes.data, bytes.data + bytes.len, NULL, &texts, &got), -EINVAL);
}

static void no_memory_is_an_error(void)
{
    static const struct listing_entry entry = {.id = "a b", .url = "http://h/a%20b?s=00"};
    FOR_EACH_ALLOC_FAILURE
    {
        CLEANUP(cleanup_free) struct links *links = links_of(entry.url, entry.id);
        BUF_CLEANUP struct buf bytes = {0}, texts = {0};
        struct listing_entry got;
        int r = packed_append(&bytes, links, &entry);
        CHECK(r == 0 || (r == -ENOMEM && bytes.len == 0));
        if (r == 0)
            r = packed_read_whole(bytes.data, bytes.data + bytes.len, links, &texts, &got);
        CHECK(r == 0 || r == -ENOMEM);
        check_alloc_countdown = -1;
        if (r == 0)
            check_same(&got, &entry);
    }
}

int main(void)
{
    TEST("numbers and times come back", numbers_and_times_come_back);
    TEST("texts come back", texts_come_back);
    TEST("an etag that is the digest takes no room", an_etag_that_is_the_digest_takes_no_room);
    TEST("links of one form are short", links_of_one_form_are_short);
    TEST("a short link needs its form", a_short_link_needs_its_form);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
