/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/mark.h"

#include <dirent.h>

#include "cache_probe.h"

static const char this_boot[] = "11111111-2222-3333-4444-555555555555";
static const char that_boot[] = "99999999-2222-3333-4444-555555555555";
static char dir[PATH_MAX];

static enum mark_found find(const char *boot_id)
{
    enum mark_found found = MARK_LOST;
    CHECK_EQ(mark_find(dir, boot_id, &found), 0);
    return found;
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
    CHECK_EQ(find(this_boot), MARK_NONE);
    mark_sweep(dir, this_boot);
}

static void a_mark_of_a_living_process_is_not_counted(void)
{
    struct mark *mark = mark_new(dir, this_boot);
    CHECK_EQ(count_files(), 0);
    CHECK_EQ(mark_set(mark), 0);
    CHECK_EQ(mark_set(mark), 0);
    CHECK_EQ(count_files(), 1);
    CHECK_EQ(find(this_boot), MARK_NONE);
    mark_sweep(dir, this_boot);
    CHECK_EQ(count_files(), 1);
    mark_clear(mark);
    CHECK_EQ(count_files(), 0);
    mark_clear(mark);
    CHECK_EQ(mark_set(mark), 0);
    CHECK_EQ(count_files(), 1);
    mark_clear(mark);
    mark_free(mark);
}

static int set_and_die(void *ctx)
{
    (void)ctx;
    struct mark *mark = mark_new(dir, this_boot);
    CHECK_EQ(mark_set(mark), 0);
    raise(SIGKILL);
    return 0;
}

static void a_mark_of_a_killed_process_is_an_orphan(void)
{
    CHECK_EQ(probe_run(set_and_die, NULL, 10), -SIGKILL);
    CHECK_EQ(find(this_boot), MARK_ORPHANED);
    struct mark *mark = mark_new(dir, this_boot);
    CHECK_EQ(mark_set(mark), 0);
    mark_sweep(dir, this_boot);
    CHECK_EQ(find(this_boot), MARK_NONE);
    CHECK_EQ(count_files(), 1);
    mark_clear(mark);
    mark_free(mark);
}

static void a_mark_that_was_not_cleared_is_an_orphan(void)
{
    struct mark *mark = mark_new(dir, this_boot);
    CHECK_EQ(mark_set(mark), 0);
    mark_free(mark);
    CHECK_EQ(find(this_boot), MARK_ORPHANED);
    mark_sweep(dir, this_boot);
    CHECK_EQ(count_files(), 0);
    mark_free(NULL);
}

static void a_mark_of_another_boot_is_a_loss(void)
{
    struct mark *old = mark_new(dir, that_boot), *young = mark_new(dir, this_boot);
    CHECK_EQ(mark_set(old), 0);
    mark_free(old);
    CHECK_EQ(mark_set(young), 0);
    mark_free(young);
    CHECK_EQ(find(this_boot), MARK_LOST); /* an orphan beside it does not hide it */
    mark_sweep(dir, this_boot);
    CHECK_EQ(find(this_boot), MARK_NONE);
    CHECK_EQ(count_files(), 0);
}

static void other_files_are_no_marks(void)
{
    static const char *const names[] = {"data.mdb", "unsynced", "xunsynced-1", "lock"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        close(open(probe_path(dir, names[i]), O_CREAT | O_WRONLY, 0600));
    CHECK_EQ(find(this_boot), MARK_NONE);
    mark_sweep(dir, this_boot);
    CHECK_EQ(count_files(), 4);
    close(open(probe_path(dir, "unsynced-"), O_CREAT | O_WRONLY, 0600)); /* of no known boot */
    CHECK_EQ(find(this_boot), MARK_LOST);
}

static void a_directory_that_is_gone_is_an_error(void)
{
    enum mark_found found;
    CHECK_EQ(mark_find("/nowhere/at/all", this_boot, &found), -ENOENT);
    mark_sweep("/nowhere/at/all", this_boot);
    struct mark *mark = mark_new("/nowhere/at/all", this_boot);
    CHECK_EQ(mark_set(mark), -ENOENT);
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
    TEST("a mark of a living process is not counted", a_mark_of_a_living_process_is_not_counted);
    TEST("a mark of a killed process is an orphan", a_mark_of_a_killed_process_is_an_orphan);
    TEST("a mark that was not cleared is an orphan", a_mark_that_was_not_cleared_is_an_orphan);
    TEST("a mark of another boot is a loss", a_mark_of_another_boot_is_a_loss);
    TEST("other files are no marks", other_files_are_no_marks);
    TEST("a directory that is gone is an error", a_directory_that_is_gone_is_an_error);
    TEST("this boot has an id", this_boot_has_an_id);
    probe_dir_remove(dir);
    return check_done();
}
