/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/mark.h"

#include <dirent.h>

#include "cache_probe.h"

static const char this_boot[] = "11111111-2222-3333-4444-555555555555";
static const char that_boot[] = "99999999-2222-3333-4444-555555555555";
static char dir[PATH_MAX];

static int find_lost(const char *boot_id)
{
    return mark_find_lost(dir, boot_id);
}

static int count_files(void)
{
    int n = 0;
    DIR *entries = opendir(dir);
    for (struct dirent *e; (e = readdir(entries)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(entries);
    return n;
}

static void an_empty_directory_has_no_mark(void)
{
    CHECK_EQ(find_lost(this_boot), 0);
    CHECK_EQ(mark_renew_lost(dir, this_boot), 0);
    struct mark *mark = mark_new(dir, this_boot);
    mark_adopt(mark);
    CHECK(!mark_is_held(mark));
    mark_free(mark);
}

static void a_mark_is_there_from_set_to_clear(void)
{
    struct mark *mark = mark_new(dir, this_boot);
    CHECK_EQ(count_files(), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(mark_set(mark), 0);
        CHECK_EQ(mark_set(mark), 0);
        CHECK(mark_is_held(mark));
        CHECK_EQ(count_files(), 1);
        CHECK_EQ(find_lost(this_boot), 0);
        mark_clear(mark);
        CHECK(!mark_is_held(mark));
        CHECK_EQ(count_files(), 0);
        mark_clear(mark);
    }
    mark_free(mark);
    mark_free(NULL);
}

static void a_mark_of_a_living_process_is_not_taken_over(void)
{
    struct mark *living = mark_new(dir, this_boot), *mark = mark_new(dir, this_boot);
    CHECK_EQ(mark_set(living), 0);
    mark_adopt(mark);
    CHECK(!mark_is_held(mark));
    mark_clear(mark);
    CHECK_EQ(count_files(), 1);
    mark_clear(living);
    mark_free(mark);
    mark_free(living);
}

static int set_and_die(void *ctx)
{
    (void)ctx;
    struct mark *mark = mark_new(dir, this_boot);
    CHECK_EQ(mark_set(mark), 0);
    raise(SIGKILL);
    return 0;
}

static void marks_of_killed_processes_are_taken_over_once(void)
{
    for (int i = 0; i < 2; i++)
        CHECK_EQ(probe_run(set_and_die, NULL, 10), -SIGKILL);
    CHECK_EQ(find_lost(this_boot), 0);
    struct mark *mark = mark_new(dir, this_boot), *other = mark_new(dir, this_boot);
    CHECK_EQ(mark_set(mark), 0);
    mark_adopt(mark);
    mark_adopt(other);
    CHECK(!mark_is_held(other));
    CHECK_EQ(count_files(), 3);
    mark_clear(mark);
    CHECK_EQ(count_files(), 0);
    mark_free(mark);
    mark_free(other);
}

static int take_over_and_die(void *ctx)
{
    (void)ctx;
    struct mark *mark = mark_new(dir, this_boot);
    mark_adopt(mark);
    CHECK(mark_is_held(mark));
    raise(SIGKILL);
    return 0;
}

static void who_takes_over_and_does_not_clear_leaves_it_to_the_next(void)
{
    CHECK_EQ(probe_run(set_and_die, NULL, 10), -SIGKILL);
    CHECK_EQ(probe_run(take_over_and_die, NULL, 10), -SIGKILL);
    struct mark *one = mark_new(dir, this_boot), *two = mark_new(dir, this_boot);
    mark_adopt(one);
    CHECK(mark_is_held(one));
    mark_give_back(one);
    CHECK(!mark_is_held(one));
    mark_adopt(two);
    CHECK(mark_is_held(two));
    mark_free(two);
    CHECK_EQ(count_files(), 1);
    mark_adopt(one);
    mark_clear(one);
    CHECK_EQ(count_files(), 0);
    mark_free(one);
}

static void a_mark_of_another_boot_is_a_loss_until_it_is_renewed(void)
{
    struct mark *old = mark_new(dir, that_boot), *young = mark_new(dir, this_boot);
    CHECK_EQ(mark_set(old), 0);
    mark_free(old);
    CHECK_EQ(mark_set(young), 0);
    mark_free(young);
    CHECK_EQ(find_lost(this_boot), 1); /* one of this boot beside it does not hide it */
    struct mark *mark = mark_new(dir, this_boot);
    mark_adopt(mark); /* only the young one */
    mark_clear(mark);
    CHECK_EQ(count_files(), 1);
    CHECK_EQ(find_lost(this_boot), 1);
    CHECK_EQ(mark_renew_lost(dir, this_boot), 0);
    CHECK_EQ(count_files(), 1);
    CHECK_EQ(find_lost(this_boot), 0);
    CHECK_EQ(find_lost(that_boot), 1); /* should the machine go down before the next sync */
    mark_adopt(mark);
    mark_clear(mark);
    CHECK_EQ(count_files(), 0);
    mark_free(mark);
}

static void other_files_are_no_marks(void)
{
    static const char *const names[] = {"data.mdb", "unsynced", "xunsynced-1", "lock"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        close(open(probe_path(dir, names[i]), O_CREAT | O_WRONLY, 0600));
    CHECK_EQ(find_lost(this_boot), 0);
    CHECK_EQ(mark_renew_lost(dir, this_boot), 0);
    struct mark *mark = mark_new(dir, this_boot);
    mark_adopt(mark);
    mark_clear(mark);
    mark_free(mark);
    CHECK_EQ(count_files(), 4);
    close(open(probe_path(dir, "unsynced-"), O_CREAT | O_WRONLY, 0600)); /* of no known boot */
    CHECK_EQ(find_lost(this_boot), 1);
}

static void a_directory_that_is_gone_is_an_error(void)
{
    CHECK_EQ(mark_find_lost("/nowhere/at/all", this_boot), -ENOENT);
    CHECK_EQ(mark_renew_lost("/nowhere/at/all", this_boot), -ENOENT);
    struct mark *mark = mark_new("/nowhere/at/all", this_boot);
    CHECK_EQ(mark_set(mark), -ENOENT);
    mark_adopt(mark);
    CHECK(!mark_is_held(mark));
    mark_clear(mark);
    mark_free(mark);
}

static void this_boot_has_an_id(void)
{
    char one[37], two[37];
    CHECK_EQ(mark_boot_id(one), 0);
    CHECK_EQ(mark_boot_id(two), 0);
    CHECK_EQ(strlen(one), 36);
    CHECK_STR(one, two);
}

int main(void)
{
    probe_dir_make(dir);
    TEST("an empty directory has no mark", an_empty_directory_has_no_mark);
    TEST("a mark is there from set to clear", a_mark_is_there_from_set_to_clear);
    TEST("a mark of a living process is not taken over",
         a_mark_of_a_living_process_is_not_taken_over);
    TEST("marks of killed processes are taken over once",
         marks_of_killed_processes_are_taken_over_once);
    TEST("who takes over and does not clear leaves it to the next",
         who_takes_over_and_does_not_clear_leaves_it_to_the_next);
    TEST("a mark of another boot is a loss until it is renewed",
         a_mark_of_another_boot_is_a_loss_until_it_is_renewed);
    TEST("other files are no marks", other_files_are_no_marks);
    TEST("a directory that is gone is an error", a_directory_that_is_gone_is_an_error);
    TEST("this boot has an id", this_boot_has_an_id);
    probe_dir_remove(dir);
    return check_done();
}
