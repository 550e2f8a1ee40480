/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/listing.h"

#include <errno.h>
#include <math.h>

#include "check.h"

static void fill_sample(struct listing *listing)
{
    char id[] = "d/a.bin", name[] = "A", url[] = "http://h/a?b", etag[] = "\"e\"", row[] = "loss";
    struct listing_entry file = {.id = id,
                                 .name = name,
                                 .url = url,
                                 .etag = etag,
                                 .size_bytes = UINT64_C(1) << 40,
                                 .mtime_ns = -5,
                                 .has_digest = true,
                                 .digest.bytes = {1, 2, 255}};
    struct listing_entry plain = {.id = "x/\"\\\n\xc3\xa9", .name = "x/\"\\\n\xc3\xa9"};
    struct listing_entry hostile = {.id = "\xff\n", .name = "\xfe", .etag = ""};
    struct listing_entry self = {.id = "7", .name = "seven", .type = "ONNX", .mtime_ns = 99};
    listing->fetched_ns = 1234567890123456789;
    listing_add(listing, &file);
    listing_add(listing, &plain);
    listing_add(listing, &hostile);
    listing_add_row(listing, row, 100, 0.1, 1557442950000000001);
    listing_add_row(listing, row, METRIC_LAST_STEP, (double)NAN, -7);
    listing_add_row(listing, "acc", INT64_MAX, -(double)INFINITY, 0);
    listing_set_self(listing, &self);
    memset(id, '?', sizeof(id) - 1); /* texts are copied */
    memset(url, '?', sizeof(url) - 1);
    memset(row, '?', sizeof(row) - 1);
}

static void check_text(const char *got, const char *want)
{
    CHECK_EQ(got != NULL, want != NULL);
    if (got && want)
        CHECK_STR(got, want);
}

static void check_entry(const struct listing_entry *got, const struct listing_entry *want)
{
    check_text(got->id, want->id);
    check_text(got->name, want->name);
    check_text(got->type, want->type);
    check_text(got->url, want->url);
    check_text(got->etag, want->etag);
    CHECK_EQ(got->size_bytes, want->size_bytes);
    CHECK_EQ(got->mtime_ns, want->mtime_ns);
    CHECK_EQ(got->has_digest, want->has_digest);
    CHECK(digest_equal(&got->digest, &want->digest));
}

static void check_same(const struct listing *got, const struct listing *want)
{
    CHECK_EQ(got->kind, want->kind);
    CHECK_EQ(got->fetched_ns, want->fetched_ns);
    CHECK_EQ(got->n_entries, want->n_entries);
    CHECK_EQ(got->n_rows, want->n_rows);
    check_entry(&got->self, &want->self);
    for (size_t i = 0; i < got->n_entries; i++) {
        BUF_CLEANUP struct buf x = {0}, y = {0};
        struct listing_entry a, b;
        CHECK_EQ(listing_get_whole(got, i, &x, &a), 0);
        CHECK_EQ(listing_get_whole(want, i, &y, &b), 0);
        check_entry(&a, &b);
    }
    for (size_t i = 0; i < got->n_rows; i++) {
        double x = got->rows[i].value, y = want->rows[i].value;
        CHECK_STR(got->rows[i].name, want->rows[i].name);
        CHECK_EQ(got->rows[i].step, want->rows[i].step);
        CHECK_EQ(got->rows[i].wall_ns, want->rows[i].wall_ns);
        CHECK(x == y || (isnan(x) && isnan(y)));
    }
}

static void a_listing_comes_back_from_its_bytes(void)
{
    for (int kind = LISTING_PROJECTS; kind <= LISTING_FILES; kind++) {
        LISTING_CLEANUP struct listing *listing = listing_new((enum listing_kind)kind);
        LISTING_CLEANUP struct listing *back = NULL;
        BUF_CLEANUP struct buf text = {0};
        fill_sample(listing);
        CHECK_EQ(listing_format(listing, &text), 0);
        CHECK_EQ(listing_parse(text.data, text.len, &back), 0);
        if (back)
            check_same(back, listing);
    }
}

