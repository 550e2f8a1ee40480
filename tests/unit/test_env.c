/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/env.h"

#include <dirent.h>
#include <pthread.h>

#include "cache/folder.h"
#include "cache/mark.h"

#include "cache_probe.h"

#define MIB (UINT64_C(1) << 20)

static const char this_boot[] = "11111111-2222-3333-4444-555555555555";
static const char that_boot[] = "99999999-2222-3333-4444-555555555555";
static char top[PATH_MAX], dir[2 * PATH_MAX];
static int n_dirs;

static void fresh_dir(void)
{
    snprintf(dir, sizeof(dir), "%s/%d", top, n_dirs++);
}

static struct env_options options_of(enum env_safety safety, uint64_t map_bytes)
{
    return (struct env_options){
        .dir = dir, .map_bytes = map_bytes, .n_tables = 2, .safety = safety, .boot_id = this_boot};
}

static struct env_bytes text(const char *s)
{
    return (struct env_bytes){.data = s, .len = strlen(s)};
}

/* Opens with one table, number *out_table. NULL: it does not open. */
static struct env *open_env(enum env_safety safety, uint64_t map_bytes, unsigned *out_table)
{
    struct env_options options = options_of(safety, map_bytes);
    struct env *env;
    if (env_open(&options, &env, NULL) < 0)
        return NULL;
    CHECK_EQ(env_table(env, "t", out_table), 0);
    return env;
}

static int put_text(struct env *env, unsigned table, const char *key, const char *value)
{
    struct env_txn *txn;
    int r = env_begin(env, true, &txn);
    if (r < 0)
        return r;
    r = env_put(txn, table, text(key), text(value));
    if (r == 0)
        return env_commit(txn);
    env_abort(txn);
    return r;
}

static bool has(struct env *env, unsigned table, const char *key, const char *value)
{
    struct env_txn *txn;
    struct env_bytes got = {0};
    if (env_begin(env, false, &txn) < 0)
        return false;
    bool same = env_get(txn, table, text(key), &got) == 0 && got.len == strlen(value) &&
                memcmp(got.data, value, got.len) == 0;
    env_abort(txn);
    return same;
}

static void what_is_committed_is_there_again(void)
{
    fresh_dir();
    unsigned t;
    for (int safety = ENV_DURABLE; safety <= ENV_DISPOSABLE; safety++) {
        struct env *env = open_env(safety, MIB, &t);
        CHECK_EQ(put_text(env, t, "k", "v"), 0);
        CHECK(has(env, t, "k", "v"));
        CHECK(!has(env, t, "K", "v"));
        env_close(env);
        env = open_env(safety, MIB, &t);
        CHECK(has(env, t, "k", "v"));
        CHECK_EQ(env_sync(env), 0);
        env_close(env);
    }
}

static void what_is_aborted_is_not_there(void)
{
    fresh_dir();
    unsigned t;
    struct env *env = open_env(ENV_DISPOSABLE, MIB, &t);
    struct env_txn *txn;
    CHECK_EQ(env_begin(env, true, &txn), 0);
    CHECK_EQ(env_put(txn, t, text("a"), text("1")), 0);
    env_abort(txn);
    env_abort(NULL);
    CHECK(!has(env, t, "a", "1"));
    env_close(env);
}

static void keys_are_found_in_order(void)
{
    fresh_dir();
    unsigned t;
    struct env *env = open_env(ENV_DISPOSABLE, MIB, &t);
    static const char *const keys[] = {"b", "d", "bb", "a"};
    for (size_t i = 0; i < 4; i++)
        CHECK_EQ(put_text(env, t, keys[i], keys[i]), 0);
    struct env_txn *txn;
    CHECK_EQ(env_begin(env, false, &txn), 0);
    struct env_bytes key = {0}, value;
    static const char *const sorted[] = {"a", "b", "bb", "d"};
    CHECK_EQ(env_seek(txn, t, &key, &value), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(key.len, strlen(sorted[i]));
        CHECK(memcmp(key.data, sorted[i], key.len) == 0);
        CHECK_EQ(env_next(txn, t, &key, &value), i < 3 ? 0 : -ENOENT);
    }
    key = text("c");
    CHECK_EQ(env_seek(txn, t, &key, &value), 0);
    CHECK(key.len == 1 && memcmp(key.data, "d", 1) == 0);
    key = text("b0"); /* not there itself */
    CHECK_EQ(env_next(txn, t, &key, &value), 0);
    CHECK(key.len == 2 && memcmp(key.data, "bb", 2) == 0);
    key = text("e");
    CHECK_EQ(env_seek(txn, t, &key, &value), -ENOENT);
    env_abort(txn);
    env_close(env);
}

