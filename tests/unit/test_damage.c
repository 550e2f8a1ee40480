/* SPDX-License-Identifier: Apache-2.0 */
/* Files that were damaged, cut or replaced: the cache misses, starts anew or does not open; it
 * never crashes, hangs or gives a wrong byte. `test_damage ROUNDS SEED` only flips bytes, for
 * longer. */
#include "cache/blocks.h"

#include "cache/meta.h"

#include "blocks_probe.h"

enum { N_BLOBS = 3, N_BLOCKS = 24, PAGE_BYTES = 4096 };

static char top[PATH_MAX], dir[2 * PATH_MAX];
static int n_dirs;
static unsigned n_rounds = PROBE_SLOW ? 60 : 200;
static uint64_t first_seed = 1;

static void fresh_dir(void)
{
    snprintf(dir, sizeof(dir), "%s/%d", top, n_dirs++);
}

/* --- bytes of blocks --- */

/* Flips a bit in each place of the file that holds the 16 bytes at @off of blob @blob. Returns how
 * many there were. */
static int flip_block(uint64_t blob, uint64_t off)
{
    const char *path = probe_path(dir, "v1/data.mdb");
    size_t size = (size_t)probe_size(path);
    uint64_t needle[2] = {probe_word(blob, off), probe_word(blob, off + 8)};
    char *bytes = malloc(size);
    int fd = open(path, O_RDWR), n = 0;
    CHECK_EQ(pread(fd, bytes, size, 0), size);
    for (char *at = bytes; (at = memmem(at, size - (size_t)(at - bytes), needle, 16)); at++) {
        char flipped = (char)(*at ^ 0x40);
        CHECK_EQ(pwrite(fd, &flipped, 1, at - bytes), 1);
        n++;
    }
    close(fd);
    free(bytes);
    return n;
}

static int n_reports;

static void count_report(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
    n_reports++;
}

static void a_flipped_bit_is_a_miss_and_is_mended(void)
{
    struct blocks *blocks;
    fresh_dir();
    struct blocks_options options = {.dir = dir, .limit_bytes = 64 * MIB, .report = count_report};
    CHECK_EQ(blocks_open(&options, &blocks), 0);
    for (uint32_t i = 0; i < 3; i++)
        CHECK(probe_offer_whole(blocks, 1, i));
    blocks_close(blocks);
    CHECK_EQ(flip_block(1, BLOCK_BYTES + 3 * PIECE_BYTES + 1000), 1);
    CHECK_EQ(flip_block(1, 2 * BLOCK_BYTES), 1);
    n_reports = 0;
    CHECK_EQ(blocks_open(&options, &blocks), 0);
    CHECK_EQ(probe_view_block(blocks, 1, 0), BLOCK_BYTES);
    CHECK_EQ(probe_view_block(blocks, 1, 1), 3 * PIECE_BYTES);
    CHECK_EQ(probe_view_block(blocks, 1, 2), 0);
    blocks_flush(blocks);
    CHECK_EQ(probe_view_block(blocks, 1, 1), 0); /* a damaged block goes as a whole */
    CHECK_EQ(probe_stats(blocks).damaged, 2);
    CHECK_EQ(probe_stats(blocks).n_blocks, 1);
    CHECK_EQ(n_reports, 1); /* one incident */
    for (uint32_t i = 1; i < 3; i++)
        CHECK(probe_offer_whole(blocks, 1, i));
    blocks_close(blocks);
    blocks = probe_open(dir, 64 * MIB);
    CHECK_EQ(probe_view(blocks, 1, 0, 3 * BLOCK_BYTES), 3 * BLOCK_BYTES);
    CHECK_EQ(probe_stats(blocks).damaged, 0);
    blocks_close(blocks);
}

