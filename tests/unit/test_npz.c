/* SPDX-License-Identifier: Apache-2.0 */
#include "model/npz.h"

#include "model/npy.h"
#include "parse_probe.h"
#include "zip_build.h"

static void what_numpy_wrote_is_read(void)
{
    probe_corpus(npz_parse, CORPUS_DIR "/npz/arrays.npz", 0,
                 "w F32 [2,3] 183+24/128\nf F32 [2,3]F 390+24/128\nb >F64 [2,3] 597+48/128\n"
                 "s F32 [] 828+4/128\nr - [2] *+40\nt - [2] *+16\n",
                 "null", "null");
    probe_corpus(npz_parse, CORPUS_DIR "/npz/comment.npz", 0, "sub/w F32 [2,3] 187+24/128\n",
                 "null", "null");
    probe_corpus(npz_parse, CORPUS_DIR "/npz/prefix.npz", 0, "sub/w F32 [2,3] 197+24/128\n", "null",
                 "null");
    probe_corpus(npz_parse, CORPUS_DIR "/npz/packed.npz", 0, "w - [0] *+152\n", "null", "null");
}

/* A member `NAME.npy` of @n_bytes bytes, behind a header that says so. */
static void add_array(struct zip_build *zip, const char *name, uint64_t n_bytes)
{
    const struct tensor tensor = {.dtype = dtype_find("U8"), .shape = &n_bytes, .n_dims = 1};
    BUF_CLEANUP struct buf content = {0};
    CHECK_EQ(npy_format_header(&tensor, &content), 0);
    CHECK_EQ(buf_reserve(&content, n_bytes), 0);
    memset(content.data + content.len, 0, n_bytes);
    zip_add(zip, (struct zip_member){name, content.data, content.len + n_bytes, 0, 0, 20, 0, 0});
}

static void other_members_are_passed_over(void)
{
    ZIP_BUILD_CLEANUP struct zip_build zip = {0};
    PROBE_CLEANUP struct probe probe;
    probe_init(&probe, "x.npz");
    zip_add(&zip, (struct zip_member){"archive/data.pkl", "xyz", 3, 0, 0, 0, 0, 0});
    zip_add(&zip, (struct zip_member){".npy", "xyz", 3, 0, 0, 0, 0, 0});
    zip_add(&zip, (struct zip_member){"npy", "xyz", 3, 0, 0, 0, 0, 0});
    add_array(&zip, "a.npy.npy", 5);
    zip_finish(&zip);
    CHECK_EQ(probe_parse(&probe, npz_parse, &zip.out), 0);
    probe_check(&probe, "a.npy U8 [5] 309+5/128\n", "null", "null");
}

static void one_bad_member_spoils_all(void)
{
    static const char *const contents[] = {
        "",
        "\x93NUMPY",
        "\x93NUMPY\1\0\1\0{xx",
        "\x93NUMPY\1\0\xff\0{xx", /* longer than the member */
        "\x93NUMPY\1\0\x3a\0{'descr': '<f4', 'fortran_order': False, 'shape': (4,), } 0123",
    };
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        ZIP_BUILD_CLEANUP struct zip_build zip = {0};
        PROBE_CLEANUP struct probe probe;
        size_t len = i < 2 ? strlen(contents[i]) : i == 4 ? 10 + 58 + 4 : 13;
        probe_init(&probe, "x.npz");
        add_array(&zip, "a.npy", 5);
        zip_add(&zip, (struct zip_member){"b.npy", contents[i], len, 0, 0, 0, 0, 0});
        zip_finish(&zip);
        CHECK_EQ(probe_parse(&probe, npz_parse, &zip.out), -EBADMSG);
        probe_check(&probe, "", "null", "null");
    }
}

static int rounds_for(size_t n_arrays, uint64_t n_bytes)
{
    ZIP_BUILD_CLEANUP struct zip_build zip = {0};
    PROBE_CLEANUP struct probe probe;
    probe_init(&probe, "x.npz");
    for (size_t i = 0; i < n_arrays; i++)
        add_array(&zip, "a.npy", n_bytes);
    zip_finish(&zip);
    CHECK_EQ(probe_parse(&probe, npz_parse, &zip.out), 0);
    CHECK_EQ(probe.contents.n_tensors, n_arrays);
    return probe.n_rounds;
}

static void round_trips_are_few(void)
{
    CHECK_EQ(rounds_for(500, 100), 1);
    CHECK_EQ(rounds_for(100, 100 << 10), 10);
    CHECK_EQ(rounds_for(20, 2 << 20), 1 + 20);
}

static void damage_is_survived(void)
{
    static const char *const paths[] = {CORPUS_DIR "/npz/comment.npz",
                                        CORPUS_DIR "/npz/packed.npz"};
    for (size_t i = 0; i < 2; i++) {
        BUF_CLEANUP struct buf file = {0};
        probe_read(&file, paths[i]);
        probe_damage(npz_parse, &file);
    }
}

static void no_memory_is_an_error(void)
{
    BUF_CLEANUP struct buf file = {0};
    probe_read(&file, CORPUS_DIR "/npz/arrays.npz");
    FOR_EACH_ALLOC_FAILURE
    {
        PROBE_CLEANUP struct probe probe;
        probe_init(&probe, "x");
        int r = probe_parse(&probe, npz_parse, &file);
        CHECK(r == 0 ? probe.contents.n_tensors == 6
                     : r == -ENOMEM && probe.contents.n_tensors == 0);
    }
}

int main(void)
{
    TEST("what NumPy wrote is read", what_numpy_wrote_is_read);
    TEST("other members are passed over", other_members_are_passed_over);
    TEST("one bad member spoils all", one_bad_member_spoils_all);
    TEST("round trips are few", round_trips_are_few);
    TEST("damage is survived", damage_is_survived);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