static void absent_keys_and_bad_keys_have_their_errno(void)
{
    fresh_dir();
    unsigned t;
    struct env *env = open_env(ENV_DISPOSABLE, MIB, &t);
    struct env_txn *txn;
    struct env_bytes value;
    char longer[600];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    CHECK_EQ(env_begin(env, true, &txn), 0);
    CHECK_EQ(env_get(txn, t, text("no"), &value), -ENOENT);
    CHECK_EQ(env_delete(txn, t, text("no")), -ENOENT);
    CHECK_EQ(env_put(txn, t, text(longer), text("v")), -EINVAL);
    CHECK_EQ(env_put(txn, t, text("k"), text("v")), 0);
    CHECK_EQ(env_delete(txn, t, text("k")), 0);
    CHECK_EQ(env_commit(txn), 0);
    CHECK(!env_is_broken(env));
    env_close(env);
}

/* Fills until it is full, in transactions of 64 KiB each. */
static int fill(struct env *env, unsigned table, unsigned first, unsigned n)
{
    int r = 0;
    for (unsigned i = first; i < first + n && r == 0; i++) {
        struct env_txn *txn;
        char key[16];
        void *room;
        snprintf(key, sizeof(key), "%08u", i);
        if ((r = env_begin(env, true, &txn)) < 0)
            return r;
        r = env_reserve(txn, table, text(key), 65536, &room);
        if (r < 0) {
            env_abort(txn);
            return r;
        }
        memset(room, (int)i, 65536);
        r = env_commit(txn);
    }
    return r;
}

static void the_map_is_a_hard_limit(void)
{
    fresh_dir();
    unsigned t;
    struct env *env = open_env(ENV_DISPOSABLE, 2 * MIB, &t);
    CHECK_EQ(fill(env, t, 0, 1000), -ENOSPC);
    CHECK(!env_is_broken(env));
    CHECK(folder_data_bytes(dir) <= 2 * MIB);
    CHECK(folder_data_bytes(dir) > MIB);
    env_close(env);
}

static void a_synced_environment_outlives_a_boot(void)
{
    fresh_dir();
    unsigned t;
    struct env_options options = options_of(ENV_DISPOSABLE, MIB);
    struct env *env = open_env(ENV_DISPOSABLE, MIB, &t);
    CHECK_EQ(put_text(env, t, "k", "v"), 0);
    CHECK_EQ(env_sync(env), 0);
    env_close(env);
    options.boot_id = that_boot; /* synced before: kept */
    bool dropped = true;
    CHECK_EQ(env_open(&options, &env, &dropped), 0);
    CHECK(!dropped);
    CHECK_EQ(env_table(env, "t", &t), 0);
    CHECK(has(env, t, "k", "v"));
    env_close(env);
}

static int write_and_die(void *ctx)
{
    unsigned t;
    struct env *env = open_env(*(enum env_safety *)ctx, MIB, &t);
    CHECK_EQ(put_text(env, t, "k", "v"), 0);
    raise(SIGKILL);
    return 0;
}

static void writes_of_a_killed_process_stay_in_this_boot_only(void)
{
    fresh_dir();
    enum env_safety safety = ENV_DISPOSABLE;
    unsigned t;
    CHECK_EQ(probe_run(write_and_die, &safety, 20), -SIGKILL);
    struct env *env = open_env(ENV_DISPOSABLE, MIB, &t);
    CHECK(has(env, t, "k", "v"));
    env_close(env);
    CHECK_EQ(probe_run(write_and_die, &safety, 20), -SIGKILL);
    struct env_options options = options_of(ENV_DISPOSABLE, MIB);
    options.boot_id = that_boot;
    bool dropped = false;
    CHECK_EQ(env_open(&options, &env, &dropped), 0);
    CHECK(dropped);
    CHECK_EQ(env_table(env, "t", &t), 0);
    CHECK(!has(env, t, "k", "v"));
    env_close(env);
    dropped = true; /* that was said once */
    CHECK_EQ(env_open(&options, &env, &dropped), 0);
    CHECK(!dropped);
    env_close(env);
}

