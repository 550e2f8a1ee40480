/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/objects.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "check.h"
#include "store_dir.h"

enum { N_KILLS = 20 };

DEFINE_CLEANUP(struct objects *, cleanup_objects, objects_close)
#define OBJECTS_CLEANUP CLEANUP(cleanup_objects)
#define TEMP_CLEANUP    CLEANUP(cleanup_objects_temp)

static struct objects *open_objects(void)
{
    struct objects *objects = NULL;
    CHECK_EQ(objects_open(store_dir, &objects), 0);
    return objects;
}

/* 0 or -errno; then *out is its digest. */
static int store_text(struct objects *objects, const char *text, struct digest *out)
{
    struct objects_temp *temp TEMP_CLEANUP = NULL;
    uint64_t size_bytes;
    int r = objects_temp_new(objects, &temp);
    if (r == 0)
        r = objects_temp_write(temp, text, strlen(text));
    if (r == 0)
        r = objects_temp_finish(temp, out, &size_bytes);
    return r < 0 ? r : objects_install(temp, out);
}

static void check_text(struct objects *objects, const struct digest *digest, const char *want)
{
    char got[256] = "";
    int fd CLEANUP(cleanup_close) = objects_open_read(objects, digest, strlen(want));
    CHECK(fd >= 0);
    CHECK_EQ(read(fd, got, sizeof(got) - 1), strlen(want));
    CHECK_STR(got, want);
}

static void content_is_found_under_its_digest(void)
{
    static const char *const texts[] = {"", "hello", "another"};
    struct objects *objects OBJECTS_CLEANUP = open_objects();
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct digest got, want;
        digest_of(texts[i], strlen(texts[i]), &want);
        CHECK(!objects_has(objects, &want, strlen(texts[i])));
        CHECK_EQ(objects_open_read(objects, &want, strlen(texts[i])), -ENOENT);
        CHECK_EQ(store_text(objects, texts[i], &got), 0);
        CHECK(digest_equal(&got, &want));
        CHECK(objects_has(objects, &want, strlen(texts[i])));
        check_text(objects, &want, texts[i]);
    }
    CHECK_EQ(store_dir_count("objects"), 3);
    CHECK_EQ(store_dir_count_broken(), 0);
    CHECK_EQ(store_dir_count("tmp"), 0);
    store_dir_clear();
}

static void what_is_given_up_leaves_nothing(void)
{
    struct objects *objects OBJECTS_CLEANUP = open_objects();
    struct objects_temp *temp = NULL;
    CHECK_EQ(objects_temp_new(objects, &temp), 0);
    CHECK_EQ(objects_temp_write(temp, "half", 4), 0);
    CHECK_EQ(store_dir_count("tmp"), 1);
    objects_temp_free(temp);
    objects_temp_free(NULL);
    CHECK_EQ(store_dir_count("tmp"), 0);
    CHECK_EQ(store_dir_count("objects"), 0);
    store_dir_clear();
}

static void bytes_can_be_put_in_front(void)
{
    struct objects *objects OBJECTS_CLEANUP = open_objects();
    struct objects_temp *temp TEMP_CLEANUP = NULL;
    struct digest got, want;
    uint64_t size_bytes;
    CHECK_EQ(objects_temp_new(objects, &temp), 0);
    CHECK_EQ(objects_temp_write(temp, "world", 5), 0);
    CHECK_EQ(objects_temp_prepend(temp, "hello ", 6), 0);
    CHECK_EQ(objects_temp_write(temp, "!", 1), 0);
    CHECK_EQ(store_dir_count("tmp"), 1);
    CHECK_EQ(objects_temp_finish(temp, &got, &size_bytes), 0);
    CHECK_EQ(size_bytes, 12);
    digest_of("hello world!", 12, &want);
    CHECK(digest_equal(&got, &want));
    CHECK_EQ(objects_install(temp, &got), 0);
    check_text(objects, &want, "hello world!");
    store_dir_clear();
}

static void a_damaged_object_is_not_read(void)
{
    struct objects *objects OBJECTS_CLEANUP = open_objects();
    struct digest digest;
    char hex[DIGEST_HEX_BYTES], name[128];
    CHECK_EQ(store_text(objects, "hello", &digest), 0);
    CHECK_EQ(objects_open_read(objects, &digest, 4), -EIO);
    CHECK(!objects_has(objects, &digest, 4));
    digest_format_hex(&digest, hex);
    snprintf(name, sizeof(name), "objects/%.2s/%s", hex, hex + 2);
    CHECK_EQ(truncate(store_dir_path(name), 3), 0);
    CHECK_EQ(objects_open_read(objects, &digest, 5), -EIO);
    CHECK(!objects_has(objects, &digest, 5));
    CHECK_EQ(store_text(objects, "hello", &digest), 0);
    check_text(objects, &digest, "hello");
    store_dir_clear();
}

