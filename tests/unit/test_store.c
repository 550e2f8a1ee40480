/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/store.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "check.h"
#include "store_dir.h"

enum { N_KILLS = 12 };

DEFINE_CLEANUP(struct store *, cleanup_store, store_close)
#define STORE_CLEANUP CLEANUP(cleanup_store)

static struct store *open_store(void)
{
    struct store *store = NULL;
    CHECK_EQ(store_open(store_dir, STORE_SERVE, &store), 0);
    return store;
}

static struct store_txn *begin(struct store *store, bool writes)
{
    struct store_txn *txn = NULL;
    CHECK_EQ(store_begin(store, writes, &txn), 0);
    return txn;
}

static int put_text(struct store_txn *txn, const char *key, const char *value)
{
    json_t *json JSON_CLEANUP = json_pack("{s:s}", "v", value);
    return store_put_json(txn, STORE_MODELS, store_key_of(key), json);
}

static void check_record(struct store *store, const char *key, const char *want)
{
    struct store_txn *txn STORE_TXN_CLEANUP = begin(store, false);
    json_t *json JSON_CLEANUP = NULL;
    int r = store_get_json(txn, STORE_MODELS, store_key_of(key), &json);
    CHECK_EQ(r, want ? 0 : -ENOENT);
    CHECK_EQ(store_has(txn, STORE_MODELS, store_key_of(key)), want != NULL);
    if (want)
        CHECK_STR(json_get_text(json, "v"), want);
}

static void a_commit_lasts_and_an_abort_does_not(void)
{
    struct store *store = open_store();
    struct store_txn *txn = begin(store, true);
    CHECK_EQ(put_text(txn, "a", "one"), 0);
    check_record(store, "a", NULL);
    CHECK_EQ(store_commit(txn), 0);
    txn = begin(store, true);
    CHECK_EQ(put_text(txn, "a", "two"), 0);
    CHECK_EQ(put_text(txn, "b", "two"), 0);
    store_abort(txn);
    store_abort(NULL);
    check_record(store, "a", "one");
    store_close(store);
    store = open_store();
    check_record(store, "a", "one");
    check_record(store, "b", NULL);
    store_close(store);
    store_close(NULL);
    store_dir_clear();
}

static void values_of_another_shape_are_errors(void)
{
    struct store *store STORE_CLEANUP = open_store();
    struct store_txn *txn STORE_TXN_CLEANUP = begin(store, true);
    json_t *json JSON_CLEANUP = NULL;
    struct store_key key = store_key_of("k");
    char bytes[8];
    CHECK_EQ(store_put_bytes(txn, STORE_KEYS, key, "{x", 2), 0);
    CHECK_EQ(store_get_json(txn, STORE_KEYS, key, &json), -EIO);
    CHECK_EQ(store_get_bytes(txn, STORE_KEYS, key, bytes, 3), -EIO);
    CHECK_EQ(store_get_bytes(txn, STORE_KEYS, key, bytes, 2), 0);
    CHECK_EQ(store_get_bytes(txn, STORE_KEYS, store_key_of("j"), bytes, 2), -ENOENT);
    CHECK_EQ(store_delete(txn, STORE_KEYS, key), 0);
    CHECK_EQ(store_delete(txn, STORE_KEYS, key), -ENOENT);
    store_abort(steal_ptr(txn));
    store_dir_clear();
}

static int note_key(struct store_key key, struct store_key value, void *arg)
{
    (void)value;
    return buf_append(arg, key.data, key.len);
}

static int stop_at_once(struct store_key key, struct store_key value, void *arg)
{
    (void)key;
    (void)value;
    ++*(int *)arg;
    return 7;
}

static void a_walk_sees_the_keys_of_its_prefix(void)
{
    static const char *const keys[] = {"b", "a1", "a3", "c", "a2"};
    static const struct {
        const char *prefix, *want;
    } cases[] = {{"", "a1a2a3bc"}, {"a", "a1a2a3"}, {"a2", "a2"}, {"aa", ""}, {"z", ""}};
    struct store *store STORE_CLEANUP = open_store();
    struct store_txn *txn STORE_TXN_CLEANUP = begin(store, true);
    int n_seen = 0;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        CHECK_EQ(put_text(txn, keys[i], "x"), 0);
    CHECK_EQ(store_count(txn, STORE_MODELS), 5);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf seen BUF_CLEANUP = {0};
        CHECK_EQ(store_each(txn, STORE_MODELS, store_key_of(cases[i].prefix), note_key, &seen), 0);
        CHECK_STR(seen.data ? seen.data : "", cases[i].want);
    }
    CHECK_EQ(store_each(txn, STORE_MODELS, store_key_of("a"), stop_at_once, &n_seen), 7);
    CHECK_EQ(n_seen, 1);
    store_abort(steal_ptr(txn));
    store_dir_clear();
}