static void an_empty_one_does_too(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_MODELS);
    LISTING_CLEANUP struct listing *back = NULL;
    BUF_CLEANUP struct buf text = {0};
    CHECK_EQ(listing_format(listing, &text), 0);
    CHECK_EQ(listing_parse(text.data, text.len, &back), 0);
    check_same(back, listing);
    CHECK(!back->self.id && !back->self.name);
}

static void texts_are_copied(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    BUF_CLEANUP struct buf texts = {0};
    struct listing_entry entry;
    fill_sample(listing);
    CHECK_EQ(listing_get_whole(listing, 0, &texts, &entry), 0);
    CHECK_STR(entry.id, "d/a.bin");
    CHECK_STR(entry.url, "http://h/a?b");
    CHECK_STR(listing_id(listing, 0), "d/a.bin");
    CHECK_STR(listing->rows[0].name, "loss");
    CHECK(!entry.type);
}

static void thousands_are_kept(void)
{
    enum { N = 3000 };
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    for (int i = 0; i < N; i++) {
        char id[24];
        snprintf(id, sizeof(id), "file-%d", i);
        struct listing_entry entry = {.id = id, .name = id, .size_bytes = (uint64_t)i};
        CHECK_EQ(listing_add(listing, &entry), 0);
        CHECK_EQ(listing_add_row(listing, id, i, i, 0), 0);
    }
    CHECK(listing->n_entries == N && listing->n_rows == N);
    struct listing_entry entry;
    CHECK_STR(listing_id(listing, 2999), "file-2999");
    CHECK_EQ(listing_find(listing, "file-77"), 77);
    listing_get(listing, 77, &entry);
    CHECK(entry.name == entry.id);
    CHECK_EQ(entry.size_bytes, 77);
    CHECK_STR(listing->rows[1234].name, "file-1234");
}

static void an_id_is_found_before_a_name(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_PROJECTS);
    static const struct listing_entry entries[] = {
        {.id = "1", .name = "2"}, {.id = "2", .name = "b"}, {.id = "3", .name = "b"}};
    static const struct {
        const char *key, *id; /* NULL: none */
    } cases[] = {{"2", "2"}, {"b", "2"}, {"3", "3"}, {"", NULL}, {"B", NULL}};
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(listing_add(listing, &entries[i]), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t found = listing_find(listing, cases[i].key);
        check_text(found == LISTING_NONE ? NULL : listing_id(listing, found), cases[i].id);
    }
}

/* Whether these bytes are a listing; one that comes of them can be read to its end. */
static bool is_listing(const char *data, size_t len)
{
    LISTING_CLEANUP struct listing *listing = NULL;
    CLEANUP(cleanup_free) char *copy = malloc(len + 1); /* so that a byte too far is noticed */
    int r = listing_parse(memcpy(copy, data, len), len, &listing);
    CHECK(r == 0 ? listing != NULL : r == -EINVAL && !listing);
    for (size_t i = 0; r == 0 && i < listing->n_entries; i++) {
        BUF_CLEANUP struct buf texts = {0};
        struct listing_entry entry;
        CHECK_EQ(listing_get_whole(listing, i, &texts, &entry), 0);
        CHECK_STR(entry.id, listing_id(listing, i));
    }
    return r == 0;
}

static void other_bytes_are_no_listing(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    BUF_CLEANUP struct buf text = {0};
    fill_sample(listing);
    CHECK_EQ(listing_format(listing, &text), 0);
    CHECK(is_listing(text.data, text.len));
    CHECK(!is_listing(text.data, text.len + 1));
    for (size_t len = 0; len < text.len; len++)
        CHECK(!is_listing(text.data, len));
    CHECK(!is_listing("{\"version\":1,\"kind\":0}", 22));
    text.data[strlen("modelfs listing ")]--; /* an older form */
    CHECK(!is_listing(text.data, text.len));
}

