/* SPDX-License-Identifier: Apache-2.0 */
#include "model/safetensors.h"

#include "parse_probe.h"

/* A file with this header, and @n_bytes of tensors behind it. */
static void put_file(struct buf *out, const char *header, size_t n_bytes)
{
    uint64_t len = strlen(header);
    int r = buf_append(out, &len, sizeof(len)); /* tests run where the least byte comes first */
    r |= buf_puts(out, header);
    while (n_bytes--)
        r |= buf_putc(out, 'x');
    CHECK_EQ(r, 0);
}

static void what_the_library_wrote_is_read(void)
{
    probe_corpus(safetensors_parse, CORPUS_DIR "/safetensors/three.safetensors", 0,
                 "n I64 [] 208+8\nw F32 [2,3] 216+24\nb F16 [3] 240+6\n",
                 "{\"safetensors\":{\"format\":\"pt\"}}", "null");
    probe_corpus(safetensors_parse, CORPUS_DIR "/safetensors/empty.safetensors", 0, "", "null",
                 "null");
    probe_corpus(safetensors_parse, CORPUS_DIR "/safetensors/types.safetensors", 0,
                 "x BF16 [4] 115+8\nq - [2] *+1\n", "null", "null");
}

static void a_file_that_is_cut_off_is_noted_and_not_trusted(void)
{
    probe_corpus(safetensors_parse, CORPUS_DIR "/safetensors/cut.safetensors", 0, "", "null",
                 "[\"cut.safetensors (241 of 246 bytes)\"]");
    PROBE_CLEANUP struct probe probe;
    BUF_CLEANUP struct buf file = {0};
    probe_init(&probe, "a.safetensors");
    put_file(&file, "{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
    CHECK_EQ(probe_parse_sparse(&probe, safetensors_parse, file.data, 12, 12), 0);
    probe_check(&probe, "", "null", "[\"a.safetensors (12 of 61 bytes)\"]");
}

#define ENTRY(dtype, shape, offsets)                                                               \
    "{\"x\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void what_makes_no_sense_is_refused(void)
{
    static const char *const headers[] = {
        "",
        "[]",
        "{",
        "{}x",
        "{\"x\":1}",
        "{\"x\":{}}",
        "{,}",
        "{\"x\":{},}",
        ENTRY("1", "[1]", "[0,1]"),
        ENTRY("\"U8\"", "1", "[0,1]"),
        ENTRY("\"U8\"", "[-1]", "[0,1]"),
        ENTRY("\"U8\"", "[1.0]", "[0,1]"),
        ENTRY("\"U8\"", "[2]", "[0,1]"),
        ENTRY("\"U8\"", "[1]", "[1,0]"),
        ENTRY("\"U8\"", "[1]", "[-1,0]"),
        ENTRY("\"U8\"", "[1]", "[0,1,2]"),
        ENTRY("\"U8\"", "[1]", "[0]"),
        ENTRY("\"F32\"", "[9223372036854775807,9223372036854775807]", "[0,4]"),
        ENTRY("\"F32\"", "[4611686018427387904]", "[0,0]"),
        ENTRY("\"F4\"", "[1]", "[0,1]"),
        ENTRY("\"U8\"", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
              "[0,1]"),
        "{\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
        "{\"a\\u0000\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
        /* good, and then bad: nothing is left of the good one */
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"b\":2}",
        "{\"__metadata__\":{\"a\":\"b\"},\"b\":2}",
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        PROBE_CLEANUP struct probe probe;
        BUF_CLEANUP struct buf file = {0};
        probe_init(&probe, "x");
        put_file(&file, headers[i], 64);
        int r = probe_parse(&probe, safetensors_parse, &file);
        if (r != -EBADMSG)
            printf("# %s\n", headers[i]);
        CHECK_EQ(r, -EBADMSG);
        probe_check(&probe, "", "null", "null");
    }
}

static void what_is_odd_and_true_is_taken(void)
{
    static const struct {
        const char *header, *tensors, *metadata;
    } cases[] = {
        {" {} ", "", "null"},
        {ENTRY("\"f32\"", "[]", "[0,4]"), "x F32 [] 61+4\n", "null"},
        {ENTRY("\"F32\"", "[0,7]", "[64,64]"), "x F32 [0,7] 130+0\n", "null"},
        {ENTRY("\"F4\"", "[2,3]", "[0,3]"), "x F4 [2,3] 63+3\n", "null"},
        {ENTRY("\"no\"", "[9]", "[1,3]"), "x - [9] *+2\n", "null"},
        {"{\"__metadata__\":{\"a\":1,\"b\":\"{[\\\"\"}}", "",
         "{\"safetensors\":{\"b\":\"{[\\\"\"}}"},
        {"{\"__metadata__\":3}", "", "null"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        PROBE_CLEANUP struct probe probe;
        BUF_CLEANUP struct buf file = {0};
        probe_init(&probe, "x");
        put_file(&file, cases[i].header, 64);
        CHECK_EQ(probe_parse(&probe, safetensors_parse, &file), 0);
        probe_check(&probe, cases[i].tensors, cases[i].metadata, "null");
    }
}

static void a_length_that_cannot_be_is_refused(void)
{
    static const uint64_t lengths[] = {100000001, UINT64_MAX, UINT64_MAX - 7, INT64_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        PROBE_CLEANUP struct probe probe;
        probe_init(&probe, "x");
        int r = probe_parse_sparse(&probe, safetensors_parse, (const char *)&lengths[i], 8,
                                   UINT64_C(1) << 40);
        CHECK_EQ(r, -EBADMSG);
    }
}

/* Headers of @n_tensors, in a file that is large. */
static int rounds_for(int n_tensors)
{
    PROBE_CLEANUP struct probe probe;
    BUF_CLEANUP struct buf header = {0}, file = {0};
    probe_init(&probe, "x");
    int r = buf_puts(&header, "{");
    for (int i = 0; i < n_tensors; i++)
        r |= buf_printf(&header,
                        "%s\"model.layers.%d.mlp.down_proj.weight\":{\"dtype\":\"BF16\","
                        "\"shape\":[4096,14336],\"data_offsets\":[%lld,%lld]}",
                        i ? "," : "", i, i * 117440512LL, (i + 1) * 117440512LL);
    r |= buf_puts(&header, "}");
    CHECK_EQ(r, 0);
    put_file(&file, header.data, 0);
    r = probe_parse_sparse(&probe, safetensors_parse, file.data, file.len,
                           file.len + n_tensors * UINT64_C(117440512));
    CHECK_EQ(r, 0);
    CHECK_EQ(probe.contents.n_tensors, n_tensors);
    return probe.n_rounds;
}

static void a_common_header_takes_one_round_trip_and_any_two(void)
{
    CHECK_EQ(rounds_for(0), 1);
    CHECK_EQ(rounds_for(300), 1);
    CHECK_EQ(rounds_for(20000), 2);
}

static void damage_is_survived(void)
{
    BUF_CLEANUP struct buf file = {0};
    probe_read(&file, CORPUS_DIR "/safetensors/three.safetensors");
    probe_damage(safetensors_parse, &file);
}

static void no_memory_is_an_error(void)
{
    BUF_CLEANUP struct buf file = {0};
    probe_read(&file, CORPUS_DIR "/safetensors/three.safetensors");
    FOR_EACH_ALLOC_FAILURE
    {
        PROBE_CLEANUP struct probe probe;
        probe_init(&probe, "x");
        int r = probe_parse(&probe, safetensors_parse, &file);
        CHECK(r == 0 ? probe.contents.n_tensors == 3
                     : r == -ENOMEM && probe.contents.n_tensors == 0);
    }
    FOR_EACH_ALLOC_FAILURE
    {
        PROBE_CLEANUP struct probe probe;
        probe_init(&probe, "x");
        int r = probe_parse_sparse(&probe, safetensors_parse, file.data, 60, 60);
        CHECK(r == 0 ? json_array_size(probe.contents.missing) == 1 : r == -ENOMEM);
    }
}

int main(void)
{
    TEST("what the library wrote is read", what_the_library_wrote_is_read);
    TEST("a file that is cut off is noted and not trusted",
         a_file_that_is_cut_off_is_noted_and_not_trusted);
    TEST("what makes no sense is refused", what_makes_no_sense_is_refused);
    TEST("what is odd and true is taken", what_is_odd_and_true_is_taken);
    TEST("a length that cannot be is refused", a_length_that_cannot_be_is_refused);
    TEST("a common header takes one round trip, any two",
         a_common_header_takes_one_round_trip_and_any_two);
    TEST("damage is survived", damage_is_survived);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
