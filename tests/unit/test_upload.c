/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/upload.h"

#include <errno.h>

#include "check.h"
#include "serve/files.h"
#include "uploads.h"

#define BOUNDARY "0123456789abcdef0123456789abcdef"
#define HEAD                                                                                       \
    "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n"
#define TAIL "\r\n--" BOUNDARY "--\r\n"

/* The digest of what the model holds there; false when it holds nothing. */
static bool find(const char *path, struct digest *out)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    json_t *record JSON_CLEANUP = NULL;
    struct stored_file file;
    CHECK_EQ(store_begin(uploads_store, false, &txn), 0);
    int r = files_find(txn, uploads_model, path, &file, &record);
    CHECK(r == 0 || r == -ENOENT);
    if (r == 0)
        *out = file.digest;
    return r == 0;
}

static void check_content(const char *path, const char *want)
{
    struct digest got, digest;
    digest_of(want, strlen(want), &digest);
    CHECK(find(path, &got));
    CHECK(digest_equal(&got, &digest));
    CHECK(objects_has(store_objects(uploads_store), &digest, strlen(want)));
}

static void bytes_arrive_whatever_the_pieces(void)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        {"", ""},
        {"hello", "hello"},
        {HEAD "hello" TAIL, "hello"},
        {HEAD TAIL, ""},
        {HEAD HEAD "x" TAIL TAIL, HEAD "x" TAIL},
        {HEAD "no end", HEAD "no end"},
        {HEAD, HEAD},
        {"--0123", "--0123"},
    };
    static const size_t pieces[] = {1, 2, 39, 40, 41, 100, 10000};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        for (size_t k = 0; k < sizeof(pieces) / sizeof(*pieces); k++) {
            CHECK_EQ(uploads_put("w", cases[i].body, strlen(cases[i].body), pieces[k]), 200);
            check_content("w", cases[i].want);
            CHECK_EQ(store_dir_count("objects"), 1);
            CHECK_EQ(store_dir_count("tmp"), 0);
        }
    }
}

static void a_half_upload_leaves_what_was_there(void)
{
    struct upload *upload = NULL;
    struct request request = uploads_request("w");
    CHECK_EQ(uploads_put("w", "before", 6, 6), 200);
    CHECK_EQ(upload_new(uploads_store, &request, &upload), 0);
    CHECK_EQ(upload_feed(upload, "half", 4), 0);
    CHECK_EQ(store_dir_count("tmp"), 1);
    upload_free(upload);
    upload_free(NULL);
    CHECK_EQ(store_dir_count("tmp"), 0);
    check_content("w", "before");
}

static void two_uploads_of_one_name_do_not_mix(void)
{
    struct upload *one = NULL, *two = NULL;
    struct request request = uploads_request("w");
    struct reply reply REPLY_CLEANUP;
    reply_init(&reply);
    CHECK_EQ(upload_new(uploads_store, &request, &one), 0);
    CHECK_EQ(upload_new(uploads_store, &request, &two), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(upload_feed(one, "1", 1), 0);
        CHECK_EQ(upload_feed(two, "2", 1), 0);
    }
    CHECK_EQ(upload_finish(two, &reply), 0);
    check_content("w", "222");
    reply_reset(&reply);
    CHECK_EQ(upload_finish(one, &reply), 0);
    check_content("w", "111");
    upload_free(one);
    upload_free(two);
    CHECK_EQ(store_dir_count("objects"), 1);
    CHECK_EQ(store_dir_count("tmp"), 0);
}

static void a_model_that_goes_meanwhile_takes_nothing(void)
{
    struct upload *upload = NULL;
    struct request request = uploads_request("late");
    struct reply reply REPLY_CLEANUP;
    reply_init(&reply);
    CHECK_EQ(upload_new(uploads_store, &request, &upload), 0);
    CHECK_EQ(upload_feed(upload, "late", 4), 0);
    CHECK_EQ(uploads_delete_model(), 204);
    CHECK_EQ(upload_finish(upload, &reply), 0);
    CHECK_EQ(reply.status, 404);
    upload_free(upload);
    CHECK_EQ(upload_new(uploads_store, &request, &upload), -ENOENT);
    CHECK_EQ(store_dir_count("objects"), 0);
    CHECK_EQ(store_dir_count("tmp"), 0);
    CHECK_EQ(uploads_make_model(), 0);
}

static void memory_that_is_short_stores_all_or_nothing(void)
{
    static const char body[] = HEAD "no end";
    FOR_EACH_ALLOC_FAILURE
    {
        int countdown = check_alloc_countdown;
        check_alloc_countdown = -1;
        CHECK_EQ(uploads_put("w", "before", 6, 6), 200);
        check_alloc_countdown = countdown;
        int r = uploads_put("w", body, strlen(body), 20);
        bool hit = check_alloc_hit;
        check_alloc_countdown = -1;
        CHECK(r == 200 || (hit && r == -ENOMEM));
        check_content("w", r == 200 ? body : "before");
        CHECK_EQ(store_dir_count("tmp"), 0);
        /* After the commit nothing fails any more: the old content may only stay until the next
         * start. */
        CHECK(store_dir_count("objects") <= (hit ? 2 : 1));
        check_alloc_hit = hit;
    }
}

int main(void)
{
    uploads_open();
    TEST("bytes arrive as they were, whatever the pieces", bytes_arrive_whatever_the_pieces);
    TEST("a half upload leaves what was there", a_half_upload_leaves_what_was_there);
    TEST("two uploads of one name do not mix", two_uploads_of_one_name_do_not_mix);
    TEST("a model that goes meanwhile takes nothing", a_model_that_goes_meanwhile_takes_nothing);
    TEST("memory that is short stores all or nothing", memory_that_is_short_stores_all_or_nothing);
    uploads_close();
    return check_done();
}
