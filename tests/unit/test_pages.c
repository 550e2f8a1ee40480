/* SPDX-License-Identifier: Apache-2.0 */
/* The audit that runs ahead of the first change, beside a process that commits. */
#include "cache/pages.h"

#include "cache/env.h"

#include "cache_probe.h"

#define MIB (UINT64_C(1) << 20)

enum { PAGE_BYTES = 4096, N_KEYS = 400 };

static char top[PATH_MAX], dir[2 * PATH_MAX];
static int n_dirs;
static struct env *env;
static unsigned table;
static uint64_t n_commits; /* LMDB numbers its transactions from 1 */

static void open_env(void)
{
    snprintf(dir, sizeof(dir), "%s/%d", top, n_dirs++);
    struct env_options options = {
        .dir = dir, .map_bytes = 128 * MIB, .n_tables = 1, .safety = ENV_DISPOSABLE};
    CHECK_EQ(env_open(&options, &env, NULL), 0);
    CHECK_EQ(env_table(env, "t", &table), 0);
    n_commits = 1;
}

/* One transaction. */
static void put_keys(int from, int n)
{
    struct env_txn *txn;
    char key[128];
    CHECK_EQ(env_begin(env, true, &txn), 0);
    for (int i = from; i < from + n; i++) {
        snprintf(key, sizeof(key), "%0100d", i);
        CHECK_EQ(
            env_put(txn, table, (struct env_bytes){key, strlen(key)}, (struct env_bytes){"v", 1}),
            0);
    }
    CHECK_EQ(env_commit(txn), 0);
    n_commits++;
}

static struct pages *open_pages(void)
{
    struct pages *pages = NULL;
    int fd = open(probe_path(dir, "data.mdb"), O_RDWR | O_CLOEXEC);
    CHECK_EQ(pages_open(fd, 128 * MIB, &pages), 0);
    close(fd);
    return pages;
}

/* Of a process that knows nothing of the file yet. */
static bool audit(uint64_t txn_id)
{
    struct pages *pages = open_pages();
    bool sound = pages_audit(pages, txn_id);
    pages_close(pages);
    return sound;
}

static void a_state_that_a_reader_has_is_audited_while_others_commit(void)
{
    open_env();
    put_keys(0, N_KEYS);
    struct env_txn *reader;
    CHECK_EQ(env_begin(env, false, &reader), 0);
    uint64_t seen = n_commits;
    CHECK(audit(seen));
    put_keys(N_KEYS, 10);
    CHECK(audit(seen));
    CHECK(audit(n_commits));
    env_abort(reader);
    env_close(env);
}

static void a_state_whose_meta_page_is_gone_is_not(void)
{
    open_env();
    put_keys(0, N_KEYS);
    uint64_t seen = n_commits;
    put_keys(N_KEYS, 10);
    put_keys(N_KEYS, 10);
    CHECK(!audit(seen));
    CHECK(audit(n_commits));
    CHECK(!audit(n_commits + 1));
    env_close(env);
}

static void damage_is_not_sound_and_pages_begin_says_so_too(void)
{
    open_env();
    put_keys(0, N_KEYS);
    int n_damaged = 0, fd = open(probe_path(dir, "data.mdb"), O_RDWR | O_CLOEXEC);
    for (off_t at = 2 * PAGE_BYTES; at < probe_size(probe_path(dir, "data.mdb"));
         at += PAGE_BYTES) {
        uint64_t number, noise = 77777;
        CHECK_EQ(pread(fd, &number, 8, at), 8);
        CHECK_EQ(pwrite(fd, &noise, 8, at), 8);
        struct pages *pages = open_pages();
        if (!pages_audit(pages, n_commits)) {
            n_damaged++;
            CHECK(!pages_begin(pages));
        }
        pages_close(pages);
        CHECK_EQ(pwrite(fd, &number, 8, at), 8);
    }
    close(fd);
    CHECK(n_damaged > 5); /* the others are free */
    CHECK(audit(n_commits));
    env_close(env);
}

