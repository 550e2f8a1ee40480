/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zip.h"

#include "model/contents.h"
#include "parse_probe.h"
#include "zip_build.h"

/* Lists an archive as tensors: the name, where its bytes begin, how many; those that are not stored
 * have no window. */
static int list(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    struct contents *contents = ctx;
    struct zip zip;
    struct zip_entry entry;
    int r = zip_open(&zip, glimpse);
    contents_cut(contents, 0);
    while (r == 0 && (r = zip_next(&zip, &entry)) == 1) {
        char name[256];
        struct tensor tensor = {.name = name, .file = file, .n_bytes = entry.size_bytes};
        snprintf(name, sizeof(name), "%.*s", (int)entry.name_len, entry.name);
        r = zip_find_data(&zip, &entry, 0, &tensor.offset);
        if (!entry.is_stored)
            tensor.offset = TENSOR_SCATTERED;
        if (r == 0)
            r = contents_add(contents, &tensor);
    }
    if (r < 0)
        contents_cut(contents, 0);
    return r;
}

static void check(const struct zip_build *zip, int result, const char *want)
{
    PROBE_CLEANUP struct probe probe;
    BUF_CLEANUP struct buf got = {0};
    probe_init(&probe, "x.zip");
    CHECK_EQ(probe_parse(&probe, list, &zip->out), result);
    probe_describe(&probe.contents, &got);
    CHECK_STR(got.data, want);
}

static void what_python_wrote_is_read(void)
{
    probe_corpus(list, CORPUS_DIR "/npz/comment.npz", 0,
                 "sub/w.npy - [] 59+152\nreadme.txt - [] 251+4\n", "null", "null");
    probe_corpus(list, CORPUS_DIR "/npz/prefix.npz", 0,
                 "sub/w.npy - [] 69+152\nreadme.txt - [] 261+4\n", "null", "null");
    probe_corpus(list, CORPUS_DIR "/npz/packed.npz", 0, "w.npy - [] *+152\n", "null", "null");
}

static void members_are_found_by_their_own_headers(void)
{
    ZIP_BUILD_CLEANUP struct zip_build zip = {0};
    zip_add(&zip, (struct zip_member){"a", "0123", 4, 0, 0, 10, false, 0});
    zip_add(&zip, (struct zip_member){"sub/b", "", 0, 0, 0, 0, true, 0});
    zip_add(&zip, (struct zip_member){"packed", "01", 2, 8, 0, 0, false, 0});
    zip_add(&zip, (struct zip_member){"secret", "01", 2, 0, 1, 0, false, 0});
    zip_finish(&zip);
    check(&zip, 0, "a - [] 41+4\nsub/b - [] 80+0\npacked - [] *+2\nsecret - [] *+2\n");
}

static void an_archive_may_have_none(void)
{
    ZIP_BUILD_CLEANUP struct zip_build zip = {0};
    zip_finish(&zip);
    check(&zip, 0, "");
}

static void a_large_archive_has_longer_numbers(void)
{
    for (int has_prefix = 0; has_prefix < 2; has_prefix++) {
        ZIP_BUILD_CLEANUP struct zip_build zip = {0};
        if (has_prefix)
            zip_put_bytes(&zip, "prefix", zip.before = 6);
        zip_add(&zip, (struct zip_member){"a", "0123", 4, 0, 0, 20, true, 0});
        zip_put_directory(&zip);
        zip_put_end64(&zip);
        zip_put_end(&zip, UINT32_MAX, UINT32_MAX, "comment");
        check(&zip, 0, has_prefix ? "a - [] 57+4\n" : "a - [] 51+4\n");
    }
}

static void a_comment_may_look_like_an_end(void)
{
    ZIP_BUILD_CLEANUP struct zip_build zip = {0};
    zip_add(&zip, (struct zip_member){"a", "0123", 4, 0, 0, 0, false, 0});
    zip_put_directory(&zip);
    zip_put_end(&zip, zip.out.len - zip.directory, zip.directory,
                "PK\5\6, and so many more bytes: \x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f");
    check(&zip, 0, "a - [] 31+4\n");
}

static void the_longest_comment_is_looked_through(void)
{
    static char comment[65536 + 1];
    for (size_t len = 65535; len <= 65536; len++) {
        ZIP_BUILD_CLEANUP struct zip_build zip = {0};
        memset(comment, 'c', len);
        zip_add(&zip, (struct zip_member){"a", "0123", 4, 0, 0, 0, false, 0});
        zip_put_directory(&zip);
        zip_put_end(&zip, zip.out.len - zip.directory, zip.directory, comment);
        check(&zip, len == 65535 ? 0 : -EBADMSG, len == 65535 ? "a - [] 31+4\n" : "");
    }
}

