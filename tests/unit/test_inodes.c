/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/inodes.h"

#include "check.h"
#include "util/cleanup.h"

#define INODES_CLEANUP CLEANUP(inodes_deinit)

static struct layout *const some = (struct layout *)&check_n_tests; /* never looked into */

static struct inode *add(struct inodes *inodes, uint64_t ino, uint32_t index)
{
    return inodes_add(inodes, &(struct inode){ino, some, index, 1});
}

/* As hashes are: over all of 64 bits. */
static uint64_t number(uint64_t i)
{
    return (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static void check_there(const struct inodes *inodes, uint64_t ino, uint32_t index)
{
    const struct inode *inode = inodes_find(inodes, ino);
    CHECK(inode && inode->ino == ino && inode->index == index && inode->layout == some);
}

static void what_was_added_is_found(void)
{
    enum { N = 10000 };
    INODES_CLEANUP struct inodes inodes = {0};
    CHECK(!inodes_find(&inodes, 5));
    for (uint32_t i = 0; i < N; i++)
        CHECK(add(&inodes, number(i), i));
    CHECK_EQ(inodes.n, N);
    for (uint32_t i = 0; i < N; i++)
        check_there(&inodes, number(i), i);
    CHECK(!inodes_find(&inodes, number(N)));
    CHECK(inodes.n_slots * 7 / 8 >= N && inodes.n_slots < 2 * N);
}

/* Numbers with one home, at the table's end, go round it. */
static void neighbours_are_found_when_others_go(void)
{
    enum { N = 40 };
    for (uint32_t gone = 0; gone < N; gone++) {
        INODES_CLEANUP struct inodes inodes = {0};
        for (uint32_t i = 0; i < N; i++)
            CHECK(add(&inodes, UINT64_MAX - (uint64_t)(i % 4) * (UINT64_MAX / 64) - i, i));
        for (uint32_t k = 0; k < 3; k++) {
            uint32_t i = (gone + k * 7) % N;
            uint64_t ino = UINT64_MAX - (uint64_t)(i % 4) * (UINT64_MAX / 64) - i;
            inodes_remove(&inodes, inodes_find(&inodes, ino));
            CHECK(!inodes_find(&inodes, ino));
        }
        for (uint32_t i = 0; i < N; i++)
            if (i != gone && i != (gone + 7) % N && i != (gone + 14) % N)
                check_there(&inodes, UINT64_MAX - (uint64_t)(i % 4) * (UINT64_MAX / 64) - i, i);
    }
}

static void what_is_forgotten_takes_no_room(void)
{
    enum { N = 10000 };
    INODES_CLEANUP struct inodes inodes = {0};
    for (uint32_t i = 0; i < N; i++)
        CHECK(add(&inodes, number(i), i));
    for (uint32_t i = 0; i < N; i += 2)
        inodes_remove(&inodes, inodes_find(&inodes, number(i)));
    for (uint32_t i = 0; i < N; i++)
        if (i % 2)
            check_there(&inodes, number(i), i);
        else
            CHECK(!inodes_find(&inodes, number(i)));
    for (uint32_t i = 1; i < N; i += 2)
        inodes_remove(&inodes, inodes_find(&inodes, number(i)));
    CHECK_EQ(inodes.n, 0);
    CHECK(inodes.n_slots <= 128);
    CHECK(!inodes_find(&inodes, number(1)));
}

static void without_memory_the_table_fills_up(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        INODES_CLEANUP struct inodes inodes = {0};
        uint32_t n = 0;
        while (n < 500 && add(&inodes, number(n), n))
            n++;
        check_alloc_countdown = -1;
        CHECK_EQ(inodes.n, n);
        for (uint32_t i = 0; i < n; i++)
            check_there(&inodes, number(i), i);
        CHECK(!inodes_find(&inodes, number(n)));
    }
}

int main(void)
{
    TEST("what was added is found", what_was_added_is_found);
    TEST("neighbours are found when others go", neighbours_are_found_when_others_go);
    TEST("what is forgotten takes no room", what_is_forgotten_takes_no_room);
    TEST("without memory the table fills up", without_memory_the_table_fills_up);
    return check_done();
}
