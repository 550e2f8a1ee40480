/* SPDX-License-Identifier: Apache-2.0 */
#include "read/trace.h"

#include <errno.h>
#include <limits.h>

#include "check.h"

static const struct trace_read reads[] = {
    {.file = 0,
     .source = READ_FETCHED,
     .size = 131072,
     .got = 131072,
     .began_us = 50,
     .took_us = 9},
    {.file = 0,
     .source = READ_CACHED,
     .off = 131072,
     .size = 131072,
     .got = 131072,
     .began_us = 40},
    {.file = 1, .source = READ_JOINED, .off = INT64_MAX - TRACE_SIZE_MAX, .size = 1, .got = 1},
    {.file = 0, .source = READ_CACHED, .off = 262144, .size = 131072, .got = 5, .took_us = 1000000},
    {.file = 0, .source = READ_NOWHERE, .off = 0, .size = 4096, .err = EIO, .began_us = 70},
    {.file = 0, .source = READ_NOWHERE, .off = 99999999, .size = 4096, .began_us = -70},
    {.file = 1,
     .source = READ_FETCHED,
     .size = TRACE_SIZE_MAX,
     .got = TRACE_SIZE_MAX,
     .began_us = INT64_MAX / 2,
     .took_us = INT64_MAX},
};

enum { N_READS = sizeof(reads) / sizeof(reads[0]), N_RECORDS = 3 + N_READS + 2 };

static const char *const paths[] = {"p/m/a file \xff", ""};

/* A stream with all that there is in one. */
static int encode(struct buf *out)
{
    struct trace_coder coder = {0};
    int r = trace_put_start(&coder, 1234567, out);
    for (uint64_t i = 0; r == 0 && i < 2; i++)
        r = trace_put_file(&coder, i ? INT64_MAX : 0, paths[i], out);
    for (size_t i = 0; r == 0 && i < N_READS; i++)
        r = trace_put_read(&coder, &reads[i], out);
    if (r == 0)
        r = trace_put_lost(&coder, UINT64_MAX, out);
    if (r == 0)
        r = trace_put_end(&coder, out);
    trace_coder_deinit(&coder);
    return r;
}

static void check_read(const struct trace_read *got, const struct trace_read *want)
{
    CHECK_EQ(got->file, want->file);
    CHECK_EQ(got->source, want->source);
    CHECK_EQ(got->err, want->err);
    CHECK_EQ(got->off, want->off);
    CHECK_EQ(got->size, want->size);
    CHECK_EQ(got->got, want->got);
    CHECK_EQ(got->began_us, want->began_us);
    CHECK_EQ(got->took_us, want->took_us);
}

static void check_record(const struct trace_record *record, size_t i)
{
    if (i == 0) {
        CHECK_EQ(record->kind, TRACE_START);
        CHECK_EQ(record->started_us, 1234567);
    } else if (i < 3) {
        CHECK_EQ(record->kind, TRACE_FILE);
        CHECK_EQ(record->file.size_bytes, i == 1 ? 0 : INT64_MAX);
        CHECK_EQ(record->file.path_len, strlen(paths[i - 1]));
        CHECK(memcmp(record->file.path, paths[i - 1], record->file.path_len) == 0);
    } else if (i < 3 + N_READS) {
        CHECK_EQ(record->kind, TRACE_READ);
        check_read(&record->read, &reads[i - 3]);
    } else if (i == 3 + N_READS) {
        CHECK_EQ(record->kind, TRACE_LOST);
        CHECK_EQ(record->n_lost, UINT64_MAX);
    } else {
        CHECK_EQ(record->kind, TRACE_END);
    }
}

static void what_was_put_is_got(void)
{
    BUF_CLEANUP struct buf bytes = {0};
    struct trace_coder coder = {0};
    struct trace_record record;
    size_t at = 0, used, n = 0;
    CHECK_EQ(encode(&bytes), 0);
    for (; trace_get(&coder, bytes.data + at, bytes.len - at, &record, &used) == 1; n++) {
        check_record(&record, n);
        at += used;
    }
    CHECK_EQ(n, N_RECORDS);
    CHECK_EQ(at, bytes.len);
    trace_coder_deinit(&coder);
}

/* A byte at a time, and each time from memory that ends just there. */
static void a_record_may_come_in_parts(void)
{
    BUF_CLEANUP struct buf bytes = {0};
    struct trace_coder coder = {0};
    struct trace_record record;
    size_t at = 0, used, n = 0;
    CHECK_EQ(encode(&bytes), 0);
    for (size_t end = 0; end <= bytes.len; end++) {
        char *part = malloc(end - at + 1);
        memcpy(part, bytes.data + at, end - at);
        int r = trace_get(&coder, part, end - at, &record, &used);
        CHECK(r == 0 || r == 1);
        if (r == 1)
            check_record(&record, n++);
        at += used;
        free(part);
    }
    CHECK_EQ(n, N_RECORDS);
    trace_coder_deinit(&coder);
}

