/* SPDX-License-Identifier: Apache-2.0 */
#include "model/gguf.h"

#include "parse_probe.h"

/* Writes a header of version 3, the least byte first, as the machines are that tests run on. */
static void put(struct buf *out, uint64_t value, size_t n)
{
    CHECK_EQ(buf_append(out, &value, n), 0);
}

static void put_text(struct buf *out, const char *text)
{
    put(out, strlen(text), 8);
    CHECK_EQ(buf_puts(out, text), 0);
}

static void put_counts(struct buf *out, uint64_t n_tensors, uint64_t n_facts)
{
    CHECK_EQ(buf_puts(out, "GGUF"), 0);
    put(out, 3, 4);
    put(out, n_tensors, 8);
    put(out, n_facts, 8);
}

static void put_fact(struct buf *out, const char *key, uint32_t type, uint64_t bits, size_t n)
{
    put_text(out, key);
    put(out, type, 4);
    put(out, bits, n);
}

/* @width values in @height rows. */
static void put_tensor(struct buf *out, const char *name, uint64_t width, uint64_t height,
                       uint32_t type, uint64_t offset)
{
    put_text(out, name);
    put(out, 2, 4);
    put(out, width, 8);
    put(out, height, 8);
    put(out, type, 4);
    put(out, offset, 8);
}

#define FACTS                                                                                      \
    "{\"gguf\":{\"general.architecture\":\"llama\","                                               \
    "\"llama.attention.layer_norm_rms_epsilon\":1.0000000000000001e-5,"                            \
    "\"llama.block_count\":2,\"test.minus\":-5,\"tokenizer.ggml.add_bos_token\":true}}"

static void what_the_library_wrote_is_read(void)
{
    probe_corpus(gguf_parse, CORPUS_DIR "/gguf/v3.gguf", 0,
                 "w F32 [2,3] 448+24\nq Q8_0 [2,32] 480+68\n", FACTS, "null");
    probe_corpus(gguf_parse, CORPUS_DIR "/gguf/big.gguf", 0, "w >F32 [2,3] 416+24\n", FACTS,
                 "null");
    probe_corpus(gguf_parse, CORPUS_DIR "/gguf/v1.gguf", 0, "w F32 [2,3] 96+24\n",
                 "{\"gguf\":{\"general.name\":\"old\"}}", "null");
}

