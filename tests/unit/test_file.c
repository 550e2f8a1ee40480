/* SPDX-License-Identifier: Apache-2.0 */
#include "net/file.h"

#include <errno.h>
#include <fcntl.h>

#include "check.h"

static char dir[64]; /* of this run */

/* The file:// URL of @name in the directory. */
static const char *url_of(const char *name)
{
    static char url[256];
    snprintf(url, sizeof(url), "file://%s/%s", dir, name);
    return url;
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *f CLEANUP(cleanup_fclose) = fopen(path_of(name), "w");
    fputs(text, f);
}

/* The status that opening gives; the range is closed again. */
static int status_of(const char *url, uint64_t off, uint64_t len, const char *if_match)
{
    struct file_range range CLEANUP(file_range_deinit) = {.fd = -1};
    int r = file_range_open(url, off, len, if_match, &range);
    return r < 0 ? r : range.status;
}

static void ranges_are_clipped_to_the_file(void)
{
    static const struct {
        uint64_t off, len;
        int status;
        const char *want;
    } cases[] = {
        {0, 0, 200, "0123456789"},     {0, 4, 206, "0123"},
        {3, 4, 206, "3456"},           {8, 4, 206, "89"},
        {9, UINT64_MAX - 9, 206, "9"}, {10, 1, 416, ""},
        {UINT64_MAX, 1, 416, ""},      {0, UINT64_MAX, 206, "0123456789"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct file_range range CLEANUP(file_range_deinit) = {.fd = -1};
        char got[32] = "";
        CHECK_EQ(file_range_open(url_of("ten"), cases[i].off, cases[i].len, NULL, &range), 0);
        CHECK_EQ(range.status, cases[i].status);
        CHECK_EQ(range.total_bytes, 10);
        CHECK_EQ(file_range_read(&range, got, sizeof(got)), strlen(cases[i].want));
        CHECK_STR(got, cases[i].want);
        CHECK_EQ(file_range_read(&range, got, sizeof(got)), 0);
    }
}

static void small_pieces_add_up(void)
{
    struct file_range range CLEANUP(file_range_deinit) = {.fd = -1};
    char got[32] = "";
    size_t n = 0;
    CHECK_EQ(file_range_open(url_of("ten"), 1, 7, NULL, &range), 0);
    for (ssize_t r; (r = file_range_read(&range, got + n, 3)) > 0;)
        n += (size_t)r;
    CHECK_STR(got, "1234567");
}

static void an_empty_file_is_whole_and_has_no_range(void)
{
    CHECK_EQ(status_of(url_of("empty"), 0, 0, NULL), 200);
    CHECK_EQ(status_of(url_of("empty"), 0, 1, NULL), 416);
}

static void what_cannot_be_read_has_a_status(void)
{
    CHECK_EQ(status_of(url_of("missing"), 0, 0, NULL), 404);
    CHECK_EQ(status_of(url_of("ten/below"), 0, 0, NULL), 404);
    CHECK_EQ(status_of(url_of(""), 0, 0, NULL), 403);
    CHECK_EQ(status_of(url_of("link"), 0, 0, NULL), 403);
    CHECK_EQ(status_of(url_of("fifo"), 0, 0, NULL), 403);
    CHECK_EQ(status_of("file:///dev/null", 0, 0, NULL), 403);
    if (geteuid() != 0)
        CHECK_EQ(status_of(url_of("secret"), 0, 0, NULL), 403);
}

static void paths_are_decoded(void)
{
    CHECK_EQ(status_of(url_of("a%20b%25%3F"), 0, 0, NULL), 200);
    CHECK_EQ(status_of(url_of("t%65n"), 0, 0, NULL), 200);
    char url[256];
    snprintf(url, sizeof(url), "FILE://localhost%s/ten", dir);
    CHECK_EQ(status_of(url, 0, 0, NULL), 200);
}

static void odd_urls_are_refused(void)
{
    static const char *const cases[] = {
        "file://host/etc/hosts", "file://",   "http:///etc/hosts", "file:///a%00b", "file:///a%",
        "file:///a?b",           "/etc/hosts"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(status_of(cases[i], 0, 0, NULL), -EINVAL);
}

static void another_validator_is_refused(void)
{
    struct stat st;
    char etag[FILE_ETAG_BYTES];
    stat(path_of("ten"), &st);
    file_format_etag(&st, etag);
    CHECK_EQ(status_of(url_of("ten"), 0, 4, etag), 206);
    CHECK_EQ(status_of(url_of("ten"), 0, 4, "*"), 206);
    CHECK_EQ(status_of(url_of("ten"), 0, 4, "\"1-2-3\""), 412);
    CHECK_EQ(status_of(url_of("ten"), 99, 4, "\"1-2-3\""), 412);
    CHECK_EQ(status_of(url_of("missing"), 0, 4, "\"1-2-3\""), 404);
}

static void validators_are_told_apart(void)
{
    struct stat st = {.st_size = 10, .st_ino = 7, .st_mtim = {1, 2}};
    char etag[FILE_ETAG_BYTES];
    file_format_etag(&st, etag);
    CHECK_STR(etag, "\"1000000002-10-7\"");
    memset(&st, 0xff, sizeof(st));
    st.st_mtim = (struct timespec){-9000000000, 0};
    file_format_etag(&st, etag);
    CHECK_STR(etag, "\"-9000000000000000000--1-18446744073709551615\"");
}

/* Opens the file `change`, reads a piece, lets @change act, and gives what the next read
 * returns. */
static ssize_t read_after(void (*change)(void))
{
    struct file_range range CLEANUP(file_range_deinit) = {.fd = -1};
    char piece[4];
    write_file("change", "0123456789");
    CHECK_EQ(file_range_open(url_of("change"), 0, 0, NULL, &range), 0);
    CHECK_EQ(file_range_read(&range, piece, sizeof(piece)), 4);
    change();
    return file_range_read(&range, piece, sizeof(piece));
}

static void touch_file(void)
{
    utimensat(AT_FDCWD, path_of("change"), (struct timespec[2]){{5, 0}, {5, 0}}, 0);
}

static void cut_file(void)
{
    CHECK_EQ(truncate(path_of("change"), 2), 0);
}

static void remove_file(void)
{
    unlink(path_of("change"));
}

static void a_file_that_changes_is_stale(void)
{
    CHECK_EQ(read_after(touch_file), -ESTALE);
    CHECK_EQ(read_after(cut_file), -ESTALE);
    CHECK_EQ(read_after(remove_file), 4); /* the open version is still whole */
}

static void make_files(void)
{
    snprintf(dir, sizeof(dir), "/tmp/modelfs-test-file-XXXXXX");
    if (!mkdtemp(dir))
        exit(EXIT_FAILURE);
    write_file("ten", "0123456789");
    write_file("empty", "");
    write_file("secret", "x");
    write_file("a b%?", "x");
    chmod(path_of("secret"), 0);
    CHECK_EQ(symlink("ten", path_of("link")), 0);
    CHECK_EQ(mkfifo(path_of("fifo"), 0600), 0);
}

static void remove_files(void)
{
    static const char *const names[] = {"ten",  "empty", "secret", "a b%?",
                                        "link", "fifo",  "change"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(path_of(names[i]));
    rmdir(dir);
}

int main(void)
{
    make_files();
    TEST("ranges are clipped to the file", ranges_are_clipped_to_the_file);
    TEST("small pieces add up", small_pieces_add_up);
    TEST("an empty file is whole and has no range", an_empty_file_is_whole_and_has_no_range);
    TEST("what cannot be read has a status", what_cannot_be_read_has_a_status);
    TEST("paths are decoded", paths_are_decoded);
    TEST("odd URLs are refused", odd_urls_are_refused);
    TEST("another validator is refused", another_validator_is_refused);
    TEST("validators are told apart", validators_are_told_apart);
    TEST("a file that changes while it is read is stale", a_file_that_changes_is_stale);
    remove_files();
    return check_done();
}
