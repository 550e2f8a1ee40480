/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/keys.h"

#include <errno.h>

#include "check.h"
#include "serve/access.h"
#include "store_dir.h"

static struct store *store;

static bool accepts(const char *text)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    CHECK_EQ(store_begin(store, false, &txn), 0);
    return keys_accept(txn, text);
}

static int exist(void)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    CHECK_EQ(store_begin(store, false, &txn), 0);
    return keys_exist(txn);
}

static void a_key_opens_until_it_is_removed(void)
{
    char one[KEYS_TEXT_BYTES], two[KEYS_TEXT_BYTES];
    CHECK_EQ(exist(), 0);
    CHECK(!accepts(NULL));
    CHECK_EQ(keys_add(store, "one", one), 0);
    CHECK_EQ(keys_add(store, "two", two), 0);
    CHECK_EQ(exist(), 1);
    CHECK_EQ(strlen(one), KEYS_TEXT_BYTES - 1);
    CHECK(strcmp(one, two) != 0);
    CHECK(accepts(one));
    CHECK(accepts(two));
    CHECK_EQ(keys_remove(store, "one"), 0);
    CHECK(!accepts(one));
    CHECK(accepts(two));
    CHECK_EQ(keys_remove(store, "two"), 0);
    CHECK_EQ(exist(), 0);
    CHECK(!accepts(two));
}

static void what_is_no_key_opens_nothing(void)
{
    char key[KEYS_TEXT_BYTES], other[KEYS_TEXT_BYTES];
    CHECK_EQ(keys_add(store, "k", key), 0);
    memcpy(other, key, sizeof(other));
    other[KEYS_TEXT_BYTES - 2] = other[KEYS_TEXT_BYTES - 2] == '0' ? '1' : '0';
    CHECK(!accepts(""));
    CHECK(!accepts("k"));
    CHECK(!accepts(other));
    CHECK(!accepts(key + 4));
    other[KEYS_TEXT_BYTES - 2] = '\0';
    CHECK(!accepts(other));
    CHECK_EQ(keys_remove(store, "k"), 0);
}

static void a_name_is_short_and_taken_once(void)
{
    char key[KEYS_TEXT_BYTES], name[KEYS_NAME_BYTES + 2];
    memset(name, 'n', sizeof(name));
    name[KEYS_NAME_BYTES + 1] = '\0';
    CHECK_EQ(keys_add(store, "", key), -EINVAL);
    CHECK_EQ(keys_add(store, name, key), -EINVAL);
    CHECK_EQ(keys_remove(store, name), -ENOENT);
    CHECK_EQ(keys_remove(store, ""), -ENOENT);
    CHECK_EQ(keys_remove(store, "nobody"), -ENOENT);
    name[KEYS_NAME_BYTES] = '\0';
    CHECK_EQ(keys_add(store, name, key), 0);
    CHECK_EQ(keys_add(store, name, key), -EEXIST);
    CHECK_EQ(keys_remove(store, name), 0);
    CHECK_EQ(exist(), 0);
}

static int note_value(struct store_key name, struct store_key value, void *arg)
{
    (void)name;
    return buf_append(arg, value.data, value.len);
}

static void only_the_hash_is_stored(void)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    struct buf values BUF_CLEANUP = {0};
    struct digest hash;
    char key[KEYS_TEXT_BYTES];
    CHECK_EQ(keys_add(store, "k", key), 0);
    CHECK_EQ(store_begin(store, false, &txn), 0);
    CHECK_EQ(store_each(txn, STORE_KEYS, store_key_of(""), note_value, &values), 0);
    digest_of(key, strlen(key), &hash);
    CHECK_EQ(values.len, DIGEST_BYTES);
    CHECK(memcmp(values.data, hash.bytes, DIGEST_BYTES) == 0);
    store_abort(steal_ptr(txn));
    CHECK_EQ(keys_remove(store, "k"), 0);
}

