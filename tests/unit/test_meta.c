/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/meta.h"

#include <pthread.h>

#include "cache/blocks.h"

#include "cache_probe.h"

#define MIB (UINT64_C(1) << 20)

static char top[PATH_MAX], dir[2 * PATH_MAX];
static int n_dirs;

static void fresh_dir(void)
{
    snprintf(dir, sizeof(dir), "%s/%d", top, n_dirs++);
}

static struct blocks *open_cache(void)
{
    struct blocks_options options = {.dir = dir, .limit_bytes = 64 * MIB};
    struct blocks *blocks = NULL;
    CHECK_EQ(blocks_open(&options, &blocks), 0);
    return blocks;
}

static bool has(struct blocks *blocks, const char *key, const void *value, size_t len)
{
    void *got = NULL;
    size_t got_len = 0;
    if (meta_get(blocks_meta(blocks), key, &got, &got_len, NULL) != 0)
        return false;
    bool same = got_len == len && memcmp(got, value, len) == 0 && ((char *)got)[len] == '\0';
    free(got);
    return same;
}

static bool has_text(struct blocks *blocks, const char *key, const char *value)
{
    return has(blocks, key, value, strlen(value));
}

static int put_text(struct blocks *blocks, const char *key, const char *value)
{
    return meta_put(blocks_meta(blocks), key, value, strlen(value));
}

static bool is_absent(struct blocks *blocks, const char *key)
{
    void *got = NULL;
    size_t len = 0;
    int r = meta_get(blocks_meta(blocks), key, &got, &len, NULL);
    free(got);
    return r == -ENOENT;
}

static void what_is_put_is_got(void)
{
    fresh_dir();
    struct blocks *blocks = open_cache();
    CHECK(is_absent(blocks, "k"));
    CHECK_EQ(put_text(blocks, "k", "one"), 0);
    CHECK(has_text(blocks, "k", "one"));
    CHECK(is_absent(blocks, "K"));
    CHECK(is_absent(blocks, "kk"));
    CHECK_EQ(put_text(blocks, "k", "another one"), 0);
    CHECK(has_text(blocks, "k", "another one"));
    CHECK_EQ(put_text(blocks, "empty", ""), 0);
    CHECK(has_text(blocks, "empty", ""));
    blocks_close(blocks);
    blocks = open_cache();
    CHECK(has_text(blocks, "k", "another one"));
    CHECK(has_text(blocks, "empty", ""));
    blocks_close(blocks);
}

static void what_is_deleted_is_absent(void)
{
    fresh_dir();
    struct blocks *blocks = open_cache();
    CHECK_EQ(put_text(blocks, "k", "one"), 0);
    CHECK_EQ(meta_delete(blocks_meta(blocks), "k"), 0);
    CHECK(is_absent(blocks, "k"));
    CHECK_EQ(meta_delete(blocks_meta(blocks), "k"), 0);
    blocks_close(blocks);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void a_record_knows_when_it_was_put(void)
{
    fresh_dir();
    struct blocks *blocks = open_cache();
    int64_t before = now_ns(), when = 0;
    CHECK_EQ(put_text(blocks, "k", "one"), 0);
    int64_t after = now_ns();
    void *got = NULL;
    size_t len;
    CHECK_EQ(meta_get(blocks_meta(blocks), "k", &got, &len, &when), 0);
    free(got);
    CHECK(when >= before && when <= after);
    blocks_close(blocks);
}

/* Longer than any key of the table underneath. */
static void long_keys_are_told_apart(void)
{
    static const size_t lens[] = {1, 499, 500, 501, 511, 512, 513, 5000};
    enum { N = sizeof(lens) / sizeof(lens[0]) };
    fresh_dir();
    struct blocks *blocks = open_cache();
    char key[6000], value[32];
    for (size_t i = 0; i < N; i++) {
        memset(key, 'k', lens[i]);
        key[lens[i]] = '\0';
        snprintf(value, sizeof(value), "%zu", lens[i]);
        CHECK_EQ(put_text(blocks, key, value), 0);
    }
    key[4999] = 'x'; /* differs in the last letter only */
    CHECK(is_absent(blocks, key));
    CHECK_EQ(put_text(blocks, key, "other"), 0);
    CHECK(has_text(blocks, key, "other"));
    for (size_t i = 0; i < N; i++) {
        memset(key, 'k', lens[i]);
        key[lens[i]] = '\0';
        snprintf(value, sizeof(value), "%zu", lens[i]);
        CHECK(has_text(blocks, key, value));
    }
    CHECK_EQ(meta_delete(blocks_meta(blocks), key), 0);
    CHECK(is_absent(blocks, key));
    blocks_close(blocks);
}

static void bad_keys_and_values_are_refused(void)
{
    fresh_dir();
    struct blocks *blocks = open_cache();
    CHECK_EQ(put_text(blocks, "", "v"), -EINVAL);
    CHECK(is_absent(blocks, ""));
    CHECK(meta_put(blocks_meta(blocks), "k", "v", SIZE_MAX) < 0);
    CHECK(meta_put(blocks_meta(blocks), "k", "v", SIZE_MAX - 15) < 0);
    CHECK(is_absent(blocks, "k"));
    blocks_close(blocks);
}

static void values_of_all_sizes_come_back(void)
{
    static const size_t lens[] = {1, 2000, 2020, 2040, 4064, 4080, 4096, 70000, 1000000};
    fresh_dir();
    struct blocks *blocks = open_cache();
    char *value = malloc(1000000);
    uint64_t seed = 1;
    for (size_t i = 0; i < 1000000; i++)
        value[i] = (char)probe_random(&seed);
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        char key[32];
        snprintf(key, sizeof(key), "%zu", lens[i]);
        CHECK_EQ(meta_put(blocks_meta(blocks), key, value, lens[i]), 0);
        CHECK(has(blocks, key, value, lens[i]));
    }
    blocks_close(blocks);
    free(value);
}