/* For what comes: the file stays as long as it is. */
static void room_is_set_aside_behind_the_end(void)
{
    fresh_dir();
    unsigned t;
    struct env *env = open_env(ENV_DISPOSABLE, 8 * MIB, &t);
    uint64_t before = folder_data_bytes(dir);
    struct stat st;
    env_set_aside(env, before / 2);
    env_set_aside(env, 4 * MIB);
    CHECK_EQ(stat(probe_path(dir, "data.mdb"), &st), 0);
    CHECK_EQ(st.st_size, before);
    CHECK(st.st_blocks * UINT64_C(512) >= 4 * MIB - before);
    CHECK_EQ(put_text(env, t, "k", "v"), 0);
    CHECK(has(env, t, "k", "v"));
    env_close(env);
}

static int count_marks(void)
{
    int n = 0;
    DIR *entries = opendir(dir);
    for (struct dirent *e; (e = readdir(entries)) != NULL;)
        n += strncmp(e->d_name, "unsynced-", 9) == 0;
    closedir(entries);
    return n;
}

/* So that opening does not wait for the disk, however much the dead one wrote. */
static void a_killed_writers_mark_goes_at_the_next_sync_not_at_opening(void)
{
    fresh_dir();
    enum env_safety safety = ENV_DISPOSABLE;
    unsigned t;
    CHECK_EQ(probe_run(write_and_die, &safety, 20), -SIGKILL);
    struct env *env = open_env(ENV_DISPOSABLE, MIB, &t);
    CHECK_EQ(count_marks(), 1);
    env_close(env); /* wrote nothing */
    CHECK_EQ(count_marks(), 1);
    env = open_env(ENV_DISPOSABLE, MIB, &t);
    CHECK_EQ(put_text(env, t, "l", "w"), 0);
    CHECK_EQ(count_marks(), 2);
    CHECK_EQ(env_sync(env), 0);
    CHECK_EQ(count_marks(), 0);
    env_close(env);
}

/* The mark is about a file that this one does not have open: its sync would prove nothing. */
static void who_has_a_file_that_was_replaced_leaves_marks_alone(void)
{
    fresh_dir();
    enum env_safety safety = ENV_DISPOSABLE;
    unsigned t;
    struct env *env = open_env(ENV_DISPOSABLE, MIB, &t);
    CHECK_EQ(put_text(env, t, "k", "v"), 0);
    CHECK_EQ(folder_empty(dir), 0);
    CHECK_EQ(probe_run(write_and_die, &safety, 20), -SIGKILL);
    CHECK_EQ(count_marks(), 2);
    CHECK_EQ(env_sync(env), 0);
    CHECK_EQ(count_marks(), 1);
    env_close(env);
    CHECK_EQ(count_marks(), 1);
}

/* The machine may go down once more before the disk has forgotten what was dropped. */
static void what_another_boot_lost_stays_marked_until_a_sync(void)
{
    fresh_dir();
    enum env_safety safety = ENV_DISPOSABLE;
    CHECK_EQ(probe_run(write_and_die, &safety, 20), -SIGKILL);
    struct env_options options = options_of(ENV_DISPOSABLE, MIB);
    options.boot_id = that_boot;
    struct env *env;
    bool dropped = false;
    CHECK_EQ(env_open(&options, &env, &dropped), 0);
    CHECK(dropped);
    CHECK_EQ(mark_find_lost(dir, that_boot), 0);
    CHECK_EQ(mark_find_lost(dir, this_boot), 1); /* should it go down */
    env_close(env);
    CHECK_EQ(count_marks(), 0);
    dropped = true;
    CHECK_EQ(env_open(&options, &env, &dropped), 0);
    CHECK(!dropped);
    env_close(env);
}