/* A damaged piece that is merged with new ones is still known as damaged. */
static void damage_survives_a_merge_as_damage(void)
{
    fresh_dir();
    struct blocks *blocks = probe_open(dir, 64 * MIB);
    CHECK(probe_offer(blocks, 1, 0, BLOCK_BYTES, 0x0003));
    blocks_close(blocks);
    CHECK_EQ(flip_block(1, PIECE_BYTES + 64), 1);
    blocks = probe_open(dir, 64 * MIB);
    CHECK(probe_offer(blocks, 1, 0, BLOCK_BYTES, 0x000c));
    blocks_flush(blocks);
    CHECK_EQ(probe_view_block(blocks, 1, 0), PIECE_BYTES);
    blocks_flush(blocks);
    CHECK_EQ(probe_view(blocks, 1, 2 * PIECE_BYTES, 10), 0);
    blocks_close(blocks);
}

/* --- files --- */

static void make_cache(void)
{
    struct blocks *blocks = probe_open(dir, 32 * MIB);
    for (uint32_t i = 0; i < 10; i++)
        CHECK(probe_offer_whole(blocks, 1, i));
    meta_put(blocks_meta(blocks), "k", "v", 1);
    blocks_close(blocks);
}

/* What a process does with a cache of which it knows nothing. 0: no wrong byte. */
static int use_cache(void *ctx)
{
    (void)ctx;
    struct blocks *blocks = probe_open(dir, 32 * MIB);
    if (!blocks)
        return 2;
    for (uint32_t i = 0; i < 10; i++)
        if (probe_view_block(blocks, 1, i) < 0)
            return 3;
    for (uint32_t i = 0; i < 40; i++)
        if (!probe_offer_whole(blocks, 2, i) && !probe_stats(blocks).failed)
            return 4;
    blocks_flush(blocks);
    blocks_close(blocks);
    return 0;
}

static int see_that_it_works(void *ctx)
{
    (void)ctx;
    struct blocks *blocks = probe_open(dir, 32 * MIB);
    CHECK(blocks);
    CHECK(probe_offer_whole(blocks, 3, 0));
    blocks_flush(blocks);
    CHECK(!probe_stats(blocks).failed);
    CHECK_EQ(probe_stats(blocks).written, 1);
    CHECK_EQ(probe_view_block(blocks, 3, 0), BLOCK_BYTES);
    blocks_close(blocks);
    return 0;
}

static void write_file(const char *name, const void *bytes, size_t len)
{
    int fd = open(probe_path(dir, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK_EQ(write(fd, bytes, len), len);
    close(fd);
}

static void files_of_noise_are_made_anew(void)
{
    static uint8_t noise[1 << 20];
    static const size_t sizes[] = {0, 1, 100, 4096, 8192, 12288, 100000, 1 << 20};
    uint64_t seed = 3;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)probe_random(&seed);
    for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        fresh_dir();
        make_cache();
        write_file(i % 2 ? "v1/lock.mdb" : "v1/data.mdb", noise, sizes[i / 2]);
        CHECK_EQ(probe_run(use_cache, NULL, 60), 0);
        CHECK_EQ(probe_run(see_that_it_works, NULL, 60), 0);
    }
}

static void a_cut_data_file_is_made_anew(void)
{
    static const int64_t cuts[] = {4096, 8192, 12288, 5 << 20, -4096, -1, -100000};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        fresh_dir();
        make_cache();
        const char *path = probe_path(dir, "v1/data.mdb");
        CHECK_EQ(truncate(path, cuts[i] < 0 ? probe_size(path) + cuts[i] : cuts[i]), 0);
        CHECK_EQ(probe_run(use_cache, NULL, 60), 0);
        if (probe_run(see_that_it_works, NULL, 60) != 0) /* found in use: anew the next time */
            CHECK_EQ(probe_run(see_that_it_works, NULL, 60), 0);
    }
}

/* The file gets shorter under a process that has it open. */
static int use_while_it_is_cut(void *ctx)
{
    (void)ctx;
    struct blocks *blocks = probe_open(dir, 32 * MIB);
    CHECK_EQ(probe_view_block(blocks, 1, 0), BLOCK_BYTES);
    CHECK_EQ(truncate(probe_path(dir, "v1/data.mdb"), 16384), 0);
    for (uint32_t i = 1; i < 10; i++)
        CHECK(probe_view_block(blocks, 1, i) >= 0);
    for (uint32_t i = 0; i < 10; i++) {
        probe_offer_whole(blocks, 2, i);
        blocks_flush(blocks);
        CHECK(probe_view_block(blocks, 2, i) >= 0);
    }
    blocks_close(blocks);
    return 0;
}

