/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/mount_options.h"

#include <errno.h>
#include <unistd.h>

#include "check.h"

#define OPTIONS_CLEANUP CLEANUP(mount_options_deinit)

/* Parses into fresh defaults; the reason is thrown away. */
static int parse(struct mount_options *o, const char *text)
{
    CLEANUP(cleanup_free) char *why = NULL;
    mount_options_init(o);
    int r = mount_options_parse(o, text, &why);
    CHECK_EQ(why != NULL, r == -EINVAL);
    return r;
}

static void defaults_are_those_of_the_help(void)
{
    OPTIONS_CLEANUP struct mount_options o;
    CHECK_EQ(parse(&o, ""), 0);
    CHECK(!o.allow_other && !o.debug && !o.cache_dir && !o.log_file);
    CHECK_EQ(o.uid, getuid());
    CHECK_EQ(o.gid, getgid());
    CHECK_EQ(o.umask, 0022);
    CHECK_EQ(o.cache_size_bytes, UINT64_C(20) << 30);
    CHECK_EQ(o.memory_bytes, 0);
    CHECK(o.attr_timeout_s == 60 && o.entry_timeout_s == 1 && o.list_timeout_s == 30);
    CHECK(o.deadline_s == 60);
    CHECK(o.connections == 0 && o.threads == 8 && o.read_ahead_kib == 4096);
}

static void every_option_sets_its_own_field(void)
{
    OPTIONS_CLEANUP struct mount_options o;
    CHECK_EQ(parse(&o, "allow_other,debug,uid=7,gid=8,umask=077,cache_dir=/a b/c,log_file=l,"
                       "cache_size=9M,memory=2G,attr_timeout=1.5,entry_timeout=0,list_timeout=2,"
                       "deadline=1e3,connections=3,threads=4,read_ahead=0"),
             0);
    CHECK(o.allow_other && o.debug);
    CHECK(o.uid == 7 && o.gid == 8 && o.umask == 077);
    CHECK_STR(o.cache_dir, "/a b/c");
    CHECK_STR(o.log_file, "l");
    CHECK_EQ(o.cache_size_bytes, 9 << 20);
    CHECK_EQ(o.memory_bytes, UINT64_C(2) << 30);
    CHECK(o.attr_timeout_s == 1.5 && o.entry_timeout_s == 0 && o.list_timeout_s == 2);
    CHECK(o.deadline_s == 1000);
    CHECK(o.connections == 3 && o.threads == 4 && o.read_ahead_kib == 0);
}

static void directions_are_one_option(void)
{
    static const struct {
        const char *text, *directions;
        bool debug;
    } cases[] = {
        {"best=wer:min,bleu:max", "wer:min,bleu:max", false},
        {"best=wer:min,debug", "wer:min", true},
        {"debug,best=wer:min,bleu:max,log_file=a:b,threads=3", "wer:min,bleu:max", true},
        {"best=wer:min,bleu:max,,debug", "wer:min,bleu:max", true},
        {"best=a=b:min", "a=b:min", false},
        {"best=a:min,best=b:max", "b:max", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OPTIONS_CLEANUP struct mount_options o;
        CHECK_EQ(parse(&o, cases[i].text), 0);
        CHECK_STR(o.best.text, cases[i].directions);
        CHECK_EQ(o.debug, cases[i].debug);
    }
}

/* What is wrong with directions is said in their words. */
static void wrong_directions_are_told(void)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"best=wer:min,bleu:mox", "`bleu:mox` does not say which way a metric is better; say "
                                  "NAME:min or NAME:max"},
        {"best=", "`` does not say which way a metric is better; say NAME:min or NAME:max"},
        {"best", "the option best makes no sense"},
        {"wer:min", "there is no option `wer:min`"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OPTIONS_CLEANUP struct mount_options o;
        CLEANUP(cleanup_free) char *why = NULL;
        mount_options_init(&o);
        CHECK_EQ(mount_options_parse(&o, cases[i].text, &why), -EINVAL);
        CHECK_STR(why, cases[i].why);
    }
}

static void sizes_have_units(void)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {"memory=0", 0},
        {"memory=1", 1},
        {"memory=007", 7},
        {"memory=3k", 3 << 10},
        {"memory=3K", 3 << 10},
        {"memory=3m", 3 << 20},
        {"memory=3G", UINT64_C(3) << 30},
        {"memory=3t", UINT64_C(3) << 40},
        {"memory=18446744073709551615", UINT64_MAX},
        {"memory=16777215T", UINT64_C(16777215) << 40},
        {"memory=1,memory=2", 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OPTIONS_CLEANUP struct mount_options o;
        CHECK_EQ(parse(&o, cases[i].text), 0);
        CHECK_EQ(o.memory_bytes, cases[i].bytes);
    }
}

static void what_mount_adds_is_let_pass(void)
{
    static const char *const cases[] = {"ro",       "auto", "noauto", "nofail", "_netdev",
                                        "defaults", "user", "users",  "nosuid", "nodev",
                                        ",,",       "ro,,", ",debug", "user=me"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OPTIONS_CLEANUP struct mount_options o;
        CHECK_EQ(parse(&o, cases[i]), 0);
    }
}