/* What is wrong, behind one good member. */
static void what_makes_no_sense_is_refused(void)
{
    for (int i = 0; i < 12; i++) {
        ZIP_BUILD_CLEANUP struct zip_build zip = {0};
        uint64_t shift = i == 0 ? 1 : i == 1 ? UINT32_MAX - 1 : 0;
        zip_add(&zip, (struct zip_member){"a", "0123", 4, 0, 0, 0, false, (uint32_t)shift});
        zip_put_directory(&zip);
        uint64_t len = zip.out.len - zip.directory;
        if (i == 2) /* a directory that is longer than the file */
            len = zip.out.len + 1;
        if (i == 3 || i == 4) /* or ends within an entry */
            len -= (uint64_t)i;
        uint64_t offset = i == 5 ? zip.directory + 1 : zip.directory;
        if (i == 6)
            zip.out.data[zip.directory] = 'p';
        if (i == 7)
            zip.out.data[zip.directory + 28] = 2; /* a name that the local header has not */
        if (i == 8)
            zip.out.data[0] = 'p';
        if (i == 9)
            zip.out.data[30] = 'b';
        if (i == 10)
            memset(zip.out.data + zip.directory + 20, 5, 1), /* bytes in the directory */
                memset(zip.out.data + zip.directory + 24, 5, 1);
        if (i == 11)
            zip.out.data[28] = 1; /* an extra field that is not there */
        zip_put_end(&zip, len, offset, "");
        check(&zip, -EBADMSG, "");
    }
}

static void extra_fields_that_lie_are_refused(void)
{
    static const struct {
        size_t at; /* in the extra field of the entry */
        uint8_t value;
    } cases[] = {{2, 0xff}, {8, 0xff}, {8, 23}, {8, 7}, {8, 0}, {4 + 6 + 16 + 7, 0xff}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ZIP_BUILD_CLEANUP struct zip_build zip = {0};
        zip_add(&zip, (struct zip_member){"a", "0123", 4, 0, 0, 0, true, 0});
        zip_put_directory(&zip);
        zip.out.data[zip.directory + 46 + 1 + cases[i].at] = (char)cases[i].value;
        zip_put_end(&zip, zip.out.len - zip.directory, zip.directory, "");
        check(&zip, -EBADMSG, "");
    }
}

static void archives_in_parts_are_refused(void)
{
    for (size_t at = 4; at < 8; at += 2) {
        ZIP_BUILD_CLEANUP struct zip_build zip = {0};
        zip_finish(&zip);
        zip.out.data[at] = 1;
        check(&zip, -EBADMSG, "");
    }
    ZIP_BUILD_CLEANUP struct zip_build zip = {0};
    zip_put_directory(&zip);
    zip_put_end64(&zip);
    zip_put_end(&zip, UINT32_MAX, UINT32_MAX, "");
    zip.out.data[16] = 1;
    check(&zip, -EBADMSG, "");
    zip.out.data[16] = 0;
    check(&zip, 0, "");
    zip.out.data[0] = 'p';
    check(&zip, -EBADMSG, "");
}

static void damage_is_survived(void)
{
    ZIP_BUILD_CLEANUP struct zip_build zip = {0};
    zip_add(&zip, (struct zip_member){"a", "0123", 4, 0, 0, 20, true, 0});
    zip_put_directory(&zip);
    zip_put_end64(&zip);
    zip_put_end(&zip, UINT32_MAX, UINT32_MAX, "");
    probe_damage(list, &zip.out);
}

int main(void)
{
    TEST("what Python wrote is read", what_python_wrote_is_read);
    TEST("members are found by their own headers", members_are_found_by_their_own_headers);
    TEST("an archive may have none", an_archive_may_have_none);
    TEST("a large archive has longer numbers", a_large_archive_has_longer_numbers);
    TEST("a comment may look like an end", a_comment_may_look_like_an_end);
    TEST("the longest comment is looked through", the_longest_comment_is_looked_through);
    TEST("what makes no sense is refused", what_makes_no_sense_is_refused);
    TEST("extra fields that lie are refused", extra_fields_that_lie_are_refused);
    TEST("archives in parts are refused", archives_in_parts_are_refused);
    TEST("damage is survived", damage_is_survived);
    return check_done();
}