static void a_file_that_is_cut_in_use_does_not_crash(void)
{
    fresh_dir();
    make_cache();
    CHECK_EQ(probe_run(use_while_it_is_cut, NULL, 60), 0);
    if (probe_run(see_that_it_works, NULL, 60) != 0)
        CHECK_EQ(probe_run(see_that_it_works, NULL, 60), 0);
}

static int gone[2]; /* a pipe: closed at its end when the files are gone */

static int see_that_it_works_when_they_are_gone(void *ctx)
{
    char c;
    close(gone[1]);
    CHECK_EQ(read(gone[0], &c, 1), 0);
    return see_that_it_works(ctx);
}

static void files_that_vanish_in_use_do_not_matter(void)
{
    fresh_dir();
    make_cache();
    CHECK_EQ(pipe(gone), 0);
    pid_t other = probe_start(see_that_it_works_when_they_are_gone, NULL, 60);
    struct blocks *blocks = probe_open(dir, 32 * MIB);
    CHECK_EQ(unlink(probe_path(dir, "v1/data.mdb")), 0);
    CHECK_EQ(unlink(probe_path(dir, "v1/lock.mdb")), 0);
    close(gone[0]);
    close(gone[1]);
    CHECK_EQ(probe_wait(other), 0); /* another process has new ones */
    CHECK_EQ(probe_view_block(blocks, 1, 0), BLOCK_BYTES);
    CHECK(probe_offer_whole(blocks, 1, 11));
    blocks_flush(blocks);
    CHECK_EQ(probe_view_block(blocks, 1, 11), BLOCK_BYTES);
    blocks_close(blocks);
}

static void a_foreign_or_open_directory_is_refused(void)
{
    struct blocks *blocks = NULL;
    fresh_dir();
    struct blocks_options options = {.dir = dir, .limit_bytes = 16 * MIB};
    CHECK_EQ(mkdir(dir, 0700), 0);
    CHECK_EQ(chmod(dir, 0777), 0);
    CHECK_EQ(blocks_open(&options, &blocks), -EPERM);
    CHECK_EQ(chmod(dir, 0700), 0);
    if (geteuid() == 0) {
        CHECK_EQ(chown(dir, 12345, 12345), 0);
        CHECK_EQ(blocks_open(&options, &blocks), -EPERM);
        CHECK_EQ(chown(dir, 0, 0), 0);
    } else {
        CHECK_EQ(chmod(dir, 0500), 0);
        CHECK_EQ(blocks_open(&options, &blocks), -EACCES);
        CHECK_EQ(chmod(dir, 0700), 0);
    }
    make_cache();
    CHECK_EQ(chmod(probe_path(dir, "v1"), 0770), 0);
    CHECK_EQ(blocks_open(&options, &blocks), -EPERM);
}

/* --- bytes anywhere --- */

struct image {
    uint8_t *bytes;
    size_t size;
    uint32_t *structure; /* pages that are not values */
    uint32_t n_structure;
};

/* Pages that have been freed, blocks in parts, a pin: something of everything. */
static void make_varied_cache(void)
{
    struct blocks *blocks = probe_open(dir, 8 * MIB);
    uint64_t seed = 21;
    char key[16];
    for (uint32_t i = 0; i < 60; i++) {
        uint16_t present = (uint16_t)(probe_random(&seed) & probe_random(&seed));
        probe_offer(blocks, i % N_BLOBS, i % N_BLOCKS, BLOCK_BYTES, present | 1);
        blocks_flush(blocks);
        snprintf(key, sizeof(key), "key %u", i);
        meta_put(blocks_meta(blocks), key, key, sizeof(key));
    }
    struct blob_id id = probe_blob(0);
    CHECK_EQ(blocks_pin(blocks, &id, true), 0);
    blocks_close(blocks);
}