static void a_durable_one_is_not_dropped(void)
{
    fresh_dir();
    enum env_safety safety = ENV_DURABLE;
    CHECK_EQ(probe_run(write_and_die, &safety, 20), -SIGKILL);
    struct env_options options = options_of(ENV_DURABLE, MIB);
    options.boot_id = that_boot;
    bool dropped = true;
    struct env *env;
    unsigned t;
    CHECK_EQ(env_open(&options, &env, &dropped), 0);
    CHECK(!dropped);
    CHECK_EQ(env_table(env, "t", &t), 0);
    CHECK(has(env, t, "k", "v"));
    env_close(env);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
    int fd = open(probe_path(dir, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK_EQ(write(fd, bytes, len), len);
    close(fd);
}

/* What may be found in place of the data file. */
static void damage_data(int how)
{
    static char noise[65536];
    uint64_t seed = 7;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)probe_random(&seed);
    const char *path = probe_path(dir, "data.mdb");
    if (how == 0)
        write_file("data.mdb", noise, sizeof(noise));
    else if (how == 1)
        write_file("data.mdb", noise, 10);
    else if (how == 2)
        CHECK_EQ(truncate(path, 4096), 0); /* one of two meta pages */
    else if (how == 3)
        CHECK_EQ(truncate(path, 8192), 0); /* the meta pages, and nothing they point to */
    else if (how == 4)
        CHECK_EQ(truncate(path, probe_size(path) - 4096), 0);
    else if (how == 5)
        memset(noise, 0, sizeof(noise)), write_file("data.mdb", noise, sizeof(noise));
    else
        write_file("data.mdb", noise, 0);
}

/* In a process of its own: a broken environment stays until its process ends. Nonzero: the cache is
 * still broken after it was opened anew. */
static int use_damaged(void *ctx)
{
    (void)ctx;
    for (int i = 0; i < 2; i++) {
        unsigned t = 0;
        struct env_options options = options_of(ENV_DISPOSABLE, 4 * MIB);
        struct env *env;
        if (env_open(&options, &env, NULL) < 0)
            return 2;
        int r = env_table(env, "t", &t);
        if (r == 0)
            r = put_text(env, t, "k", "v");
        if (r == 0)
            r = fill(env, t, 0, 20);
        env_close(env);
        if (r == 0)
            return 0;
    }
    return 3;
}

static void a_damaged_data_file_is_made_anew(void)
{
    for (int how = 0; how < 7; how++) {
        fresh_dir();
        unsigned t;
        struct env *env = open_env(ENV_DISPOSABLE, 4 * MIB, &t);
        CHECK_EQ(fill(env, t, 0, 10), 0);
        env_close(env);
        damage_data(how);
        int r = probe_run(use_damaged, NULL, 30);
        if (r != 0)
            printf("# damage %d\n", how);
        CHECK_EQ(r, 0);
    }
}

static void a_damaged_durable_one_is_an_error_and_stays(void)
{
    fresh_dir();
    unsigned t;
    struct env *env = open_env(ENV_DURABLE, 4 * MIB, &t);
    CHECK_EQ(fill(env, t, 0, 10), 0);
    env_close(env);
    damage_data(0);
    struct env_options options = options_of(ENV_DURABLE, 4 * MIB);
    CHECK_EQ(env_open(&options, &env, NULL), -EIO);
    CHECK_EQ(probe_size(probe_path(dir, "data.mdb")), 65536);
}

static void a_damaged_lock_file_does_not_matter(void)
{
    static const size_t sizes[] = {0, 1, 100, 8192, 70000};
    char noise[70000];
    memset(noise, 0xa5, sizeof(noise));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        fresh_dir();
        unsigned t;
        struct env *env = open_env(ENV_DISPOSABLE, 4 * MIB, &t);
        CHECK_EQ(fill(env, t, 0, 10), 0);
        env_close(env);
        write_file("lock.mdb", noise, sizes[i]);
        CHECK_EQ(probe_run(use_damaged, NULL, 30), 0);
    }
}

static void a_larger_file_than_the_limit_starts_anew_when_alone(void)
{
    fresh_dir();
    unsigned t;
    struct env *env = open_env(ENV_DISPOSABLE, 8 * MIB, &t);
    CHECK_EQ(fill(env, t, 0, 60), 0);
    env_close(env);
    CHECK(folder_data_bytes(dir) > 2 * MIB);
    bool dropped = true;
    struct env_options options = options_of(ENV_DISPOSABLE, 8 * MIB);
    CHECK_EQ(env_open(&options, &env, &dropped), 0);
    CHECK(!dropped);
    env_close(env);
    options.map_bytes = 2 * MIB;
    CHECK_EQ(env_open(&options, &env, &dropped), 0);
    CHECK(dropped);
    CHECK_EQ(env_table(env, "t", &t), 0);
    CHECK_EQ(fill(env, t, 0, 60), -ENOSPC);
    CHECK(folder_data_bytes(dir) <= 2 * MIB);
    env_close(env);
}

