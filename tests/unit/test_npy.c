/* SPDX-License-Identifier: Apache-2.0 */
#include "model/npy.h"

#include "parse_probe.h"

static void what_numpy_wrote_is_read(void)
{
    probe_corpus(npy_parse, CORPUS_DIR "/npy/plain.npy", 0, "plain F32 [2,3] 128+24/128\n", "null",
                 "null");
    probe_corpus(npy_parse, CORPUS_DIR "/npy/long.npy", 0, "long BOOL [2,3] 128+6/128\n", "null",
                 "null");
    probe_corpus(npy_parse, CORPUS_DIR "/npy/complex.npy", 0, "complex C128 [1,2,3] 128+96/128\n",
                 "null", "null");
    probe_corpus(npy_parse, CORPUS_DIR "/npy/python2.npy", 0, "python2 F32 [3] 80+12/80\n", "null",
                 "null");
    probe_corpus(npy_parse, CORPUS_DIR "/npy/utf8.npy", 0, "utf8 - [1] *+4\n", "null", "null");
}

static void put_header(struct buf *out, const char *text)
{
    uint16_t len = (uint16_t)strlen(text);
    int r = buf_append(out, "\x93NUMPY\1\0", 8);
    r |= buf_append(out, &len, 2);
    r |= buf_puts(out, text);
    CHECK_EQ(r, 0);
}

#define HEADER(descr, order, shape)                                                                \
    "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }"

static void headers_are_python(void)
{
    static const struct {
        const char *text, *tensors;
    } cases[] = {
        {HEADER("'<f4'", "False", "()"), "x F32 [] 65+4/65\n"},
        {HEADER("'<f4'", "False", "( 2 , 3 )"), "x F32 [2,3] 72+24/72\n"},
        {HEADER("\"<f4\"", "True", "(2,)"), "x F32 [2]F 66+8/66\n"},
        {HEADER("'>i2'", "False", "(3,)"), "x >I16 [3] 67+6/67\n"},
        {HEADER("'|b1'", "False", "(2,3,)"), "x BOOL [2,3] 69+6/69\n"},
        {HEADER("'=u8'", "False", "(0,)"), "x U64 [0] 67+0/67\n"},
        {HEADER("'f2'", "False", "(1,)"), "x F16 [1] 66+2/66\n"},
        {HEADER("'|O'", "False", "(2,)"), "x - [2] *+64\n"},
        {HEADER("'<U5'", "False", "(2,)"), "x - [2] *+64\n"},
        {HEADER("'<M8[ns]'", "False", "(2,)"), "x - [2] *+64\n"},
        {HEADER("'<c32'", "True", "(2,)"), "x - [2]F *+64\n"},
        {HEADER("'a very long type'", "True", "()"), "x - []F *+64\n"},
        {HEADER("[('a', '<f4'), ('b', '<i2', (2, 3))]", "False", "(2,)"), "x - [2] *+64\n"},
        {HEADER("('V', [('a]', '<f4')])", "False", "(2,)"), "x - [2] *+64\n"},
        {"{\"shape\":(1,2),'fortran_order':False,'descr':'<f4'}  \n", "x F32 [1,2] 64+8/64\n"},
    };
    static const char elements[64];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        PROBE_CLEANUP struct probe probe;
        BUF_CLEANUP struct buf file = {0};
        probe_init(&probe, "sub/x.npy");
        put_header(&file, cases[i].text);
        CHECK_EQ(buf_append(&file, elements, 64), 0);
        CHECK_EQ(probe_parse(&probe, npy_parse, &file), 0);
        probe_check(&probe, cases[i].tensors, "null", "null");
    }
}

static void other_headers_are_refused(void)
{
    static const char *const cases[] = {
        "",
        "{",
        "{}",
        "{,}",
        "[]",
        "{'descr': '<f4'}",
        "{'descr'}",
        "{'descr': '<f4",
        "{'descr': }",
        "{'descr': [}",
        HEADER("'<f4'", "False", "(1,)") "x",
        HEADER("'<f4'", "False", "(1,)") " }",
        HEADER("'<f4'", "False", "(1,), 'shape': (1,)"),
        HEADER("'<f4'", "False", "(1,), 'more': (1,)"),
        HEADER("'<f4'", "0", "(1,)"),
        HEADER("'<f4'", "False", "(1)"),
        HEADER("'<f4'", "False", "1"),
        HEADER("'<f4'", "False", "(-1,)"),
        HEADER("'<f4'", "False", "(1 2)"),
        HEADER("'<f4'", "False", "(,)"),
        HEADER("'<f4'", "False", "(1,"),
        HEADER("'<f4'", "False", "(1e3,)"),
        HEADER("'<f\\x34'", "False", "(1,)"),
        HEADER("[('a', '<f4'", "False", "(1,)"),
        HEADER("'<f4'", "False", "(18446744073709551616,)"),
        HEADER("'<f4'", "False", "(18446744073709551615,)"),
        HEADER("'<f4'", "False", "(4294967296,4294967296)"),
        HEADER("'|O'", "False", "(4294967296,4294967296)"),
        HEADER("'<f4'", "False",
               "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)"),
    };
    static const char elements[64];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        PROBE_CLEANUP struct probe probe;
        BUF_CLEANUP struct buf file = {0};
        probe_init(&probe, "x.npy");
        put_header(&file, cases[i]);
        CHECK_EQ(buf_append(&file, elements, 64), 0);
        int r = probe_parse(&probe, npy_parse, &file);
        if (r != -EBADMSG)
            printf("# %s\n", cases[i]);
        CHECK_EQ(r, -EBADMSG);
        probe_check(&probe, "", "null", "null");
    }
}