static void read_image(struct image *image)
{
    const char *path = probe_path(dir, "v1/data.mdb");
    int64_t size = probe_size(path);
    if (size < (int64_t)MIB)
        abort();
    image->size = (size_t)size;
    image->bytes = malloc(image->size);
    image->structure = malloc(image->size / PAGE_BYTES * sizeof(uint32_t));
    image->n_structure = 0;
    int fd = open(path, O_RDONLY);
    CHECK_EQ(pread(fd, image->bytes, image->size, 0), image->size);
    close(fd);
    for (uint32_t page = 0; page < image->size / PAGE_BYTES;) {
        const uint8_t *at = image->bytes + (size_t)page * PAGE_BYTES;
        uint32_t n = 1;
        if (at[10] & 4) /* the first of n pages with one value */
            memcpy(&n, at + 12, sizeof(n));
        image->structure[image->n_structure++] = page;
        page += n ? n : 1;
    }
}

static void image_deinit(struct image *image)
{
    free(image->bytes);
    free(image->structure);
}

/* One to eight changes, most of them where the structure is. */
static void damage(uint8_t *bytes, const struct image *image, uint64_t seed)
{
    static const uint64_t words[] = {0, 1, 0xffff, UINT32_MAX, UINT64_MAX, INT64_MAX, 4096, 16};
    for (uint64_t n = probe_random(&seed) % 8 + 1; n > 0; n--) {
        size_t off = probe_random(&seed) % (image->size - 8);
        uint64_t page = image->structure[probe_random(&seed) % image->n_structure];
        uint64_t how = probe_random(&seed), word = probe_random(&seed);
        if (how % 8)
            off = page * PAGE_BYTES + probe_random(&seed) % (how % 3 ? PAGE_BYTES - 8 : 64);
        if (how >> 8 & 1)
            bytes[off] ^= (uint8_t)(1u << word % 8);
        else if (how >> 9 & 1)
            bytes[off] = (uint8_t)word;
        else if (how >> 10 & 1)
            memcpy(bytes + (off & ~(size_t)7), &words[word % 8], 8);
        else if (how >> 11 & 1)
            memcpy(bytes + (off & ~(size_t)1), &word, 2);
        else if (how >> 12 & 1)
            memset(bytes + page * PAGE_BYTES, 0, PAGE_BYTES);
        else
            memcpy(bytes + page * PAGE_BYTES,
                   bytes + PAGE_BYTES * (size_t)image->structure[word % image->n_structure],
                   PAGE_BYTES);
    }
}

/* All that a mount does, in a process of its own. 0: no byte was wrong. */
static int use_everything(void *ctx)
{
    (void)ctx;
    struct blocks *blocks = probe_open(dir, 8 * MIB);
    if (!blocks)
        return 0; /* an errno, which is fine */
    for (uint64_t n = 0; n < N_BLOBS; n++) {
        struct blob_id id = probe_blob(n);
        for (uint32_t i = 0; i < N_BLOCKS; i++)
            for (unsigned piece = 0; piece < BLOCK_PIECES; piece += 3)
                if (probe_view(blocks, n, i * BLOCK_BYTES + piece * PIECE_BYTES, PIECE_BYTES) < 0)
                    return 3;
        blocks_present_bytes(blocks, &id, MIB);
    }
    for (uint32_t i = 0; i < 8; i++) {
        char key[16];
        void *value = NULL;
        size_t len;
        snprintf(key, sizeof(key), "key %u", i * 6);
        if (meta_get(blocks_meta(blocks), key, &value, &len, NULL) == 0 &&
            (len != sizeof(key) || strcmp(value, key) != 0))
            return 4;
        free(value);
        meta_put(blocks_meta(blocks), key, key, sizeof(key));
        probe_offer(blocks, i % N_BLOBS, i * 2, BLOCK_BYTES, i % 2 ? ALL_PIECES : 0x0f0f);
        if (probe_view_block(blocks, i % N_BLOBS, i * 2) < 0)
            return 5;
    }
    struct blob_id id = probe_blob(1);
    blocks_drop(blocks, &id);
    blocks_pin(blocks, &id, true);
    for (uint32_t i = 0; i < 4; i++) {
        probe_offer_whole(blocks, 2, i);
        blocks_flush(blocks);
        if (probe_view_block(blocks, 2, i) < 0)
            return 6;
    }
    struct blocks_stats stats;
    blocks_get_stats(blocks, &stats);
    blocks_close(blocks);
    return probe_data_bytes(dir) <= (int64_t)(8 * MIB) ? 0 : 7;
}