static void a_read_in_sequence_is_short(void)
{
    BUF_CLEANUP struct buf bytes = {0};
    struct trace_coder coder = {0};
    struct trace_read read = {.source = READ_CACHED, .size = 131072, .got = 131072, .took_us = 80};
    trace_put_start(&coder, 1, &bytes);
    trace_put_file(&coder, 1 << 30, "p/m/f", &bytes);
    size_t before = bytes.len;
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(trace_put_read(&coder, &read, &bytes), 0);
        read.off += read.size;
        read.began_us += 200;
    }
    CHECK(bytes.len - before <= 1000 * 6);
    trace_coder_deinit(&coder);
}

#define HEAD     TRACE_MAGIC "\x01"
#define FILE_0   "\0\x01\x01x"
#define BYTES_80 "\x80\x80\x80\x80\x80\x80\x80\x80\x80"

/* What all of some bytes are: what the last trace_get() said, after the records before it. */
static int decode(const char *data, size_t len, size_t *out_n)
{
    struct trace_coder coder = {0};
    struct trace_record record;
    size_t at = 0, used;
    char *copy = malloc(len + 1); /* to its last byte, for the address sanitizer */
    memcpy(copy, data, len);
    int r;
    *out_n = 0;
    while ((r = trace_get(&coder, copy + at, len - at, &record, &used)) == 1) {
        at += used;
        ++*out_n;
    }
    free(copy);
    trace_coder_deinit(&coder);
    return r;
}

#define CASE(text, r, n)                                                                           \
    {                                                                                              \
        text, sizeof(text) - 1, r, n                                                               \
    }

static void what_is_no_trace_is_refused(void)
{
    static const struct {
        const char *data;
        size_t len;
        int r;
        size_t n;
    } cases[] = {
        CASE("", 0, 0),
        CASE("m", 0, 0),
        CASE("n", -EPROTO, 0),
        CASE("modelfs trace 2\n\1", -EPROTO, 0),
        CASE(TRACE_MAGIC, 0, 0),
        CASE(HEAD, 0, 1),
        CASE(TRACE_MAGIC BYTES_80 "\1", -EPROTO, 0),     /* 2^63 us */
        CASE(TRACE_MAGIC BYTES_80 "\2", -EPROTO, 0),     /* does not fit in 64 bits */
        CASE(TRACE_MAGIC BYTES_80 "\x80\1", -EPROTO, 0), /* goes on for ever */
        CASE(HEAD FILE_0, 0, 2),
        CASE(HEAD "\0\1\5abc", 0, 1),          /* a path that is cut */
        CASE(HEAD "\0\1\3a\0b", -EPROTO, 1),   /* a NUL in a path */
        CASE(HEAD "\0\1\x81\x20", -EPROTO, 1), /* a path of 4097 bytes */
        CASE(HEAD "\x04\1\1x", -EPROTO, 1),    /* a flag where there is none */
        CASE(HEAD "\x25\0\1\0\0", -EPROTO, 1), /* a read of no file */
        CASE(HEAD FILE_0 "\x25\0\1\0\0", 0, 3),
        CASE(HEAD FILE_0 "\x25\0\1\0", 0, 2),           /* cut */
        CASE(HEAD FILE_0 "\x05\1\0\1\0\0", -EPROTO, 2), /* file 1 of 1 */
        CASE(HEAD FILE_0 "\x31\0\1\0\0", -EPROTO, 2),   /* source 4 */
        CASE(HEAD FILE_0 "\x25\1\1\0\0", -EPROTO, 2),   /* before the file's begin */
        CASE(HEAD FILE_0 "\x25\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1\1\0\0", -EPROTO, 2),
        CASE(HEAD FILE_0 "\x25\0\x81\x80\x80\x80\4\0\0", -EPROTO, 2), /* more than a read can be */
        CASE(HEAD FILE_0 "\xa5\0\1\0\0\2", -EPROTO, 2),         /* more came than was asked for */
        CASE(HEAD FILE_0 "\xa5\0\1\0\0\0\xff\x7f", -EPROTO, 2), /* no errno */
        CASE(HEAD FILE_0 "\xa5\0\1\0\0\0\5", 0, 3),
        CASE(HEAD "\2\7", 0, 2),
        CASE(HEAD "\3", 0, 2),
        CASE(HEAD "\3\3", -EPROTO, 2), /* behind the end */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n;
        int r = decode(cases[i].data, cases[i].len, &n);
        if (r != cases[i].r || n != cases[i].n)
            printf("# case %zu\n", i);
        CHECK_EQ(r, cases[i].r);
        CHECK_EQ(n, cases[i].n);
    }
}