/* The cache's checksums find damage first; this is what is left when they do not. */
static void damage_is_survived(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    BUF_CLEANUP struct buf text = {0};
    size_t n_refused = 0;
    fill_sample(listing);
    CHECK_EQ(listing_format(listing, &text), 0);
    for (size_t i = 0; i < text.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            text.data[i] ^= (char)(1 << bit);
            n_refused += !is_listing(text.data, text.len);
            text.data[i] ^= (char)(1 << bit);
        }
    CHECK(n_refused > 0);
}

static void references_are_counted(void)
{
    struct listing *listing = listing_new(LISTING_FILES);
    CHECK(listing_ref(listing) == listing);
    listing_unref(listing);
    CHECK_EQ(listing->refs, 1);
    listing_unref(listing);
    listing_unref(NULL);
}

static void no_memory_is_an_error(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    fill_sample(listing);
    FOR_EACH_ALLOC_FAILURE
    {
        LISTING_CLEANUP struct listing *back = NULL;
        BUF_CLEANUP struct buf text = {0};
        int r = listing_format(listing, &text);
        if (r == 0)
            r = listing_parse(text.data, text.len, &back);
        CHECK(r == 0 || (r == -ENOMEM && !back));
        check_alloc_countdown = -1;
        if (r == 0)
            check_same(back, listing);
    }
}

/* What could not be added is not there in part. */
static void no_memory_to_add_leaves_what_was_there(void)
{
    static const struct listing_entry entry = {.id = "a", .name = "a", .url = "http://h/a?s=12"};
    FOR_EACH_ALLOC_FAILURE
    {
        LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
        size_t n = 0;
        for (int i = 0; listing && i < 100; i++)
            n += listing_add(listing, &entry) == 0;
        check_alloc_countdown = -1;
        CHECK(!listing || listing->n_entries == n);
        for (size_t i = 0; i < n; i++)
            CHECK_STR(listing_id(listing, i), "a");
    }
}

static void references_are_copied_and_not_kept_in_the_cache(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
        char from[] = "m.onnx", to[] = "w0";
        size_t n = 0;
        for (int i = 0; listing && i < 20; i++) {
            to[1] = (char)('a' + i);
            n += listing_add_reference(listing, &(struct reference){from, to}) == 0;
        }
        check_alloc_countdown = -1;
        from[0] = to[0] = 'x';
        CHECK(!listing || listing->n_references == n);
        for (size_t i = 0; i < n; i++) {
            CHECK_STR(listing->references[i].from, "m.onnx");
            CHECK_EQ(listing->references[i].to[0], 'w');
        }
    }
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES), *back = NULL;
    BUF_CLEANUP struct buf text = {0};
    CHECK_EQ(listing_add_reference(listing, &(struct reference){"m.onnx", "w"}), 0);
    CHECK_EQ(listing_format(listing, &text), 0);
    CHECK_EQ(listing_parse(text.data, text.len, &back), 0);
    CHECK(back && back->n_references == 0);
}

int main(void)
{
    TEST("a listing comes back from its bytes", a_listing_comes_back_from_its_bytes);
    TEST("an empty one does too", an_empty_one_does_too);
    TEST("texts are copied", texts_are_copied);
    TEST("thousands are kept", thousands_are_kept);
    TEST("an id is found before a name", an_id_is_found_before_a_name);
    TEST("other bytes are no listing", other_bytes_are_no_listing);
    TEST("damage is survived", damage_is_survived);
    TEST("references are counted", references_are_counted);
    TEST("references are copied, and not kept in the cache",
         references_are_copied_and_not_kept_in_the_cache);
    TEST("no memory is an error", no_memory_is_an_error);
    TEST("no memory to add leaves what was there", no_memory_to_add_leaves_what_was_there);
    return check_done();
}