static void every_kind_of_value_is_told_as_it_is(void)
{
    static const struct {
        uint32_t type;
        uint64_t bits;
        size_t n;
        const char *json;
    } cases[] = {
        {0, 255, 1, "255"},
        {1, 255, 1, "-1"},
        {2, 65535, 2, "65535"},
        {3, 0x8000, 2, "-32768"},
        {4, UINT32_MAX, 4, "4294967295"},
        {5, UINT32_MAX, 4, "-1"},
        {6, 0x3dcccccd, 4, "0.10000000000000001"},
        {6, 0x7fc00000, 4, "\"NaN\""},
        {6, 0xff800000, 4, "\"-Infinity\""},
        {7, 0, 1, "false"},
        {7, 2, 1, "true"},
        {8, 0, 8, "\"\""},
        {10, INT64_MAX, 8, "9223372036854775807"},
        {10, UINT64_MAX, 8, "1.8446744073709552e19"},
        {11, UINT64_MAX, 8, "-1"},
        {12, UINT64_C(0x3ff8000000000000), 8, "1.5"},
        {12, UINT64_C(0x7ff0000000000000), 8, "\"Infinity\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        PROBE_CLEANUP struct probe probe;
        BUF_CLEANUP struct buf file = {0}, want = {0};
        probe_init(&probe, "x");
        put_counts(&file, 0, 1);
        put_fact(&file, "k", cases[i].type, cases[i].bits, cases[i].n);
        CHECK_EQ(probe_parse(&probe, gguf_parse, &file), 0);
        CHECK_EQ(buf_printf(&want, "{\"gguf\":{\"k\":%s}}", cases[i].json), 0);
        probe_check(&probe, "", want.data, "null");
    }
}

static void long_texts_and_arrays_are_passed_over(void)
{
    PROBE_CLEANUP struct probe probe;
    BUF_CLEANUP struct buf file = {0};
    static char text[1026];
    memset(text, 'x', 1025);
    probe_init(&probe, "x");
    put_counts(&file, 0, 5);
    put_text(&file, "template");
    put(&file, 8, 4);
    put_text(&file, text);
    put_fact(&file, "numbers", 9, 4, 4); /* three of four bytes */
    put(&file, 3, 8);
    CHECK_EQ(buf_append(&file, text, 12), 0);
    put_fact(&file, "lists", 9, 9, 4); /* one list of one text */
    put(&file, 1, 8);
    put(&file, 8, 4);
    put(&file, 1, 8);
    put_text(&file, "word");
    put_text(&file, "bad");
    put(&file, 8, 4);
    put_text(&file, "a\xff");
    put_text(&file, "\xff");
    put(&file, 7, 4);
    put(&file, 1, 1);
    CHECK_EQ(probe_parse(&probe, gguf_parse, &file), 0);
    probe_check(&probe, "", "{\"gguf\":{\"bad\":\"a\xef\xbf\xbd\",\"\xef\xbf\xbd\":true}}", "null");
}

/* The place of the data follows from the alignment. */
static void the_alignment_is_the_files_own(void)
{
    static const struct {
        uint64_t alignment;
        int result;
        const char *tensors;
    } cases[] = {
        {1, 0, "w F32 [1,2] 98+8\n"},
        {64, 0, "w F32 [1,2] 128+8\n"},
        {4096, 0, "w F32 [1,2] 4096+8\n"},
        {0, -EBADMSG, ""},
        {24, -EBADMSG, ""},
        {1 << 21, -EBADMSG, ""},
        {UINT32_MAX, -EBADMSG, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        PROBE_CLEANUP struct probe probe;
        BUF_CLEANUP struct buf file = {0};
        probe_init(&probe, "x");
        put_counts(&file, 1, 1);
        put_fact(&file, "general.alignment", 4, cases[i].alignment, 4);
        put_tensor(&file, "w", 2, 1, 0, 0);
        CHECK_EQ(probe_parse_sparse(&probe, gguf_parse, file.data, file.len, 8192),
                 cases[i].result);
        BUF_CLEANUP struct buf tensors = {0};
        probe_describe(&probe.contents, &tensors);
        CHECK_STR(tensors.data, cases[i].tensors);
    }
}

static void tensors_are_what_their_type_says(void)
{
    static const struct {
        uint64_t width, height, offset;
        uint32_t type;
        int result;
        const char *tensors, *missing;
    } cases[] = {
        {32, 2, 0, 2, 0, "w Q4_0 [2,32] 96+36\n", "null"},
        {256, 1, 32, 14, 0, "w Q6_K [1,256] 128+210\n", "null"},
        {3, 1, 0, 30, 0, "w BF16 [1,3] 96+6\n", "null"},
        {3, 1, 0, 4, 0, "w - [1,3] *+0\n", "null"},   /* a type that is gone */
        {3, 1, 0, 999, 0, "w - [1,3] *+0\n", "null"}, /* one to come */
        {0, 5, 0, 0, 0, "w F32 [5,0] 96+0\n", "null"},
        {16, 2, 0, 2, -EBADMSG, "", "null"}, /* a block that reaches over rows */
        {UINT64_MAX, 2, 0, 0, -EBADMSG, "", "null"},
        {UINT64_MAX / 4, 1, 0, 0, -EBADMSG, "", "null"},
        {1, 1, UINT64_MAX, 0, -EBADMSG, "", "null"},
        {1, 1, UINT64_MAX - 97, 0, -EBADMSG, "", "null"},
        {1024, 1, 32, 0, 0, "", "[\"x (4096 of 4224 bytes)\"]"},
        {1, 1, INT64_MAX, 0, 0, "", "[\"x (4096 of 9223372036854775907 bytes)\"]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        PROBE_CLEANUP struct probe probe;
        BUF_CLEANUP struct buf file = {0};
        probe_init(&probe, "x");
        put_counts(&file, 1, 0);
        put_tensor(&file, "w", cases[i].width, cases[i].height, cases[i].type, cases[i].offset);
        CHECK_EQ(probe_parse_sparse(&probe, gguf_parse, file.data, file.len, 4096),
                 cases[i].result);
        probe_check(&probe, cases[i].tensors, "null", cases[i].missing);
    }
}

/* Facts and tensors that cannot be, behind a header that counts one of each. */
static void what_makes_no_sense_is_refused(void)
{
    for (int i = 0; i < 12; i++) {
        PROBE_CLEANUP struct probe probe;
        BUF_CLEANUP struct buf file = {0};
        int r = -EBADMSG;
        probe_init(&probe, "x");
        put_counts(&file, i == 8 ? UINT64_MAX : i > 5, i == 9 ? UINT64_MAX : i < 6);
        switch (i) {
        case 0:
            put_fact(&file, "k", 13, 0, 8);
            break;
        case 1: /* a text that is longer than the file */
            put_fact(&file, "k", 8, UINT64_MAX, 8);
            break;
        case 2:
            put_fact(&file, "k", 9, 4, 4);
            put(&file, UINT64_MAX / 2, 8);
            break;
        case 3: /* texts without end */
            put_fact(&file, "k", 9, 8, 4);
            put(&file, UINT64_MAX, 8);
            break;
        case 4: /* lists of lists of lists */
            put_fact(&file, "k", 9, 9, 4);
            for (int depth = 0; depth < 8; depth++) {
                put(&file, 1, 8);
                put(&file, 9, 4);
            }
            put(&file, 0, 8);
            break;
        case 5:
            put_fact(&file, "general.alignment", 8, 0, 8);
            break;
        case 6: /* 33 dimensions */
            put_text(&file, "w");
            put(&file, 33, 4);
            break;
        case 7:
            put_tensor(&file, "", 1, 1, 0, 0);
            break;
        case 8:
            r = -EFBIG;
            break;
        case 9:
            put_fact(&file, "k", 7, 0, 1);
            break;
        case 10: /* the next version */
            file.data[4] = 4;
            break;
        case 11:
            file.data[0] = 'g';
            break;
        }
        if (i != 3 && i != 9) /* else the file's NULs are texts */
            CHECK_EQ(probe_parse_sparse(&probe, gguf_parse, file.data, file.len, 4096), r);
        CHECK_EQ(probe_parse(&probe, gguf_parse, &file), r);
        probe_check(&probe, "", "null", "null");
    }
}

/* How many round trips a vocabulary of so many bytes costs, in a large file. */
static int rounds_for(size_t n_bytes, bool is_texts)
{
    PROBE_CLEANUP struct probe probe;
    BUF_CLEANUP struct buf file = {0};
    probe_init(&probe, "x");
    put_counts(&file, 1, 1);
    put_fact(&file, "tokens", 9, is_texts ? 8 : 0, 4);
    put(&file, is_texts ? n_bytes / 16 : n_bytes, 8);
    if (is_texts) {
        for (size_t i = 0; i < n_bytes / 16; i++)
            put_text(&file, "12345678");
    } else {
        CHECK_EQ(buf_reserve(&file, n_bytes), 0);
        memset(file.data + file.len, 0, n_bytes);
        file.len += n_bytes;
    }
    put_tensor(&file, "w", 1 << 20, 1 << 10, 0, 0);
    CHECK_EQ(probe_parse_sparse(&probe, gguf_parse, file.data, file.len, UINT64_C(5) << 30), 0);
    CHECK_EQ(probe.contents.n_tensors, 1);
    return probe.n_rounds;
}

static void round_trips_are_few(void)
{
    CHECK_EQ(rounds_for(0, true), 1);
    CHECK_EQ(rounds_for(900 << 10, true), 1);
    CHECK_EQ(rounds_for(4000 << 10, true), 2);
    CHECK_EQ(rounds_for(15 << 20, true), 3);
    CHECK_EQ(rounds_for(100 << 20, true), 5);
    CHECK_EQ(rounds_for(100 << 20, false), 2); /* numbers are jumped over */
}

static void a_header_without_end_is_too_big(void)
{
    PROBE_CLEANUP struct probe probe;
    BUF_CLEANUP struct buf file = {0};
    probe_init(&probe, "x");
    put_counts(&file, 0, 1);
    put_fact(&file, "tokens", 9, 8, 4);
    put(&file, UINT64_MAX, 8);
    CHECK_EQ(probe_parse_sparse(&probe, gguf_parse, file.data, file.len, UINT64_C(1) << 40),
             -EFBIG);
    CHECK(probe.n_rounds < 8);
}

static void damage_is_survived(void)
{
    static const char *const paths[] = {CORPUS_DIR "/gguf/v3.gguf", CORPUS_DIR "/gguf/v1.gguf"};
    static const size_t lens[] = {548, 120}; /* without what the first is padded with */
    for (size_t i = 0; i < 2; i++) {
        BUF_CLEANUP struct buf file = {0};
        probe_read(&file, paths[i]);
        file.len = lens[i];
        probe_damage(gguf_parse, &file);
    }
}

static void no_memory_is_an_error(void)
{
    BUF_CLEANUP struct buf file = {0};
    probe_read(&file, CORPUS_DIR "/gguf/v3.gguf");
    FOR_EACH_ALLOC_FAILURE
    {
        PROBE_CLEANUP struct probe probe;
        probe_init(&probe, "x");
        int r = probe_parse(&probe, gguf_parse, &file);
        CHECK(r == 0 ? probe.contents.n_tensors == 2
                     : r == -ENOMEM && probe.contents.n_tensors == 0);
    }
}

int main(void)
{
    TEST("what the library wrote is read", what_the_library_wrote_is_read);
    TEST("every kind of value is told as it is", every_kind_of_value_is_told_as_it_is);
    TEST("long texts and arrays are passed over", long_texts_and_arrays_are_passed_over);
    TEST("the alignment is the file's own", the_alignment_is_the_files_own);
    TEST("tensors are what their type says", tensors_are_what_their_type_says);
    TEST("what makes no sense is refused", what_makes_no_sense_is_refused);
    TEST("round trips are few", round_trips_are_few);
    TEST("a header without end is too big", a_header_without_end_is_too_big);
    TEST("damage is survived", damage_is_survived);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