/* Two processes with a pipe each way: each waits for a byte of the other. */
struct talk {
    int to_child[2], to_parent[2];
};

static void talk_init(struct talk *talk)
{
    CHECK_EQ(pipe(talk->to_child), 0);
    CHECK_EQ(pipe(talk->to_parent), 0);
}

static void say(int fd)
{
    CHECK_EQ(write(fd, "x", 1), 1);
}

static void hear(int fd)
{
    char byte;
    CHECK_EQ(read(fd, &byte, 1), 1);
}

static void talk_deinit(struct talk *talk)
{
    for (int i = 0; i < 2; i++) {
        close(talk->to_child[i]);
        close(talk->to_parent[i]);
    }
}

static int read_with_a_small_map(void *ctx)
{
    struct talk *talk = ctx;
    unsigned t;
    struct env *env = open_env(ENV_DISPOSABLE, MIB, &t);
    CHECK(!has(env, t, "00000050", "no"));
    say(talk->to_parent[1]);
    hear(talk->to_child[0]); /* meanwhile the file grew past this map */
    struct env_txn *txn;
    struct env_bytes value = {0};
    CHECK_EQ(env_begin(env, false, &txn), 0);
    CHECK_EQ(env_get(txn, t, text("00000050"), &value), 0);
    CHECK_EQ(value.len, 65536);
    CHECK_EQ(((const uint8_t *)value.data)[65535], 50);
    env_abort(txn);
    CHECK_EQ(put_text(env, t, "k", "v"), 0);
    CHECK(!env_is_broken(env));
    env_close(env);
    return 0;
}

static void a_file_that_another_process_made_grow_is_mapped_again(void)
{
    fresh_dir();
    unsigned t;
    struct talk talk;
    talk_init(&talk);
    pid_t pid = probe_start(read_with_a_small_map, &talk, 30);
    hear(talk.to_parent[0]);
    struct env *env = open_env(ENV_DISPOSABLE, 16 * MIB, &t);
    CHECK_EQ(fill(env, t, 0, 100), 0);
    say(talk.to_child[1]);
    CHECK_EQ(probe_wait(pid), 0);
    CHECK(has(env, t, "k", "v"));
    env_close(env);
    talk_deinit(&talk);
}

/* With threads: each has transactions of its own while another process makes the file grow. */
static void *read_on(void *ctx)
{
    static char no_transaction[] = "no transaction", other_bytes[] = "other bytes";
    for (int i = 0; i < 2000; i++) {
        struct env_txn *txn;
        if (env_begin(ctx, false, &txn) < 0)
            return no_transaction;
        struct env_bytes key = {0}, value;
        int r = env_seek(txn, 2, &key, &value);
        if (r == 0 && (value.len != 65536 || ((const uint8_t *)value.data)[0] != 0))
            return other_bytes;
        env_abort(txn);
        if (i % 16 == 0)
            probe_sleep_us(500);
    }
    return NULL;
}

static int read_with_threads(void *ctx)
{
    struct talk *talk = ctx;
    unsigned t;
    struct env *env = open_env(ENV_DISPOSABLE, MIB, &t);
    CHECK_EQ(t, 2);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, read_on, env), 0);
    say(talk->to_parent[1]);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        if (wrong)
            printf("# %s\n", (const char *)wrong);
        CHECK(!wrong);
    }
    env_close(env);
    return 0;
}

static void threads_go_on_while_the_map_is_replaced(void)
{
    fresh_dir();
    unsigned t;
    struct talk talk;
    talk_init(&talk);
    pid_t pid = probe_start(read_with_threads, &talk, 60);
    hear(talk.to_parent[0]);
    struct env *env = open_env(ENV_DISPOSABLE, 32 * MIB, &t);
    for (unsigned i = 0; i < 100; i++) {
        CHECK_EQ(fill(env, t, i, 1), 0);
        probe_sleep_us(300);
    }
    CHECK_EQ(probe_wait(pid), 0);
    env_close(env);
    talk_deinit(&talk);
}