static void removing_twice_is_fine_and_readers_keep_what_they_have(void)
{
    struct objects *objects OBJECTS_CLEANUP = open_objects();
    struct digest digest;
    char got[8] = "";
    CHECK_EQ(store_text(objects, "hello", &digest), 0);
    int fd CLEANUP(cleanup_close) = objects_open_read(objects, &digest, 5);
    CHECK_EQ(objects_remove(objects, &digest), 0);
    CHECK_EQ(objects_remove(objects, &digest), 0);
    CHECK_EQ(objects_open_read(objects, &digest, 5), -ENOENT);
    CHECK_EQ(read(fd, got, sizeof(got)), 5);
    CHECK_STR(got, "hello");
    store_dir_clear();
}

static bool is_equal(const struct digest *digest, void *arg)
{
    return digest_equal(digest, arg);
}

static void sweeping_keeps_what_is_wanted_and_what_is_not_ours(void)
{
    struct objects *objects OBJECTS_CLEANUP = open_objects();
    struct objects_temp *temp TEMP_CLEANUP = NULL;
    struct digest wanted, other;
    CHECK_EQ(store_text(objects, "wanted", &wanted), 0);
    CHECK_EQ(store_text(objects, "other", &other), 0);
    CHECK_EQ(objects_temp_new(objects, &temp), 0);
    fclose(fopen(store_dir_path("objects/note.txt"), "w"));
    fclose(fopen(store_dir_path("objects/ab"), "w"));
    CHECK_EQ(objects_clear_temps(objects), 0);
    CHECK_EQ(objects_sweep(objects, is_equal, &wanted), 0);
    CHECK_EQ(store_dir_count("tmp"), 0);
    CHECK_EQ(access(store_dir_path("objects/note.txt"), F_OK), 0);
    CHECK(objects_has(objects, &wanted, 6));
    CHECK(!objects_has(objects, &other, 5));
    store_dir_clear();
}

/* Stores one content after the other until it is killed. */
static void store_for_ever(void)
{
    struct objects *objects = NULL;
    if (objects_open(store_dir, &objects) < 0)
        _exit(1);
    for (unsigned i = 0;; i++) {
        struct objects_temp *temp = NULL;
        struct digest digest;
        uint64_t size_bytes;
        if (objects_temp_new(objects, &temp) < 0)
            _exit(1);
        for (unsigned k = 0; k <= i % 50; k++)
            objects_temp_write(temp, &i, sizeof(i));
        if (objects_temp_finish(temp, &digest, &size_bytes) < 0 ||
            objects_install(temp, &digest) < 0)
            _exit(1);
        objects_temp_free(temp);
    }
}

static void kill_at_any_moment_leaves_whole_objects(void)
{
    for (unsigned i = 0; i < N_KILLS; i++) {
        pid_t child = fork();
        if (child == 0)
            store_for_ever();
        int status = 0;
        usleep(2000 + i * 1500);
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        CHECK_EQ(store_dir_count_broken(), 0);
        CHECK(store_dir_count("tmp") <= i + 1);
    }
    CHECK(store_dir_count("objects") > 0);
    store_dir_clear();
}

static void a_folder_that_cannot_be_made_is_an_error(void)
{
    struct objects *objects = NULL;
    fclose(fopen(store_dir_path("objects"), "w"));
    CHECK_EQ(objects_open(store_dir, &objects), -ENOTDIR);
    CHECK(objects == NULL);
    store_dir_clear();
}

static void memory_that_is_short_loses_nothing(void)
{
    struct objects *objects OBJECTS_CLEANUP = open_objects();
    FOR_EACH_ALLOC_FAILURE
    {
        struct digest digest;
        int r = store_text(objects, "hello", &digest);
        CHECK(r == 0 || r == -ENOMEM);
        CHECK_EQ(r, check_alloc_hit ? -ENOMEM : 0);
        CHECK_EQ(store_dir_count("tmp"), 0);
    }
    store_dir_clear();
}

int main(void)
{
    store_dir_make();
    TEST("content is found under its digest", content_is_found_under_its_digest);
    TEST("what is given up leaves nothing", what_is_given_up_leaves_nothing);
    TEST("bytes can be put in front", bytes_can_be_put_in_front);
    TEST("a damaged object is not read, and made whole by the same content",
         a_damaged_object_is_not_read);
    TEST("removing twice is fine, and readers keep what they have",
         removing_twice_is_fine_and_readers_keep_what_they_have);
    TEST("sweeping keeps what is wanted and what is not ours",
         sweeping_keeps_what_is_wanted_and_what_is_not_ours);
    TEST("kill -9 at any moment leaves whole objects only",
         kill_at_any_moment_leaves_whole_objects);
    TEST("a folder that cannot be made is an error", a_folder_that_cannot_be_made_is_an_error);
    TEST("memory that is short loses nothing", memory_that_is_short_loses_nothing);
    store_dir_drop();
    return check_done();
}
