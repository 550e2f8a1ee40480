/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/subject_url.h"

#include <errno.h>

#include "check.h"

static const struct {
    const char *text, *registry, *project, *model, *checkpoint;
} cases[] = {
    {"gradient+http://h:1", "gradient+http://h:1", NULL, NULL, NULL},
    {"gradient+http://h:1/", "gradient+http://h:1", NULL, NULL, NULL},
    {"gradient+http://h/p", "gradient+http://h", "p", NULL, NULL},
    {"gradient+http://h//p/m//c/", "gradient+http://h", "p", "m", "c"},
    {"gradient+https://h/a%2Fb/m%20n", "gradient+https://h", "a/b", "m n", NULL},
    {"dir:///a/b/c/d", "dir:///a/b/c/d", NULL, NULL, NULL},
    {"dir:///a/b#", "dir:///a/b", NULL, NULL, NULL},
    {"dir:///a/b#p", "dir:///a/b", "p", NULL, NULL},
    {"dir:///a%23b#p/m/latest", "dir:///a%23b", "p", "m", "latest"},
};

static void check_part(const char *got, const char *want)
{
    if (want)
        CHECK_STR(got, want);
    else
        CHECK(!got);
}

static void a_url_names_what_stands_behind_the_registry(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct subject_url url;
        CHECK_EQ(subject_url_parse(cases[i].text, &url), 0);
        CHECK_STR(url.registry, cases[i].registry);
        check_part(url.project, cases[i].project);
        check_part(url.model, cases[i].model);
        check_part(url.checkpoint, cases[i].checkpoint);
        subject_url_deinit(&url);
    }
}

static void anything_else_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "p/m",
        "://h",
        "gradient+http://h/a/b/c/d",
        "gradient+http://h/a%zz",
        "gradient+http://h/a%00",
        "gradient+http://h/a?b=c",
        "gradient+http://h/a b",
        "gradient+http://user:secret@h/a",
        "dir:///a#b/c/d/e",
        "dir:///a#b#c",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct subject_url url;
        if (subject_url_parse(texts[i], &url) != -EINVAL)
            printf("# case %s\n", texts[i]);
        CHECK_EQ(subject_url_parse(texts[i], &url), -EINVAL);
    }
}

static void a_path_is_no_url(void)
{
    CHECK(subject_url_is("dir:///a"));
    CHECK(!subject_url_is("/mnt/models/a"));
    CHECK(!subject_url_is("a:b"));
}

static void survives_each_allocation_failure(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        struct subject_url url = {0};
        int r = subject_url_parse("gradient+http://h/p/m/c", &url);
        CHECK(r == 0 || r == -ENOMEM || r == -EINVAL);
        subject_url_deinit(&url);
    }
}

int main(void)
{
    TEST("a URL names what stands behind the registry",
         a_url_names_what_stands_behind_the_registry);
    TEST("anything else is refused", anything_else_is_refused);
    TEST("a path is no URL", a_path_is_no_url);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