/* Puts @bytes in a fresh directory and uses them; now and then twice, as the next mount would. */
static void use_image(const uint8_t *bytes, size_t size, uint64_t seed)
{
    probe_dir_remove(dir);
    CHECK_EQ(mkdir(dir, 0700), 0);
    CHECK_EQ(mkdir(probe_path(dir, "v1"), 0700), 0);
    write_file("v1/data.mdb", bytes, size);
    int r = probe_run(use_everything, NULL, 30);
    if (r == 0 && seed % 3 == 0)
        r = probe_run(use_everything, NULL, 30);
    if (r != 0)
        printf("# seed %llu: %s %d\n", (unsigned long long)seed, r < 0 ? "signal" : "exit",
               r < 0 ? -r : r);
    CHECK_EQ(r, 0);
}

/* Both meta pages say the same wrong thing, in each of their fields in turn. */
static void no_field_of_the_head_is_believed(void)
{
    enum { FIRST = 16, END = 16 + 24 + 96 + 16, STEP = PROBE_SLOW ? 6 : 2 };
    static const uint16_t wrong[] = {0xffff, 40};
    struct image image;
    fresh_dir();
    make_varied_cache();
    read_image(&image);
    for (size_t off = FIRST; off < END; off += STEP)
        for (size_t i = 0; i < 2; i++) {
            uint8_t *bytes = malloc(image.size);
            memcpy(bytes, image.bytes, image.size);
            memcpy(bytes + off, &wrong[i], 2);
            memcpy(bytes + PAGE_BYTES + off, &wrong[i], 2);
            use_image(bytes, image.size, off * 2 + i);
            free(bytes);
        }
    image_deinit(&image);
}

static void bytes_flipped_anywhere_crash_nothing_and_are_never_believed(void)
{
    struct image image;
    fresh_dir();
    make_varied_cache();
    read_image(&image);
    uint8_t *bytes = malloc(image.size);
    CHECK(image.n_structure > 10);
    for (unsigned i = 0; i < n_rounds; i++) {
        memcpy(bytes, image.bytes, image.size);
        damage(bytes, &image, first_seed + i);
        use_image(bytes, image.size, first_seed + i);
    }
    free(bytes);
    image_deinit(&image);
}

int main(int argc, char **argv)
{
    probe_dir_make(top);
    if (argc > 1)
        n_rounds = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    if (argc == 1) {
        TEST("a flipped bit is a miss, and is mended", a_flipped_bit_is_a_miss_and_is_mended);
        TEST("damage survives a merge as damage", damage_survives_a_merge_as_damage);
        TEST("files of noise are made anew", files_of_noise_are_made_anew);
        TEST("a cut data file is made anew", a_cut_data_file_is_made_anew);
        TEST("a file that is cut in use does not crash", a_file_that_is_cut_in_use_does_not_crash);
        TEST("files that vanish in use do not matter", files_that_vanish_in_use_do_not_matter);
        TEST("a foreign or open directory is refused", a_foreign_or_open_directory_is_refused);
        TEST("no field of the head is believed", no_field_of_the_head_is_believed);
    }
    TEST("bytes flipped anywhere crash nothing and are never believed",
         bytes_flipped_anywhere_crash_nothing_and_are_never_believed);
    probe_dir_remove(top);
    return check_done();
}
