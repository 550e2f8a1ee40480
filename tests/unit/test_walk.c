/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/walk.h"

#include "check.h"

enum { N_FILES = 10000 };

/* Reads file @ino (1 to N_FILES; each comes after the one before) as ops_walk.c would. Returns how
 * many files were asked for. */
static unsigned read_file(struct walks *w, uint64_t ino)
{
    struct walk_ask ask = {0};
    uint64_t last[WALKS_MAX], inos[WALK_MAX_FILES];
    if (!walks_advance(w, ino, &ask)) {
        size_t n = walks_last(w, last), i = 0;
        while (i < n && last[i] != ino - 1)
            i++;
        if (i < n)
            walks_begin(w, last[i], ino, WALK_BY_NAME, &ask);
        else
            walks_restart(w, ino);
    }
    CHECK(ask.n <= WALK_MAX_FILES);
    if (!ask.n)
        return 0;
    unsigned n = 0;
    for (; n < ask.n && ino + n < N_FILES; n++)
        inos[n] = ino + 1 + n;
    walks_expect(w, &ask, inos, n);
    return n - ask.n_known;
}

static void the_second_file_makes_a_walk(void)
{
    struct walks w = {0};
    CHECK_EQ(read_file(&w, 100), 0);
    CHECK_EQ(read_file(&w, 101), WALK_FIRST_FILES);
    CHECK_EQ(read_file(&w, 102), 0);
    CHECK(read_file(&w, 103) > WALK_FIRST_FILES);
}

static void by_inode_number_it_begins_with_one_file(void)
{
    static const uint64_t next[] = {3};
    struct walks w = {0};
    struct walk_ask ask;
    walks_restart(&w, 1);
    walks_begin(&w, 1, 2, WALK_BY_INO, &ask);
    CHECK_EQ(ask.n, 1);
    walks_expect(&w, &ask, next, 1);
    CHECK(walks_advance(&w, 3, &ask));
    CHECK(ask.n == 2 && ask.ino == 3 && ask.order == WALK_BY_INO);
}

static void each_file_is_asked_for_once(void)
{
    struct walks w = {0};
    unsigned asked = 0;
    for (uint64_t ino = 1; ino <= 5000; ino++)
        asked += read_file(&w, ino);
    CHECK(asked >= 5000 - 2 && asked <= 5000 + WALK_MAX_FILES);
}

static void it_is_ahead_by_half_of_its_files_at_least(void)
{
    struct walks w = {0};
    for (uint64_t ino = 1; ino <= 1000; ino++)
        read_file(&w, ino);
    CHECK_EQ(w.items[0].n_files, WALK_MAX_FILES);
    for (uint64_t ino = 1001; ino <= 2000; ino++) {
        read_file(&w, ino);
        CHECK(w.items[0].n_ahead > WALK_MAX_FILES / 2);
        CHECK_EQ(w.items[0].ahead[0], ino + 1);
    }
}

static void files_may_be_left_out(void)
{
    struct walks w = {0};
    unsigned begun = 0;
    for (uint64_t ino = 1; ino <= 3000; ino += ino % 7 ? 1 : 3) {
        read_file(&w, ino);
        begun += w.items[1].last != 0;
    }
    CHECK_EQ(begun, 0);
    CHECK_EQ(w.items[0].n_files, WALK_MAX_FILES);
}

static void files_at_random_ask_for_nothing(void)
{
    struct walks w = {0};
    for (uint64_t i = 0; i < 1000; i++)
        CHECK_EQ(read_file(&w, 1 + i * 3333 % N_FILES), 0);
}

static void several_walk_at_a_time(void)
{
    struct walks w = {0};
    unsigned asked = 0;
    for (uint64_t i = 1; i <= 500; i++)
        for (uint64_t who = 0; who < WALKS_MAX; who++)
            asked += read_file(&w, who * 1000 + i);
    CHECK(asked >= WALKS_MAX * 498);
    for (size_t i = 0; i < WALKS_MAX; i++)
        CHECK_EQ(w.items[i].n_files, WALK_MAX_FILES);
}

static void the_oldest_walk_makes_room(void)
{
    struct walks w = {0};
    for (uint64_t who = 0; who < WALKS_MAX; who++) {
        read_file(&w, who * 1000 + 1);
        read_file(&w, who * 1000 + 2);
    }
    read_file(&w, 3);
    read_file(&w, 9500);
    CHECK_EQ(read_file(&w, 1003), 0); /* whose walk made room: it starts anew */
    CHECK_EQ(read_file(&w, 9501), WALK_FIRST_FILES);
    uint64_t last[WALKS_MAX];
    CHECK_EQ(walks_last(&w, last), WALKS_MAX);
}

static void the_same_file_again_changes_nothing(void)
{
    struct walks w = {0};
    read_file(&w, 1);
    read_file(&w, 2);
    CHECK_EQ(read_file(&w, 2), 0);
    CHECK_EQ(read_file(&w, 3), 0);
    CHECK(w.items[0].n_ahead == WALK_FIRST_FILES - 1 && !w.items[1].last);
}

/* Between a question and its answer another thread may go on with the walk. */
static void an_answer_that_comes_late_is_nobodys(void)
{
    static const uint64_t inos[] = {3, 4, 5, 6}, late[] = {9};
    struct walks w = {0};
    struct walk_ask ask, more;
    walks_restart(&w, 1);
    walks_begin(&w, 1, 2, WALK_BY_NAME, &ask);
    walks_expect(&w, &ask, inos, 4);
    CHECK(walks_advance(&w, 4, &more));
    walks_expect(&w, &ask, late, 1);
    CHECK(w.items[0].n_ahead == 2 && w.items[0].ahead[0] == 5);
    walks_begin(&w, 1, 2, WALK_BY_INO, &ask);
    CHECK_EQ(ask.n, 0);
}

int main(void)
{
    TEST("the second file makes a walk", the_second_file_makes_a_walk);
    TEST("by inode number it begins with one file", by_inode_number_it_begins_with_one_file);
    TEST("each file is asked for once", each_file_is_asked_for_once);
    TEST("it is ahead by half of its files at least", it_is_ahead_by_half_of_its_files_at_least);
    TEST("files may be left out", files_may_be_left_out);
    TEST("files at random ask for nothing", files_at_random_ask_for_nothing);
    TEST("several walk at a time", several_walk_at_a_time);
    TEST("the oldest walk makes room", the_oldest_walk_makes_room);
    TEST("the same file again changes nothing", the_same_file_again_changes_nothing);
    TEST("an answer that comes late is nobody's", an_answer_that_comes_late_is_nobodys);
    return check_done();
}