static uint64_t random_state = 88172645463325252;

static uint64_t random_below(uint64_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % n;
}

static void files_are_at_most_so_many(void)
{
    BUF_CLEANUP struct buf bytes = {0};
    size_t n;
    CHECK_EQ(buf_append(&bytes, HEAD, sizeof(HEAD) - 1), 0);
    for (int i = 0; i < TRACE_FILES_MAX; i++)
        CHECK_EQ(buf_append(&bytes, FILE_0, sizeof(FILE_0) - 1), 0);
    CHECK_EQ(decode(bytes.data, bytes.len, &n), 0);
    CHECK_EQ(buf_append(&bytes, FILE_0, sizeof(FILE_0) - 1), 0);
    CHECK_EQ(decode(bytes.data, bytes.len, &n), -EPROTO);
    CHECK_EQ(n, 1 + TRACE_FILES_MAX);
}

/* Every promise of trace_get() holds for anybody's bytes; what a record says can be put again. */
static void check_hostile(const char *data, size_t len)
{
    struct trace_coder in = {0}, again = {0};
    BUF_CLEANUP struct buf out = {0};
    struct trace_record record;
    size_t at = 0, used;
    while (trace_get(&in, data + at, len - at, &record, &used) == 1) {
        at += used;
        CHECK(used > 0 && used <= TRACE_RECORD_MAX && at <= len);
        if (record.kind == TRACE_FILE) {
            char path[TRACE_PATH_MAX + 1] = "";
            memcpy(path, record.file.path, record.file.path_len);
            CHECK_EQ(trace_put_file(&again, record.file.size_bytes, path, &out), 0);
        } else if (record.kind == TRACE_READ) {
            const struct trace_read *read = &record.read;
            CHECK(read->file < in.n_files && read->got <= read->size);
            CHECK(read->off <= (uint64_t)INT64_MAX - read->size && read->source < READ_N_SOURCES);
            CHECK_EQ(trace_put_read(&again, read, &out), 0);
        }
    }
    trace_coder_deinit(&in);
    trace_coder_deinit(&again);
}

static void random_bytes_do_no_harm(void)
{
    for (int i = 0; i < 20000; i++) {
        char data[sizeof(HEAD FILE_0) + 200] = HEAD "\0\1\1x";
        size_t len = sizeof(HEAD FILE_0) - 1 + random_below(200);
        for (size_t k = sizeof(HEAD FILE_0) - 1; k < len; k++)
            data[k] = (char)(random_below(3) ? random_below(256) : 0x25 + random_below(2) * 0x40);
        check_hostile(data, len);
    }
}

static void a_damaged_trace_does_no_harm(void)
{
    BUF_CLEANUP struct buf bytes = {0};
    CHECK_EQ(encode(&bytes), 0);
    for (int i = 0; i < 20000; i++) {
        char data[1024];
        memcpy(data, bytes.data, bytes.len);
        for (uint64_t k = 0; k <= random_below(4); k++)
            data[random_below(bytes.len)] = (char)random_below(256);
        check_hostile(data, 1 + random_below(bytes.len));
    }
}

static void memory_may_be_short(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        BUF_CLEANUP struct buf bytes = {0};
        int r = encode(&bytes);
        CHECK_EQ(r, check_alloc_hit ? -ENOMEM : 0);
    }
    BUF_CLEANUP struct buf whole = {0};
    CHECK_EQ(encode(&whole), 0);
    FOR_EACH_ALLOC_FAILURE
    {
        struct trace_coder coder = {0};
        struct trace_record record;
        size_t at = 0, used, n = 0;
        int r;
        while ((r = trace_get(&coder, whole.data + at, whole.len - at, &record, &used)) != 0) {
            CHECK(r == 1 || (r == -ENOMEM && used == 0)); /* tried again, it goes on */
            if (r == -EPROTO)
                break;
            n += r == 1;
            at += used;
        }
        CHECK_EQ(n, N_RECORDS);
        trace_coder_deinit(&coder);
    }
}

int main(void)
{
    TEST("what was put is got", what_was_put_is_got);
    TEST("a record may come in parts", a_record_may_come_in_parts);
    TEST("a read in sequence is six bytes", a_read_in_sequence_is_short);
    TEST("what is no trace is refused", what_is_no_trace_is_refused);
    TEST("files are at most so many", files_are_at_most_so_many);
    TEST("random bytes do no harm", random_bytes_do_no_harm);
    TEST("a damaged trace does no harm", a_damaged_trace_does_no_harm);
    TEST("memory may be short at any moment", memory_may_be_short);
    return check_done();
}