static int hold_and_die(void *ctx)
{
    struct talk *talk = ctx;
    unsigned t;
    struct env_txn *txn;
    struct env *env = open_env(ENV_DISPOSABLE, 4 * MIB, &t);
    CHECK_EQ(env_begin(env, false, &txn), 0);
    say(talk->to_parent[1]);
    hear(talk->to_child[0]);
    return 0;
}

/* Puts and deletes the same key often enough to need the pages it freed. */
static int churn(struct env *env, unsigned t)
{
    int r = 0;
    for (unsigned i = 0; i < 200 && r == 0; i++)
        r = fill(env, t, i % 4, 1);
    return r;
}

static void what_a_killed_reader_held_can_be_let_go(void)
{
    fresh_dir();
    unsigned t;
    struct talk talk;
    talk_init(&talk);
    pid_t pid = probe_start(hold_and_die, &talk, 30);
    hear(talk.to_parent[0]);
    struct env *env = open_env(ENV_DISPOSABLE, 4 * MIB, &t);
    CHECK_EQ(churn(env, t), -ENOSPC);
    kill(pid, SIGKILL);
    probe_wait(pid);
    CHECK_EQ(env_forget_dead_readers(env), 0);
    CHECK_EQ(churn(env, t), 0);
    env_close(env);
    talk_deinit(&talk);
}

static int write_then_die_inside(void *ctx)
{
    (void)ctx;
    unsigned t;
    struct env_txn *txn;
    struct env *env = open_env(ENV_DISPOSABLE, 4 * MIB, &t);
    CHECK_EQ(env_begin(env, true, &txn), 0);
    CHECK_EQ(env_put(txn, t, text("half"), text("done")), 0);
    raise(SIGKILL);
    return 0;
}

static void a_writer_that_dies_lets_the_lock_go(void)
{
    fresh_dir();
    unsigned t;
    struct env *env = open_env(ENV_DISPOSABLE, 4 * MIB, &t);
    CHECK_EQ(put_text(env, t, "k", "v"), 0);
    CHECK_EQ(probe_run(write_then_die_inside, NULL, 20), -SIGKILL);
    CHECK_EQ(put_text(env, t, "k2", "v2"), 0);
    CHECK(has(env, t, "k", "v"));
    CHECK(!has(env, t, "half", "done"));
    env_close(env);
}

static void usage_says_what_is_there(void)
{
    fresh_dir();
    unsigned t;
    struct env *env = open_env(ENV_DISPOSABLE, 8 * MIB, &t);
    struct env_usage before, after;
    struct env_txn *txn;
    CHECK_EQ(env_begin(env, false, &txn), 0);
    CHECK_EQ(env_usage(txn, t, &before), 0);
    env_abort(txn);
    CHECK_EQ(fill(env, t, 0, 16), 0);
    CHECK_EQ(env_begin(env, false, &txn), 0);
    CHECK_EQ(env_usage(txn, t, &after), 0);
    env_abort(txn);
    CHECK_EQ(before.n_entries, 0);
    CHECK_EQ(after.n_entries, 16);
    CHECK_EQ(after.map_bytes, 8 * MIB);
    CHECK(after.used_bytes >= before.used_bytes + MIB);
    CHECK(after.used_bytes <= after.file_bytes);
    CHECK(after.file_bytes <= after.map_bytes);
    env_close(env);
}

