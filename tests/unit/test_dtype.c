/* SPDX-License-Identifier: Apache-2.0 */
#include "model/dtype.h"

#include "check.h"

static void types_have_names_in_any_letters(void)
{
    static const char *const names[] = {"F32", "f32", "bf16", "Q4_K", "q4_k", "F8_E4M3", "iq2_xxs"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        CHECK(dtype_find(names[i]));
    static const char *const others[] = {"", "F", "F321", "float32", "<f4"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        CHECK(!dtype_find(others[i]));
}

static void numpys_types_are_those_it_has(void)
{
    static const struct {
        const char *descr, *name;
    } cases[] = {
        {"f2", "F16"}, {"f4", "F32"},  {"f8", "F64"}, {"i1", "I8"},    {"i2", "I16"},
        {"i4", "I32"}, {"i8", "I64"},  {"u1", "U8"},  {"u2", "U16"},   {"u4", "U32"},
        {"u8", "U64"}, {"b1", "BOOL"}, {"c8", "C64"}, {"c16", "C128"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct dtype *found = dtype_find_numpy(cases[i].descr);
        CHECK(found);
        CHECK_STR(found ? found->name : NULL, cases[i].name);
    }
    static const char *const others[] = {"", "f", "f16", "<f4", "O", "V2", "F4"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        CHECK(!dtype_find_numpy(others[i]));
}

static void sizes_are_whole_blocks(void)
{
    static const struct {
        const char *name;
        uint64_t n, bytes;
        bool is_size;
    } cases[] = {
        {"F32", 0, 0, true},
        {"F32", 7, 28, true},
        {"C128", 1, 16, true},
        {"F4", 6, 3, true},
        {"F4", 5, 0, false},
        {"F6_E2M3", 8, 6, true},
        {"F6_E2M3", 6, 0, false},
        {"Q4_K", 512, 288, true},
        {"Q4_K", 500, 0, false},
        {"Q8_0", 64, 68, true},
        {"NVFP4", 128, 72, true},
        {"U8", UINT64_MAX, UINT64_MAX, true},
        {"U16", UINT64_MAX / 2, UINT64_MAX - 1, true},
        {"U16", UINT64_MAX / 2 + 1, 0, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t bytes = 0;
        bool is_size = dtype_size_bytes(dtype_find(cases[i].name), cases[i].n, &bytes);
        CHECK_EQ(is_size, cases[i].is_size);
        CHECK(!is_size || bytes == cases[i].bytes);
    }
}

/* NumPy's integer for a type that it lacks is as large as an element, or a byte. */
static void raw_types_are_integers_of_their_size(void)
{
    static const char *const names[] = {"BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F4",   "I4",
                                        "Q4_0", "Q6_K",    "MXFP4",   "IQ1_M",   "TQ1_0"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct dtype *dtype = dtype_find(names[i]);
        CHECK(dtype && dtype->is_raw && dtype->descr[0] == 'u');
        CHECK(dtype && dtype->descr[1] == (strcmp(names[i], "BF16") == 0 ? '2' : '1'));
    }
}

int main(void)
{
    TEST("types have names, in any letters", types_have_names_in_any_letters);
    TEST("NumPy's types are those it has", numpys_types_are_those_it_has);
    TEST("sizes are whole blocks", sizes_are_whole_blocks);
    TEST("raw types are integers of their size", raw_types_are_integers_of_their_size);
    return check_done();
}