/* What a call with these headers gets: 0 when it may, or the status of the refusal. */
static unsigned status_of(bool key_required, const struct request_pair *headers, size_t n)
{
    struct reply reply REPLY_CLEANUP;
    struct request request = {.headers = headers, .n_headers = n};
    reply_init(&reply);
    int r = access_check_call(store, key_required, &request, &reply);
    CHECK(r == 0 || r == ACCESS_REFUSED);
    return r == 0 ? 0 : reply.status;
}

static void calls_need_a_key_once_there_is_one(void)
{
    char key[KEYS_TEXT_BYTES], bearer[KEYS_TEXT_BYTES + 16];
    CHECK_EQ(status_of(false, NULL, 0), 0);
    CHECK_EQ(status_of(true, NULL, 0), 401);
    CHECK_EQ(keys_add(store, "k", key), 0);
    snprintf(bearer, sizeof(bearer), "bearer  %s", key);
    const struct request_pair good[] = {{"x-api-key", key}, {"Host", "evil.example"}};
    const struct request_pair other[] = {{"X-API-Key", ""}, {"Authorization", bearer}};
    const struct request_pair wrong[] = {{"X-API-Key", "wrong"}, {"Authorization", bearer}};
    const struct request_pair basic[] = {{"Authorization", "Basic x"}};
    CHECK_EQ(status_of(false, NULL, 0), 401);
    CHECK_EQ(status_of(false, good, 2), 0);
    CHECK_EQ(status_of(true, good, 2), 0);
    CHECK_EQ(status_of(false, other, 2), 0);
    CHECK_EQ(status_of(false, wrong, 2), 401);
    CHECK_EQ(status_of(false, basic, 1), 401);
    CHECK_EQ(keys_remove(store, "k"), 0);
}

static void without_keys_only_this_machine_may(void)
{
    static const struct {
        const char *host, *origin;
        unsigned status;
    } cases[] = {
        {"127.0.0.1:8060", NULL, 0},
        {"localhost", NULL, 0},
        {"LOCALHOST:1", NULL, 0},
        {"a.localhost", NULL, 0},
        {"[::1]:8060", NULL, 0},
        {"evil.example", NULL, 403},
        {"evillocalhost", NULL, 403},
        {".localhost", NULL, 403},
        {"127.0.0.1.evil.example", NULL, 403},
        {"127.0.0.1:5", "http://127.0.0.1:5", 0},
        {"127.0.0.1:5", "http://127.0.0.1:6", 403},
        {"127.0.0.1:5", "http://evil.example", 403},
        {"127.0.0.1:5", "null", 403},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct request_pair headers[] = {{"Host", cases[i].host},
                                               {"Origin", cases[i].origin}};
        CHECK_EQ(status_of(false, headers, cases[i].origin ? 2 : 1), cases[i].status);
    }
}

static void memory_that_is_short_opens_nothing(void)
{
    char key[KEYS_TEXT_BYTES];
    CHECK_EQ(keys_add(store, "k", key), 0);
    const struct request_pair wrong[] = {{"X-API-Key", "wrong"}};
    FOR_EACH_ALLOC_FAILURE
    {
        struct reply reply REPLY_CLEANUP;
        struct request request = {.headers = wrong, .n_headers = 1};
        reply_init(&reply);
        CHECK(access_check_call(store, false, &request, &reply) != 0);
    }
    CHECK_EQ(keys_remove(store, "k"), 0);
}

int main(void)
{
    store_dir_make();
    if (store_open(store_dir, STORE_SERVE, &store) < 0)
        return 1;
    TEST("a key opens until it is removed", a_key_opens_until_it_is_removed);
    TEST("what is no key opens nothing", what_is_no_key_opens_nothing);
    TEST("a name is short and taken once", a_name_is_short_and_taken_once);
    TEST("only the hash is stored", only_the_hash_is_stored);
    TEST("calls need a key once there is one", calls_need_a_key_once_there_is_one);
    TEST("without keys only this machine may call", without_keys_only_this_machine_may);
    TEST("memory that is short opens nothing", memory_that_is_short_opens_nothing);
    store_close(store);
    store_dir_drop();
    return check_done();
}
