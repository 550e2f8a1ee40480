/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/sign.h"

#include <errno.h>

#include "check.h"

static const struct sign_secret secret = {{1, 2, 3}};
static const struct sign_secret other_secret = {{1, 2, 4}};

enum { EXPIRES_S = 2000 };

static const char path[] = "/files/mo1/a b/\xc3\xa9+%.txt";

/* The signature that GET of `path` gets; 64 digits. */
static void sign_path(char out[65])
{
    struct buf url BUF_CLEANUP = {0};
    CHECK_EQ(sign_append_url(&secret, "GET", path, EXPIRES_S, &url), 0);
    const char *at = strstr(url.data, "signature=");
    CHECK(at != NULL);
    snprintf(out, 65, "%s", at ? at + 10 : "");
}

static void a_url_is_encoded_and_complete(void)
{
    struct buf url BUF_CLEANUP = {0};
    const char *want = "http://h/files/mo1/a%20b/%C3%A9%2B%25.txt?expires=2000&signature=";
    CHECK_EQ(buf_puts(&url, "http://h"), 0);
    CHECK_EQ(sign_append_url(&secret, "GET", path, EXPIRES_S, &url), 0);
    CHECK(strncmp(url.data, want, strlen(want)) == 0);
    CHECK_EQ(url.len, strlen(want) + 64);
}

static void a_signature_holds_for_one_request_until_its_time(void)
{
    char good[65], cut[65], wrong[65];
    sign_path(good);
    snprintf(cut, sizeof(cut), "%.63s", good);
    snprintf(wrong, sizeof(wrong), "%c%s", good[0] == 'a' ? 'b' : 'a', good + 1);
    const struct {
        const char *method, *path, *expires, *signature;
        int64_t now_s;
        enum sign_verdict verdict;
    } cases[] = {
        {"GET", path, "2000", good, 0, SIGN_GOOD},
        {"GET", path, "2000", good, 1999, SIGN_GOOD},
        {"HEAD", path, "2000", good, 1999, SIGN_GOOD},
        {"GET", path, "2000", good, 2000, SIGN_EXPIRED},
        {"GET", path, "2000", good, 99999, SIGN_EXPIRED},
        {"PUT", path, "2000", good, 0, SIGN_FORGED},
        {"GET", "/files/mo1/a", "2000", good, 0, SIGN_FORGED},
        {"GET", path, "2001", good, 0, SIGN_FORGED},
        {"GET", path, "02000", good, 0, SIGN_FORGED},
        {"GET", path, "2000 ", good, 0, SIGN_FORGED},
        {"GET", path, "+2000", good, 0, SIGN_FORGED},
        {"GET", path, "-1", good, 0, SIGN_FORGED},
        {"GET", path, "", good, 0, SIGN_FORGED},
        {"GET", path, "99999999999999999999", good, 0, SIGN_FORGED},
        {"GET", path, NULL, good, 0, SIGN_FORGED},
        {"GET", path, "2000", NULL, 0, SIGN_FORGED},
        {"GET", path, "2000", "", 0, SIGN_FORGED},
        {"GET", path, "2000", cut, 0, SIGN_FORGED},
        {"GET", path, "2000", wrong, 0, SIGN_FORGED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        enum sign_verdict verdict =
            sign_check(&secret, cases[i].method, cases[i].path, cases[i].expires,
                       cases[i].signature, cases[i].now_s);
        if (verdict != cases[i].verdict)
            printf("# case %zu\n", i);
        CHECK_EQ(verdict, cases[i].verdict);
    }
}

static void another_secret_does_not_verify(void)
{
    char good[65];
    sign_path(good);
    CHECK_EQ(sign_check(&other_secret, "GET", path, "2000", good, 0), SIGN_FORGED);
}

static void survives_each_allocation_failure(void)
{
    char good[65];
    sign_path(good);
    FOR_EACH_ALLOC_FAILURE
    {
        struct buf url BUF_CLEANUP = {0};
        int r = sign_append_url(&secret, "GET", path, EXPIRES_S, &url);
        CHECK(r == 0 || r == -ENOMEM);
        enum sign_verdict verdict = sign_check(&secret, "GET", path, "2000", good, 0);
        CHECK(verdict == SIGN_GOOD || verdict == SIGN_FORGED);
    }
}

int main(void)
{
    TEST("a URL is encoded and complete", a_url_is_encoded_and_complete);
    TEST("a signature holds for one request until its time",
         a_signature_holds_for_one_request_until_its_time);
    TEST("another secret does not verify", another_secret_does_not_verify);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
