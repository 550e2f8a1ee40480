/* SPDX-License-Identifier: Apache-2.0 */
#include "read/trace_ring.h"

#include <errno.h>

#include "check.h"

enum { CAPACITY = 8 };

/* What a stream says, as text: `F0 F1 R0@0 L3 ...`. */
static void tell(const struct buf *bytes, size_t from, struct trace_coder *coder, struct buf *out)
{
    struct trace_record record;
    size_t used;
    for (; trace_get(coder, bytes->data + from, bytes->len - from, &record, &used) == 1;
         from += used) {
        if (record.kind == TRACE_FILE)
            buf_printf(out, "F%.*s ", (int)record.file.path_len, record.file.path);
        else if (record.kind == TRACE_READ)
            buf_printf(out, "R%u@%llu ", record.read.file, (unsigned long long)record.read.off);
        else if (record.kind == TRACE_LOST)
            buf_printf(out, "L%llu ", (unsigned long long)record.n_lost);
    }
    CHECK_EQ(from, bytes->len);
}

struct probe {
    struct trace_ring *ring;
    struct trace_coder coder;
};

static void probe_init(struct probe *p)
{
    *p = (struct probe){0};
    CHECK_EQ(trace_ring_new(CAPACITY, 1, &p->ring), 0);
    CHECK_EQ(trace_ring_add_file(p->ring, 100, 4096, "a"), 0);
    CHECK_EQ(trace_ring_add_file(p->ring, 200, 4096, "b"), 1);
}

static void probe_deinit(struct probe *p)
{
    trace_ring_free(p->ring);
    trace_coder_deinit(&p->coder);
}

static void add(struct probe *p, uint32_t file, uint64_t off)
{
    trace_ring_add(
        p->ring,
        &(struct trace_read){.file = file, .source = READ_CACHED, .off = off, .size = 1, .got = 1});
}

/* All that comes, @step bytes at a time, is this. */
static void check_stream(struct probe *p, size_t step, const char *want)
{
    BUF_CLEANUP struct buf bytes = {0}, text = {0};
    for (size_t before = SIZE_MAX; before != bytes.len;) {
        before = bytes.len;
        CHECK_EQ(trace_ring_take(p->ring, step, &bytes), 0);
        CHECK(bytes.len - before <= step);
    }
    tell(&bytes, 0, &p->coder, &text);
    CHECK_STR(text.data ? text.data : "", want);
}

static void reads_come_out_in_order(void)
{
    static const size_t steps[] = {1, 7, 100, 65536};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct probe p;
        probe_init(&p);
        check_stream(&p, steps[i], ""); /* but the start */
        CHECK(p.coder.has_started);
        add(&p, 0, 10);
        add(&p, 0, 5);
        check_stream(&p, steps[i], "Fa R0@10 R0@5 ");
        add(&p, 1, 7);
        add(&p, 0, 6);
        check_stream(&p, steps[i], "Fb R1@7 R0@6 ");
        check_stream(&p, steps[i], "");
        probe_deinit(&p);
    }
}

static void a_file_is_numbered_as_it_is_first_told_of(void)
{
    struct probe p;
    probe_init(&p);
    CHECK_EQ(trace_ring_find_file(p.ring, 100), 0);
    CHECK_EQ(trace_ring_find_file(p.ring, 200), 1);
    CHECK_EQ(trace_ring_find_file(p.ring, 300), -ENOENT);
    add(&p, 1, 1);
    add(&p, 0, 2);
    check_stream(&p, 4096, "Fb R0@1 Fa R1@2 ");
    probe_deinit(&p);
}

static void the_oldest_makes_room_and_is_counted(void)
{
    struct probe p;
    probe_init(&p);
    add(&p, 1, 0); /* goes, and its file is not told of for nothing */
    for (uint64_t i = 0; i < CAPACITY + 2; i++)
        add(&p, 0, i);
    check_stream(&p, 4096, "L3 Fa R0@2 R0@3 R0@4 R0@5 R0@6 R0@7 R0@8 R0@9 ");
    add(&p, 1, 5);
    trace_ring_lose(p.ring);
    check_stream(&p, 4096, "L1 Fb R1@5 ");
    probe_deinit(&p);
}

/* What was encoded already stays whole when the ring goes over it. */
static void a_record_taken_in_parts_outlives_its_read(void)
{
    struct probe p;
    BUF_CLEANUP struct buf bytes = {0}, text = {0};
    probe_init(&p);
    add(&p, 0, 77);
    CHECK_EQ(trace_ring_take(p.ring, TRACE_MAGIC_BYTES + 3, &bytes), 0);
    CHECK_EQ(bytes.len, TRACE_MAGIC_BYTES + 3);
    for (uint64_t i = 0; i < CAPACITY + 1; i++)
        add(&p, 0, i);
    CHECK_EQ(trace_ring_take(p.ring, 4096, &bytes), 0);
    tell(&bytes, 0, &p.coder, &text);
    /* the read had not been encoded yet: only its file, or it, and the ring lost what it had to */
    CHECK(strstr(text.data, "R0@8 ") != NULL);
    CHECK(strstr(text.data, "Fa ") != NULL);
    probe_deinit(&p);
}

static void files_are_at_most_so_many(void)
{
    struct probe p;
    probe_init(&p);
    for (int i = 2; i < TRACE_FILES_MAX; i++)
        CHECK_EQ(trace_ring_add_file(p.ring, 1000 + (uint64_t)i, 1, "x"), i);
    CHECK_EQ(trace_ring_add_file(p.ring, 1, 1, "x"), -ENOSPC);
    probe_deinit(&p);
}

static void memory_may_be_short(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        struct trace_ring *ring = NULL;
        BUF_CLEANUP struct buf bytes = {0}, text = {0};
        struct trace_coder coder = {0};
        int r = trace_ring_new(CAPACITY, 1, &ring);
        int file = r == 0 ? trace_ring_add_file(ring, 5, 1, "f") : -1;
        if (file == 0) {
            trace_ring_add(ring, &(struct trace_read){.size = 1, .off = 9});
            /* tried again, it goes on where it was */
            while (trace_ring_take(ring, 4096, &bytes) < 0 || trace_ring_take(ring, 4096, &bytes))
                CHECK(check_alloc_hit);
            check_alloc_countdown = -1;
            tell(&bytes, 0, &coder, &text);
            CHECK_STR(text.data, "Ff R0@9 ");
        }
        CHECK(file == 0 || check_alloc_hit);
        trace_ring_free(ring);
        trace_coder_deinit(&coder);
    }
}

int main(void)
{
    TEST("reads come out in order, in parts of any size", reads_come_out_in_order);
    TEST("a file is numbered as it is first told of", a_file_is_numbered_as_it_is_first_told_of);
    TEST("the oldest read makes room and is counted", the_oldest_makes_room_and_is_counted);
    TEST("a record taken in parts outlives its read", a_record_taken_in_parts_outlives_its_read);
    TEST("files are at most so many", files_are_at_most_so_many);
    TEST("memory may be short at any moment", memory_may_be_short);
    return check_done();
}