/* New content, finished. */
static struct objects_temp *make_content(struct store *store, const char *text, struct digest *out,
                                         uint64_t *out_size_bytes)
{
    struct objects_temp *temp = NULL;
    CHECK_EQ(objects_temp_new(store_objects(store), &temp), 0);
    CHECK_EQ(objects_temp_write(temp, text, strlen(text)), 0);
    CHECK_EQ(objects_temp_finish(temp, out, out_size_bytes), 0);
    return temp;
}

static void refer(struct store *store, const char *text, struct digest *out, bool commits)
{
    uint64_t size_bytes;
    struct objects_temp *temp CLEANUP(cleanup_objects_temp) =
        make_content(store, text, out, &size_bytes);
    struct store_txn *txn = begin(store, true);
    CHECK_EQ(store_ref_new(txn, temp, out, size_bytes), 0);
    if (commits)
        CHECK_EQ(store_commit(txn), 0);
    else
        store_abort(txn);
}

static int unrefer(struct store *store, const struct digest *digest)
{
    struct store_txn *txn = begin(store, true);
    int r = store_unref(txn, digest);
    CHECK_EQ(store_commit(txn), 0);
    return r;
}

static void content_lives_as_long_as_somebody_refers_to_it(void)
{
    struct store *store STORE_CLEANUP = open_store();
    struct digest digest;
    refer(store, "hello", &digest, true);
    refer(store, "hello", &digest, true);
    CHECK_EQ(store_dir_count("objects"), 1);
    CHECK_EQ(unrefer(store, &digest), 0);
    CHECK_EQ(store_dir_count("objects"), 1);
    CHECK_EQ(unrefer(store, &digest), 0);
    CHECK_EQ(store_dir_count("objects"), 0);
    CHECK_EQ(unrefer(store, &digest), -EIO);
    CHECK_EQ(store_dir_count("tmp"), 0);
    store_dir_clear();
}

static void an_abort_takes_new_content_away_and_leaves_old(void)
{
    struct store *store STORE_CLEANUP = open_store();
    struct digest digest;
    refer(store, "hello", &digest, false);
    CHECK_EQ(store_dir_count("objects"), 0);
    refer(store, "hello", &digest, true);
    refer(store, "hello", &digest, false);
    CHECK_EQ(store_dir_count("objects"), 1);
    struct store_txn *txn = begin(store, true);
    CHECK_EQ(store_unref(txn, &digest), 0);
    store_abort(txn);
    CHECK_EQ(store_dir_count("objects"), 1);
    store_dir_clear();
}

static void content_that_comes_back_before_it_went_stays(void)
{
    struct store *store STORE_CLEANUP = open_store();
    struct digest digest;
    uint64_t size_bytes;
    refer(store, "hello", &digest, true);
    struct objects_temp *temp CLEANUP(cleanup_objects_temp) =
        make_content(store, "hello", &digest, &size_bytes);
    struct store_txn *txn = begin(store, true);
    CHECK_EQ(store_unref(txn, &digest), 0);
    CHECK_EQ(store_ref_new(txn, temp, &digest, size_bytes), 0);
    CHECK_EQ(store_commit(txn), 0);
    CHECK_EQ(store_dir_count("objects"), 1);
    CHECK_EQ(unrefer(store, &digest), 0);
    CHECK_EQ(store_dir_count("objects"), 0);
    store_dir_clear();
}

/* What opening gives in another process. */
static int open_elsewhere(enum store_use use)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct store *store = NULL;
        int r = store_open(store_dir, use, &store);
        store_close(store);
        _exit(-r);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? -WEXITSTATUS(status) : INT32_MIN;
}

static void a_store_has_one_server_and_any_visitors(void)
{
    struct store *store = open_store();
    struct digest digest;
    struct objects_temp *temp = NULL;
    CHECK_EQ(objects_temp_new(store_objects(store), &temp), 0);
    refer(store, "hello", &digest, true);
    CHECK_EQ(open_elsewhere(STORE_SERVE), -EBUSY);
    CHECK_EQ(open_elsewhere(STORE_BESIDE), 0);
    CHECK_EQ(store_dir_count("tmp"), 1); /* they sweep nothing */
    CHECK_EQ(store_dir_count("objects"), 1);
    objects_temp_free(temp);
    store_close(store);
    CHECK_EQ(open_elsewhere(STORE_SERVE), 0);
    store_dir_clear();
}

static void the_secret_stays_and_is_each_stores_own(void)
{
    struct sign_secret first, none = {{0}};
    struct store *store = open_store();
    first = *store_sign_secret(store);
    store_close(store);
    store = open_store();
    CHECK(memcmp(&first, store_sign_secret(store), sizeof(first)) == 0);
    CHECK(memcmp(&first, &none, sizeof(first)) != 0);
    store_close(store);
    store_dir_clear();
    store = open_store();
    CHECK(memcmp(&first, store_sign_secret(store), sizeof(first)) != 0);
    store_close(store);
    store_dir_clear();
}

