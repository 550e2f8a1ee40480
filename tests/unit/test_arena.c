/* SPDX-License-Identifier: Apache-2.0 */
#include "util/arena.h"

#include <stdint.h>

#include "check.h"
#include "util/cleanup.h"

#define ARENA_CLEANUP CLEANUP(arena_free)

static void copies_stand_alone(void)
{
    ARENA_CLEANUP struct arena *arena = NULL;
    char text[] = "abcdef";
    char *copy = arena_copy(&arena, text, 3);
    memset(text, 'x', 6);
    CHECK_STR(copy, "abc");
    CHECK_STR(arena_copy(&arena, "", 0), "");
    CHECK_STR(arena_copy(&arena, "second", 6), "second");
    CHECK_STR(copy, "abc");
}

static void bytes_are_any_bytes(void)
{
    ARENA_CLEANUP struct arena *arena = NULL;
    const char *copy = arena_copy(&arena, "a\0b\xff", 4);
    CHECK(memcmp(copy, "a\0b\xff", 5) == 0);
}

/* Text number @i: its length goes over all that matter around a chunk's end. */
static size_t format_text(char *out, size_t i)
{
    static const size_t lengths[] = {0, 1, 10, 100, 5000, 16382, 16383, 16384, 16385, 40000};
    size_t len = lengths[i % (sizeof(lengths) / sizeof(lengths[0]))];
    memset(out, 'a' + (int)(i % 26), len);
    out[len] = '\0';
    return len;
}

static void strings_never_move(void)
{
    enum { N = 500 };
    static char text[40001];
    const char *copies[N];
    ARENA_CLEANUP struct arena *arena = NULL;
    for (size_t i = 0; i < N; i++)
        copies[i] = arena_copy(&arena, text, format_text(text, i));
    for (size_t i = 0; i < N; i++) {
        format_text(text, i);
        CHECK(copies[i] && strcmp(copies[i], text) == 0);
    }
}

static void no_address_space_is_no_copy(void)
{
    static const size_t lengths[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2};
    ARENA_CLEANUP struct arena *arena = NULL;
    const char *kept = arena_copy(&arena, "kept", 4);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        CHECK(!arena_copy(&arena, "x", lengths[i]));
    CHECK_STR(kept, "kept");
}

static void freed_it_starts_anew(void)
{
    struct arena *arena = NULL;
    arena_free(&arena);
    arena_copy(&arena, "a", 1);
    arena_free(&arena);
    CHECK(!arena);
    CHECK_STR(arena_copy(&arena, "b", 1), "b");
    arena_free(&arena);
}

static void no_memory_keeps_what_is_there(void)
{
    static char text[40001];
    FOR_EACH_ALLOC_FAILURE
    {
        ARENA_CLEANUP struct arena *arena = NULL;
        const char *first = arena_copy(&arena, "first", 5);
        for (size_t i = 0; i < 20; i++) {
            const char *copy = arena_copy(&arena, text, format_text(text, i));
            CHECK(!copy || strcmp(copy, text) == 0);
        }
        CHECK(!first || strcmp(first, "first") == 0);
    }
}

int main(void)
{
    TEST("copies stand alone", copies_stand_alone);
    TEST("bytes are any bytes", bytes_are_any_bytes);
    TEST("strings never move", strings_never_move);
    TEST("a length beyond memory is no copy", no_address_space_is_no_copy);
    TEST("freed, it starts anew", freed_it_starts_anew);
    TEST("no memory keeps what is there", no_memory_keeps_what_is_there);
    return check_done();
}