static void a_header_says_how_many_bytes_it_needs(void)
{
    BUF_CLEANUP struct buf file = {0};
    struct npy_header header;
    put_header(&file, HEADER("'<f4'", "False", "(1,)"));
    const uint8_t *data = (const uint8_t *)file.data;
    for (size_t len = 0; len < file.len; len++) {
        CHECK_EQ(npy_parse_header(data, len, &header), -EAGAIN);
        CHECK_EQ(header.n_bytes, len < 12 ? 12 : file.len);
    }
    CHECK_EQ(npy_parse_header(data, file.len, &header), 0);
    CHECK_EQ(header.n_bytes, file.len);
    CHECK_EQ(npy_parse_header((const uint8_t *)"\x93NUMPY\4\0\1\0\0\0", 12, &header), -EBADMSG);
    CHECK_EQ(npy_parse_header((const uint8_t *)"\x93NUMPY\0\0\1\0\0\0", 12, &header), -EBADMSG);
    CHECK_EQ(npy_parse_header((const uint8_t *)"\x93NUMPY\2\0\0\0\0\1", 12, &header), -EBADMSG);
    CHECK_EQ(npy_parse_header((const uint8_t *)"PK", 2, &header), -EBADMSG);
}

static void an_array_that_is_cut_off_is_noted(void)
{
    PROBE_CLEANUP struct probe probe;
    BUF_CLEANUP struct buf file = {0};
    probe_init(&probe, "a/x.npy");
    put_header(&file, HEADER("'<f4'", "False", "(5,)"));
    CHECK_EQ(buf_append(&file, "0123456789", 10), 0);
    CHECK_EQ(probe_parse(&probe, npy_parse, &file), 0);
    probe_check(&probe, "", "null", "[\"a/x.npy (77 of 87 bytes)\"]");
}