static void folders_are_made_and_what_is_in_the_way_is_said(void)
{
    static const char *const names[] = {"a/b/c", "a/b/c/", "a//b/./d"};
    struct store *store = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        CHECK_EQ(store_open(store_dir_path(names[i]), STORE_SERVE, &store), 0);
        store_close(store);
        CHECK_EQ(access(store_dir_path(names[i]), F_OK), 0);
    }
    fclose(fopen(store_dir_path("file"), "w"));
    CHECK_EQ(store_open(store_dir_path("file"), STORE_SERVE, &store), -ENOTDIR);
    CHECK_EQ(store_open(store_dir_path("file/x"), STORE_SERVE, &store), -ENOTDIR);
    store_dir_clear();
}

/* Puts a record and its content, again and again, and says after each that it is there. */
static void put_for_ever(int acknowledge)
{
    struct store *store = NULL;
    if (store_open(store_dir, STORE_SERVE, &store) < 0)
        _exit(1);
    for (unsigned i = 0;; i++) {
        struct store_txn *txn = NULL;
        struct objects_temp *temp = NULL;
        struct digest digest;
        uint64_t size_bytes;
        char text[32];
        snprintf(text, sizeof(text), "%d %u", getpid(), i);
        if (objects_temp_new(store_objects(store), &temp) < 0 ||
            objects_temp_write(temp, text, strlen(text)) < 0 ||
            objects_temp_finish(temp, &digest, &size_bytes) < 0 ||
            store_begin(store, true, &txn) < 0 ||
            store_ref_new(txn, temp, &digest, size_bytes) < 0 || put_text(txn, text, text) < 0 ||
            store_commit(txn) < 0)
            _exit(1);
        objects_temp_free(temp);
        if (write(acknowledge, &i, sizeof(i)) != sizeof(i))
            _exit(1);
    }
}

/* Starts a writer, kills it after a while. Returns how many records it said were there. */
static unsigned write_and_kill(unsigned after_us, pid_t *out_child)
{
    int ends[2], status = 0;
    unsigned last, n = 0;
    CHECK_EQ(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        put_for_ever(ends[1]);
    close(ends[1]);
    usleep(after_us);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    while (read(ends[0], &last, sizeof(last)) == sizeof(last))
        n = last + 1;
    close(ends[0]);
    *out_child = child;
    return n;
}

static bool has_content(struct store *store, const char *text)
{
    struct digest digest;
    digest_of(text, strlen(text), &digest);
    int fd CLEANUP(cleanup_close) = objects_open_read(store_objects(store), &digest, strlen(text));
    return fd >= 0;
}

static void kill_at_any_moment_keeps_what_was_acknowledged(void)
{
    unsigned n_all = 0;
    for (unsigned i = 0; i < N_KILLS; i++) {
        pid_t child;
        unsigned n = write_and_kill(3000 + i * 4000, &child);
        struct store *store = open_store();
        struct store_txn *txn = begin(store, false);
        for (unsigned k = 0; k < n; k++) {
            char text[32];
            snprintf(text, sizeof(text), "%d %u", child, k);
            CHECK(store_has(txn, STORE_MODELS, store_key_of(text)));
            CHECK(has_content(store, text));
        }
        CHECK_EQ(store_count(txn, STORE_MODELS), store_count(txn, STORE_REFS));
        CHECK_EQ(store_dir_count("objects"), store_count(txn, STORE_REFS));
        CHECK_EQ(store_dir_count("tmp"), 0);
        CHECK_EQ(store_dir_count_broken(), 0);
        store_abort(txn);
        store_close(store);
        n_all += n;
    }
    CHECK(n_all > 0);
    store_dir_clear();
}

int main(void)
{
    store_dir_make();
    TEST("a commit lasts and an abort does not", a_commit_lasts_and_an_abort_does_not);
    TEST("values of another shape are errors", values_of_another_shape_are_errors);
    TEST("a walk sees the keys of its prefix in order", a_walk_sees_the_keys_of_its_prefix);
    TEST("content lives as long as somebody refers to it",
         content_lives_as_long_as_somebody_refers_to_it);
    TEST("an abort takes new content away and leaves old",
         an_abort_takes_new_content_away_and_leaves_old);
    TEST("content that comes back before it went stays",
         content_that_comes_back_before_it_went_stays);
    TEST("a store has one server and any visitors", a_store_has_one_server_and_any_visitors);
    TEST("the secret stays, and is each store's own", the_secret_stays_and_is_each_stores_own);
    TEST("folders are made, and what is in the way is said",
         folders_are_made_and_what_is_in_the_way_is_said);
    TEST("kill -9 at any moment keeps what was acknowledged and nothing else",
         kill_at_any_moment_keeps_what_was_acknowledged);
    store_dir_drop();
    return check_done();
}