static void files_are_for_their_owner_only(void)
{
    fresh_dir();
    unsigned t;
    struct stat st;
    umask(0);
    struct env *env = open_env(ENV_DISPOSABLE, MIB, &t);
    CHECK_EQ(put_text(env, t, "k", "v"), 0);
    CHECK_EQ(stat(dir, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0700);
    static const char *const names[] = {"data.mdb", "lock.mdb", "lock", "in-use"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CHECK_EQ(stat(probe_path(dir, names[i]), &st), 0);
        CHECK_EQ(st.st_mode & 0777, 0600);
    }
    env_close(env);
}

static void folders_that_will_not_do_are_refused(void)
{
    struct env *env;
    struct env_options options = options_of(ENV_DISPOSABLE, MIB);
    fresh_dir();
    CHECK_EQ(mkdir(dir, 0700), 0);
    CHECK_EQ(chmod(dir, 0770), 0);
    CHECK_EQ(env_open(&options, &env, NULL), -EPERM);
    CHECK_EQ(chmod(dir, 0707), 0);
    CHECK_EQ(env_open(&options, &env, NULL), -EPERM);
    fresh_dir();
    close(open(dir, O_CREAT | O_WRONLY, 0600));
    CHECK(env_open(&options, &env, NULL) < 0);
    fresh_dir();
    CHECK_EQ(mkdir(dir, 0700), 0);
    if (geteuid() != 0) {
        CHECK_EQ(chmod(dir, 0500), 0);
        CHECK_EQ(env_open(&options, &env, NULL), -EACCES);
        return;
    }
    CHECK_EQ(chown(dir, 12345, 12345), 0);
    CHECK_EQ(env_open(&options, &env, NULL), -EPERM);
}

static int open_as_somebody(void *ctx)
{
    (void)ctx;
    struct env *env;
    struct env_options options = options_of(ENV_DISPOSABLE, MIB);
    if (setgid(12345) != 0 || setuid(12345) != 0)
        return 1;
    CHECK_EQ(env_open(&options, &env, NULL), -EACCES);
    return 0;
}

static void a_read_only_folder_is_an_error(void)
{
    if (geteuid() != 0)
        return; /* the case is among those above */
    fresh_dir();
    CHECK_EQ(chmod(top, 0755), 0);
    CHECK_EQ(mkdir(dir, 0700), 0);
    CHECK_EQ(chown(dir, 12345, 12345), 0);
    CHECK_EQ(chmod(dir, 0500), 0);
    CHECK_EQ(probe_run(open_as_somebody, NULL, 10), 0);
}

int main(void)
{
    probe_dir_make(top);
    TEST("what is committed is there again", what_is_committed_is_there_again);
    TEST("what is aborted is not there", what_is_aborted_is_not_there);
    TEST("keys are found in order", keys_are_found_in_order);
    TEST("absent keys and bad keys have their errno", absent_keys_and_bad_keys_have_their_errno);
    TEST("the map is a hard limit", the_map_is_a_hard_limit);
    TEST("a synced environment outlives a boot", a_synced_environment_outlives_a_boot);
    TEST("room is set aside behind the end", room_is_set_aside_behind_the_end);
    TEST("a killed writer's mark goes at the next sync, not at opening",
         a_killed_writers_mark_goes_at_the_next_sync_not_at_opening);
    TEST("who has a file that was replaced leaves marks alone",
         who_has_a_file_that_was_replaced_leaves_marks_alone);
    TEST("what another boot lost stays marked until a sync",
         what_another_boot_lost_stays_marked_until_a_sync);
    TEST("writes of a killed process stay, in this boot only",
         writes_of_a_killed_process_stay_in_this_boot_only);
    TEST("a durable one is not dropped", a_durable_one_is_not_dropped);
    TEST("a damaged data file is made anew", a_damaged_data_file_is_made_anew);
    TEST("a damaged durable one is an error, and stays",
         a_damaged_durable_one_is_an_error_and_stays);
    TEST("a damaged lock file does not matter", a_damaged_lock_file_does_not_matter);
    TEST("a file larger than the limit starts anew when alone",
         a_larger_file_than_the_limit_starts_anew_when_alone);
    TEST("a file that another process made grow is mapped again",
         a_file_that_another_process_made_grow_is_mapped_again);
    TEST("threads go on while the map is replaced", threads_go_on_while_the_map_is_replaced);
    TEST("what a killed reader held can be let go", what_a_killed_reader_held_can_be_let_go);
    TEST("a writer that dies lets the lock go", a_writer_that_dies_lets_the_lock_go);
    TEST("usage says what is there", usage_says_what_is_there);
    TEST("files are for their owner only", files_are_for_their_owner_only);
    TEST("folders that will not do are refused", folders_that_will_not_do_are_refused);
    TEST("a read-only folder is an error", a_read_only_folder_is_an_error);
    probe_dir_remove(top);
    return check_done();
}