static void nonsense_is_refused(void)
{
    static const char *const cases[] = {
        "rw",
        "what",
        "what=1",
        "=",
        "=1",
        "Debug",
        "debug ",
        " debug",
        "allow_other=1",
        "debug=",
        "uid",
        "uid=",
        "uid=me",
        "uid=-1",
        "uid= -1",
        "uid=4294967295",
        "uid=1.5",
        "uid=1 ",
        "gid=99999999999999999999",
        "umask=8",
        "umask=1000",
        "umask=-1",
        "umask=",
        "cache_dir",
        "cache_dir=",
        "log_file=",
        "memory",
        "memory=",
        "memory=-1",
        "memory= -1",
        "memory=\t-1",
        "memory=+1",
        "memory= 1",
        "memory=1 ",
        "memory=1KB",
        "memory=1KK",
        "memory=K",
        "memory=1P",
        "memory=1 K",
        "memory=1.5G",
        "memory=0x10",
        "memory=18446744073709551616",
        "memory=16777216T",
        "memory=18014398509481984K",
        "cache_size=1",
        "cache_size=8388607",
        "cache_size=8 ",
        "deadline=-1",
        "deadline=",
        "deadline=nan",
        "deadline=inf",
        "deadline=1s",
        "deadline=1000001",
        "deadline=1e999",
        "threads=0",
        "threads=-1",
        "threads= 18446744073709551615",
        "threads= -18446744073709551615",
        "threads=1048577",
        "threads=",
        "threads=4x",
        "connections=-1",
        "read_ahead=99999999999",
        "debug,what",
        "what,debug",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OPTIONS_CLEANUP struct mount_options o;
        int r = parse(&o, cases[i]);
        if (r != -EINVAL)
            printf("# %s\n", cases[i]);
        CHECK_EQ(r, -EINVAL);
    }
}

static void the_reason_names_the_option(void)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"what=1", "there is no option `what`"},
        {"debug,uid=me", "the option uid=me makes no sense"},
        {"memory", "the option memory makes no sense"},
        {"cache_dir=", "the option cache_dir= makes no sense"},
        {"threads=0", "threads must be 1 or more"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(cleanup_free) char *why = NULL;
        OPTIONS_CLEANUP struct mount_options o;
        mount_options_init(&o);
        CHECK_EQ(mount_options_parse(&o, cases[i].text, &why), -EINVAL);
        CHECK_STR(why, cases[i].why);
    }
}

static void a_cache_is_none_or_keeps_something(void)
{
    OPTIONS_CLEANUP struct mount_options o;
    CHECK_EQ(parse(&o, "cache_size=0"), 0);
    CHECK_EQ(o.cache_size_bytes, 0);
    mount_options_deinit(&o);
    CHECK_EQ(parse(&o, "cache_size=8M"), 0);
    CHECK_EQ(o.cache_size_bytes, 8 << 20);
}

static void several_arguments_add_up(void)
{
    CLEANUP(cleanup_free) char *why = NULL;
    OPTIONS_CLEANUP struct mount_options o;
    mount_options_init(&o);
    CHECK_EQ(mount_options_parse(&o, "uid=1,cache_dir=/a", &why), 0);
    CHECK_EQ(mount_options_parse(&o, "gid=2,cache_dir=/b", &why), 0);
    CHECK(o.uid == 1 && o.gid == 2);
    CHECK_STR(o.cache_dir, "/b");
}

static void the_lines_say_all(void)
{
    BUF_CLEANUP struct buf out = {0};
    OPTIONS_CLEANUP struct mount_options o;
    CHECK_EQ(parse(&o, "uid=7,gid=8,cache_dir=/c,debug,attr_timeout=1.5,memory=1K"), 0);
    CHECK_EQ(mount_options_format(&o, &out), 0);
    CHECK_STR(out.data,
              "allow_other=no\ndebug=yes\nuid=7\ngid=8\numask=0022\ncache_dir=/c\n"
              "cache_size=21474836480\nmemory=1024\nattr_timeout=1.5\nentry_timeout=1\n"
              "list_timeout=30\ndeadline=60\nconnections=0\nthreads=8\nread_ahead=4096\n");
}

static void the_help_has_every_option(void)
{
    BUF_CLEANUP struct buf out = {0};
    OPTIONS_CLEANUP struct mount_options o;
    CHECK_EQ(parse(&o, "cache_dir=/c,log_file=/l"), 0);
    CHECK_EQ(mount_options_format(&o, &out), 0);
    char *rest = out.data, *line;
    while ((line = strsep(&rest, "\n")) && *line) {
        *strchr(line, '=') = '\0';
        if (!strstr(mount_options_help, line))
            printf("# %s\n", line);
        CHECK(strstr(mount_options_help, line));
    }
}

static void no_memory_is_an_error(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        static const char *const cases[] = {"cache_dir=/a,log_file=/b,cache_dir=/c", "threads=0"};
        for (int i = 0; i < 2; i++) {
            CLEANUP(cleanup_free) char *why = NULL;
            BUF_CLEANUP struct buf out = {0};
            OPTIONS_CLEANUP struct mount_options o;
            mount_options_init(&o);
            int r = mount_options_parse(&o, cases[i], &why);
            CHECK(r == -ENOMEM || r == (i ? -EINVAL : 0));
            CHECK_EQ(why != NULL, r == -EINVAL);
            r = mount_options_format(&o, &out);
            CHECK(r == 0 || r == -ENOMEM);
        }
    }
}

int main(void)
{
    TEST("defaults are those of the help", defaults_are_those_of_the_help);
    TEST("every option sets its own field", every_option_sets_its_own_field);
    TEST("directions are one option", directions_are_one_option);
    TEST("wrong directions are told", wrong_directions_are_told);
    TEST("sizes have units", sizes_have_units);
    TEST("what mount and fstab add is let pass", what_mount_adds_is_let_pass);
    TEST("nonsense is refused", nonsense_is_refused);
    TEST("the reason names the option", the_reason_names_the_option);
    TEST("a cache is none or keeps something", a_cache_is_none_or_keeps_something);
    TEST("several arguments add up", several_arguments_add_up);
    TEST("the lines say all", the_lines_say_all);
    TEST("the help has every option", the_help_has_every_option);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