static const struct {
    const char *dtype;
    uint32_t n_dims;
    uint64_t shape[3], n_bytes;
    bool is_fortran, is_big_endian;
    const char *text;
} formatted[] = {
    {"F32", 2, {2, 3}, 24, 0, 0, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"},
    {"F32", 2, {2, 3}, 24, 1, 1, "{'descr': '>f4', 'fortran_order': True, 'shape': (2, 3), }"},
    {"F64", 0, {0}, 8, 0, 0, "{'descr': '<f8', 'fortran_order': False, 'shape': (), }"},
    {"I64", 1, {0}, 0, 0, 0, "{'descr': '<i8', 'fortran_order': False, 'shape': (0,), }"},
    {"BOOL", 1, {7}, 7, 0, 1, "{'descr': '|b1', 'fortran_order': False, 'shape': (7,), }"},
    {"C64", 1, {7}, 56, 0, 0, "{'descr': '<c8', 'fortran_order': False, 'shape': (7,), }"},
    {"BF16", 2, {2, 3}, 12, 0, 0, "{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3), }"},
    {"F8_E4M3", 2, {2, 3}, 6, 1, 0, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }"},
    {"Q4_K", 2, {2, 256}, 288, 1, 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (288,), }"},
    {"I4", 2, {2, 3}, 3, 0, 0, "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }"},
    {"F6_E2M3", 1, {8}, 6, 0, 0, "{'descr': '|u1', 'fortran_order': False, 'shape': (6,), }"},
};

/* Byte for byte: 118 bytes of text behind 10, so that the elements begin at 128. */
static void headers_are_written_as_numpy_reads_them(void)
{
    for (size_t i = 0; i < sizeof(formatted) / sizeof(formatted[0]); i++) {
        const struct tensor tensor = {.name = "x",
                                      .dtype = dtype_find(formatted[i].dtype),
                                      .shape = formatted[i].shape,
                                      .n_dims = formatted[i].n_dims,
                                      .n_bytes = formatted[i].n_bytes,
                                      .is_fortran = formatted[i].is_fortran,
                                      .is_big_endian = formatted[i].is_big_endian};
        BUF_CLEANUP struct buf out = {0}, want = {0};
        size_t rest = (128 - 10 - 1 - strlen(formatted[i].text)) % 64;
        CHECK_EQ(buf_append(&want, "\x93NUMPY\1", 8), 0);
        CHECK_EQ(buf_putc(&want, (char)(strlen(formatted[i].text) + rest + 1)), 0);
        CHECK_EQ(buf_putc(&want, 0), 0);
        CHECK_EQ(buf_printf(&want, "%s%*s\n", formatted[i].text, (int)rest, ""), 0);
        CHECK_EQ(npy_format_header(&tensor, &out), 0);
        CHECK_EQ(out.len, want.len);
        CHECK_EQ(out.len % 64, 0);
        CHECK(out.len == want.len && memcmp(out.data, want.data, out.len) == 0);
        CHECK_STR(out.data + 10, want.data + 10);
        CHECK_EQ(npy_header_bytes(&tensor), out.len);
    }
}

static void the_largest_header_fits(void)
{
    uint64_t shape[TENSOR_MAX_DIMS];
    struct tensor tensor = {.dtype = dtype_find("F32"), .shape = shape, .n_dims = TENSOR_MAX_DIMS};
    struct npy_header header;
    BUF_CLEANUP struct buf out = {0};
    for (size_t i = 0; i < TENSOR_MAX_DIMS; i++)
        shape[i] = UINT64_MAX;
    CHECK_EQ(npy_format_header(&tensor, &out), 0);
    CHECK_EQ(out.len, 768);
    CHECK_EQ(npy_parse_header((const uint8_t *)out.data, out.len, &header), 0);
    CHECK_EQ(header.n_dims, TENSOR_MAX_DIMS);
    CHECK(header.shape[31] == UINT64_MAX);
}

static void what_is_written_is_read_as_the_same(void)
{
    for (size_t i = 0; i < 6; i++) {
        const struct tensor tensor = {.dtype = dtype_find(formatted[i].dtype),
                                      .shape = formatted[i].shape,
                                      .n_dims = formatted[i].n_dims,
                                      .is_fortran = formatted[i].is_fortran};
        struct npy_header header;
        BUF_CLEANUP struct buf out = {0};
        CHECK_EQ(npy_format_header(&tensor, &out), 0);
        CHECK_EQ(npy_parse_header((const uint8_t *)out.data, out.len, &header), 0);
        CHECK(header.dtype == tensor.dtype && header.n_dims == tensor.n_dims);
        CHECK(header.is_fortran == tensor.is_fortran && !header.is_big_endian);
        CHECK(memcmp(header.shape, tensor.shape, tensor.n_dims * sizeof(uint64_t)) == 0);
    }
}

static void a_tensor_without_type_or_window_has_no_header(void)
{
    struct tensor tensor = {0};
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(npy_format_header(&tensor, &out), -EINVAL);
    CHECK_EQ(npy_header_bytes(&tensor), 0);
    tensor = (struct tensor){.dtype = dtype_find("F32"), .offset = TENSOR_SCATTERED};
    CHECK_EQ(npy_format_header(&tensor, &out), -EINVAL);
    CHECK_EQ(out.len, 0);
}

static void damage_is_survived(void)
{
    BUF_CLEANUP struct buf file = {0};
    probe_read(&file, CORPUS_DIR "/npy/plain.npy");
    probe_damage(npy_parse, &file);
}

static void no_memory_is_an_error(void)
{
    BUF_CLEANUP struct buf file = {0};
    probe_read(&file, CORPUS_DIR "/npy/plain.npy");
    FOR_EACH_ALLOC_FAILURE
    {
        PROBE_CLEANUP struct probe probe;
        BUF_CLEANUP struct buf out = {0};
        probe_init(&probe, "x");
        int r = probe_parse(&probe, npy_parse, &file);
        CHECK(r == 0 ? probe.contents.n_tensors == 1
                     : r == -ENOMEM && probe.contents.n_tensors == 0);
        if (r == 0)
            r = npy_format_header(&probe.contents.tensors[0], &out);
        CHECK(r == 0 ? out.len == 128 - 64 || out.len == 128 : r == -ENOMEM);
    }
}

int main(void)
{
    TEST("what NumPy wrote is read", what_numpy_wrote_is_read);
    TEST("headers are Python", headers_are_python);
    TEST("other headers are refused", other_headers_are_refused);
    TEST("a header says how many bytes it needs", a_header_says_how_many_bytes_it_needs);
    TEST("an array that is cut off is noted", an_array_that_is_cut_off_is_noted);
    TEST("headers are written as NumPy reads them", headers_are_written_as_numpy_reads_them);
    TEST("the largest header fits", the_largest_header_fits);
    TEST("what is written is read as the same", what_is_written_is_read_as_the_same);
    TEST("a tensor without type or window has no header",
         a_tensor_without_type_or_window_has_no_header);
    TEST("damage is survived", damage_is_survived);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