/* What it looked at is remembered for one transaction. */
static void a_page_is_looked_at_anew_in_the_next_transaction(void)
{
    open_env();
    put_keys(0, N_KEYS);
    char key[128];
    snprintf(key, sizeof(key), "%0100d", 0);
    struct pages *pages = open_pages();
    CHECK(pages_begin(pages));
    CHECK(pages_are_sound(pages, "t", key, strlen(key)));
    int n_damaged = 0, fd = open(probe_path(dir, "data.mdb"), O_RDWR | O_CLOEXEC);
    for (off_t at = 2 * PAGE_BYTES; at < probe_size(probe_path(dir, "data.mdb"));
         at += PAGE_BYTES) {
        uint64_t number, noise = 77777;
        CHECK_EQ(pread(fd, &number, 8, at), 8);
        CHECK_EQ(pwrite(fd, &noise, 8, at), 8);
        n_damaged += !pages_begin(pages) || !pages_are_sound(pages, "t", key, strlen(key));
        CHECK_EQ(pwrite(fd, &number, 8, at), 8);
    }
    close(fd);
    CHECK(n_damaged >= 3 && n_damaged <= 8); /* its path, its neighbours, free pages */
    pages_close(pages);
    env_close(env);
}

static void drop_large_values(int n)
{
    static char value[MIB + 2048];
    struct env_txn *txn;
    for (int i = 0; i < 2 * n; i++) {
        char key[16];
        snprintf(key, sizeof(key), "large %d", i % n);
        struct env_bytes k = {key, strlen(key)}, v = {value, sizeof(value)};
        CHECK_EQ(env_begin(env, true, &txn), 0);
        CHECK_EQ(i < n ? env_put(txn, table, k, v) : env_delete(txn, table, k), 0);
        CHECK_EQ(env_commit(txn), 0);
    }
}

/* A list of free pages that is longer than any transaction takes from; a large value may take all
 * the same. */
static void free_pages_are_looked_at_as_far_as_a_transaction_comes(void)
{
    open_env();
    drop_large_values(60);
    struct pages *pages = open_pages();
    CHECK(pages_begin(pages));
    CHECK(pages_all_free_are_sound(pages));
    int n_begin = 0, n_all = 0, fd = open(probe_path(dir, "data.mdb"), O_RDWR | O_CLOEXEC);
    off_t id = PAGE_BYTES / 2; /* in the middle of a page of numbers, if it is one */
    for (off_t at = 2 * PAGE_BYTES + id; at < probe_size(probe_path(dir, "data.mdb"));
         at += PAGE_BYTES) {
        uint64_t number, noise = 77777;
        CHECK_EQ(pread(fd, &number, 8, at), 8);
        CHECK_EQ(pwrite(fd, &noise, 8, at), 8);
        n_begin += !pages_begin(pages);
        n_all += !pages_all_free_are_sound(pages);
        CHECK_EQ(pwrite(fd, &number, 8, at), 8);
    }
    close(fd);
    CHECK(n_begin > 0);
    CHECK(n_all > n_begin);
    CHECK(n_all >= 50);
    pages_close(pages);
    env_close(env);
}

int main(void)
{
    probe_dir_make(top);
    TEST("a state that a reader has is audited while others commit",
         a_state_that_a_reader_has_is_audited_while_others_commit);
    TEST("a state whose meta page is gone is not", a_state_whose_meta_page_is_gone_is_not);
    TEST("damage is not sound, and pages_begin says so too",
         damage_is_not_sound_and_pages_begin_says_so_too);
    TEST("a page is looked at anew in the next transaction",
         a_page_is_looked_at_anew_in_the_next_transaction);
    TEST("free pages are looked at as far as a transaction comes",
         free_pages_are_looked_at_as_far_as_a_transaction_comes);
    probe_dir_remove(top);
    return check_done();
}