/* Flips a bit in each copy of @needle that the data file has. Returns how many. */
static int flip_in_file(const char *needle)
{
    const char *path = probe_path(dir, "v1/data.mdb");
    size_t size = (size_t)probe_size(path);
    char *bytes = malloc(size);
    int fd = open(path, O_RDWR), n = 0;
    CHECK_EQ(pread(fd, bytes, size, 0), size);
    for (char *at = bytes; (at = memmem(at, size - (size_t)(at - bytes), needle, strlen(needle)));
         at++) {
        char flipped = (char)(*at ^ 1);
        CHECK_EQ(pwrite(fd, &flipped, 1, at - bytes), 1);
        n++;
    }
    close(fd);
    free(bytes);
    return n;
}

static void a_damaged_value_is_absent(void)
{
    fresh_dir();
    struct blocks *blocks = open_cache();
    CHECK_EQ(put_text(blocks, "damaged", "the-needle-in-the-haystack"), 0);
    CHECK_EQ(put_text(blocks, "sound", "something else"), 0);
    blocks_close(blocks);
    CHECK(flip_in_file("the-needle") > 0);
    blocks = open_cache();
    CHECK(is_absent(blocks, "damaged"));
    CHECK(has_text(blocks, "sound", "something else"));
    CHECK_EQ(put_text(blocks, "damaged", "new"), 0);
    CHECK(has_text(blocks, "damaged", "new"));
    blocks_close(blocks);
}

/* One record's value under another's key is not believed. */
static void a_value_under_a_changed_key_is_absent(void)
{
    fresh_dir();
    struct blocks *blocks = open_cache();
    CHECK_EQ(put_text(blocks, "abcdefgh", "value"), 0);
    blocks_close(blocks);
    CHECK(flip_in_file("abcdefgh") > 0);
    blocks = open_cache();
    CHECK(is_absent(blocks, "abcdefgh"));
    CHECK(is_absent(blocks, "`bcdefgh"));
    blocks_close(blocks);
}

static void *work(void *ctx)
{
    char key[32], value[32];
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof(key), "%d", i % 10);
        snprintf(value, sizeof(value), "value of %d", i % 10);
        if (i % 9 == 0)
            meta_delete(blocks_meta(ctx), key);
        else
            meta_put(blocks_meta(ctx), key, value, strlen(value));
        void *got;
        size_t len;
        if (meta_get(blocks_meta(ctx), key, &got, &len, NULL) == 0) {
            if (len != strlen(value) || memcmp(got, value, len) != 0)
                abort();
            free(got);
        }
    }
    return NULL;
}

static void threads_may_work_at_once(void)
{
    fresh_dir();
    struct blocks *blocks = open_cache();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, work, blocks), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    blocks_close(blocks);
}

static int put_and_die(void *ctx)
{
    (void)ctx;
    struct blocks *blocks = open_cache();
    CHECK_EQ(put_text(blocks, "k", "v"), 0);
    raise(SIGKILL);
    return 0;
}

static void what_was_put_outlives_a_kill(void)
{
    fresh_dir();
    CHECK_EQ(probe_run(put_and_die, NULL, 30), -SIGKILL);
    struct blocks *blocks = open_cache();
    CHECK(has_text(blocks, "k", "v"));
    blocks_close(blocks);
}

int main(void)
{
    probe_dir_make(top);
    TEST("what is put is got", what_is_put_is_got);
    TEST("what is deleted is absent", what_is_deleted_is_absent);
    TEST("a record knows when it was put", a_record_knows_when_it_was_put);
    TEST("long keys are told apart", long_keys_are_told_apart);
    TEST("bad keys and values are refused", bad_keys_and_values_are_refused);
    TEST("values of all sizes come back", values_of_all_sizes_come_back);
    TEST("a damaged value is absent", a_damaged_value_is_absent);
    TEST("a value under a changed key is absent", a_value_under_a_changed_key_is_absent);
    TEST("threads may work at once", threads_may_work_at_once);
    TEST("what was put outlives a kill", what_was_put_outlives_a_kill);
    probe_dir_remove(top);
    return check_done();
}
