/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cache/audit.h"
#include "cache/page.h"

enum {
    N_REMEMBERED = 256,
    /* More free pages than a transaction takes: one by one, for the tables' pages, and in runs, for
     * a block and for what LMDB writes of the list itself. */
    ENOUGH_IDS = 8192,
    ENOUGH_RUNS = 8,
};

struct pages {
    struct page_file file; /* as pages_begin() found it */
    bool audited;
    uint64_t *used;               /* while the audit goes on, or where a fault left it */
    uint64_t sound[N_REMEMBERED]; /* pages that this transaction has looked at; 0: none */
};

/* As page_sound_at(). One block that is put asks for the same twenty pages some fifty times. */
static const uint8_t *sound_at(struct pages *pages, uint64_t number)
{
    uint64_t *slot = &pages->sound[number % N_REMEMBERED];
    if (*slot == number && number != 0)
        return page_at(&pages->file, number, 1);
    const uint8_t *page = page_sound_at(&pages->file, number);
    if (page)
        *slot = number;
    return page;
}

static int compare(const struct page_node *node, const void *key, size_t len)
{
    int order = memcmp(node->key, key, node->key_len < len ? node->key_len : len);
    return order ? order : (node->key_len > len) - (node->key_len < len);
}

/* Index of the last node whose key is at most @key; the first one's key counts as the least. */
static unsigned find_at_most(const uint8_t *page, const void *key, size_t len)
{
    unsigned low = 0, high = page_count(page);
    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;
        struct page_node node = page_node_at(page, middle);
        if (compare(&node, key, len) <= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static bool are_sound_neighbours(struct pages *pages, const uint8_t *branch, unsigned index)
{
    bool before = index == 0 || sound_at(pages, page_node_at(branch, index - 1).child);
    bool behind =
        index + 1 >= page_count(branch) || sound_at(pages, page_node_at(branch, index + 1).child);
    return before && behind;
}

/* The sound leaf that @key belongs to, all above it being sound as well; NULL: damaged. */
static const uint8_t *find_leaf(struct pages *pages, uint64_t root, const void *key, size_t len)
{
    uint64_t number = root;
    for (int depth = 0; depth < PAGE_MAX_DEPTH; depth++) {
        const uint8_t *page = sound_at(pages, number);
        if (!page || page_is_leaf(page))
            return page;
        unsigned index = find_at_most(page, key, len);
        if (!are_sound_neighbours(pages, page, index))
            return NULL;
        number = page_node_at(page, index).child;
    }
    return NULL;
}

/* Looks at the leaf that @key belongs to. *out_found: a node has this key. */
static bool check_key(struct pages *pages, uint64_t root, const void *key, size_t len,
                      struct page_node *out, bool *out_found)
{
    *out_found = false;
    if (root == NO_ROOT)
        return true;
    const uint8_t *leaf = find_leaf(pages, root, key, len);
    if (!leaf)
        return false;
    *out = page_node_at(leaf, find_at_most(leaf, key, len));
    *out_found = compare(out, key, len) == 0;
    return !*out_found || page_value_is_sound(&pages->file, out);
}

/* --- the list of free pages: records of page numbers, by transaction ---
 *
 * LMDB takes records from the oldest on, until they have what it needs, and puts what is left over,
 * and a record of its own, back: so only the beginning and the end of the list are touched. After a
 * large blob was dropped the list has millions of numbers, and all of them at each block would cost
 * many times what the block does. */

struct free_look {
    bool all;
    uint64_t n_ids, n_runs; /* seen so far */
};

static bool has_enough(const struct free_look *look)
{
    return !look->all && look->n_ids >= ENOUGH_IDS && look->n_runs >= ENOUGH_RUNS;
}

/* Page numbers stand from the last to the first: one that was changed is out of order, most
 * likely. */
static bool are_sound_ids(const struct page_file *file, const uint8_t *ids, uint64_t n,
                          struct free_look *look)
{
    uint64_t above = file->last_page + 1, run = 0;
    uint64_t run_pages = (PAGE_HEADER - 1 + PAGES_ENOUGH_BYTES) / file->page_bytes + 1;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t id = page_read_64(ids + 8 * i);
        if (id < 2 || id >= above)
            return false;
        run = id + 1 == above ? run + 1 : 1;
        look->n_runs += run % run_pages == 0;
        above = id;
    }
    look->n_ids += n;
    return true;
}

static bool is_sound_free_leaf(const struct page_file *file, const uint8_t *page,
                               struct free_look *look)
{
    for (unsigned i = 0; i < page_count(page) && !has_enough(look); i++) {
        struct page_node node = page_node_at(page, i);
        uint64_t n;
        const uint8_t *ids = page_ids(file, &node, &n);
        if (!ids || !are_sound_ids(file, ids, n, look))
            return false;
    }
    return true;
}

/* The way down to the last leaf, and the neighbours of what lies on it. */
static bool is_sound_end(const struct page_file *file, uint64_t number, int depth)
{
    const uint8_t *page = page_sound_at(file, number);
    if (!page || depth == PAGE_MAX_DEPTH || page_is_leaf(page))
        return page && page_is_leaf(page);
    unsigned n = page_count(page);
    if (n > 1 && !page_sound_at(file, page_node_at(page, n - 2).child))
        return false;
    return is_sound_end(file, page_node_at(page, n - 1).child, depth + 1);
}

static bool is_sound_free_tree(const struct page_file *file, uint64_t number, int depth,
                               struct free_look *look)
{
    const uint8_t *page = page_sound_at(file, number);
    if (!page || depth == PAGE_MAX_DEPTH)
        return false;
    if (page_is_leaf(page))
        return is_sound_free_leaf(file, page, look);
    unsigned i = 0, n = page_count(page);
    for (; i < n && !has_enough(look); i++)
        if (!is_sound_free_tree(file, page_node_at(page, i).child, depth + 1, look))
            return false;
    /* the neighbour of where it stopped */
    return i == n || page_sound_at(file, page_node_at(page, i).child);
}

static bool is_sound_free_table(const struct page_file *file, bool all)
{
    struct free_look look = {.all = all};
    uint64_t root = page_read_64(file->meta + META_FREE_TABLE + TABLE_ROOT);
    return root == NO_ROOT ||
           (is_sound_free_tree(file, root, 0, &look) && is_sound_end(file, root, 0));
}

/* --- the face --- */

int pages_open(int fd, uint64_t map_bytes, struct pages **out)
{
    struct pages *pages = calloc(1, sizeof(*pages));
    if (!pages)
        return -ENOMEM;
    void *map = mmap(NULL, map_bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        int r = -errno;
        free(pages);
        return r;
    }
    pages->file.map = map;
    pages->file.map_bytes = map_bytes;
    pages->file.page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
    *out = pages;
    return 0;
}

void pages_close(struct pages *pages)
{
    if (!pages)
        return;
    munmap((void *)pages->file.map, pages->file.map_bytes);
    free(pages->used);
    free(pages);
}

static const uint8_t *newest_meta(const struct page_file *file)
{
    const uint8_t *a = file->map + PAGE_HEADER, *b = a + file->page_bytes;
    return page_read_64(a + META_TXN) > page_read_64(b + META_TXN) ? a : b;
}

static bool audit(struct pages *pages, const struct page_file *file)
{
    free(pages->used);
    pages->used = calloc(file->map_bytes / file->page_bytes / 64 + 1, sizeof(*pages->used));
    bool sound = pages->used && audit_pages(file, pages->used);
    free(pages->used);
    pages->used = NULL;
    return sound;
}

/* The pages of a state stay as they are while a reader has it; its meta page does so until the next
 * commit but one, so it is copied. */
bool pages_audit(struct pages *pages, uint64_t txn_id)
{
    struct page_file file = pages->file;
    uint8_t meta[META_TXN + 8];
    memcpy(meta, file.map + (txn_id & 1) * file.page_bytes + PAGE_HEADER, sizeof(meta));
    if (page_read_64(meta + META_TXN) != txn_id)
        return false;
    file.meta = meta;
    file.last_page = page_read_64(meta + META_LAST_PAGE);
    pages->audited = pages->audited || audit(pages, &file);
    return pages->audited;
}

bool pages_begin(struct pages *pages)
{
    struct page_file *file = &pages->file;
    memset(pages->sound, 0, sizeof(pages->sound));
    file->meta = newest_meta(file);
    file->last_page = page_read_64(file->meta + META_LAST_PAGE);
    if (!is_sound_free_table(file, false))
        return false;
    if (!pages->audited)
        pages->audited = audit(pages, file);
    return pages->audited;
}

bool pages_all_free_are_sound(const struct pages *pages)
{
    return is_sound_free_table(&pages->file, true);
}

static uint64_t main_root(const struct page_file *file)
{
    return page_read_64(file->meta + META_MAIN_TABLE + TABLE_ROOT);
}

bool pages_table_is_sound(struct pages *pages, const char *name)
{
    struct page_node node;
    bool found;
    return check_key(pages, main_root(&pages->file), name, strlen(name), &node, &found);
}

bool pages_are_sound(struct pages *pages, const char *name, const void *key, size_t key_len)
{
    struct page_node node;
    bool found;
    if (!check_key(pages, main_root(&pages->file), name, strlen(name), &node, &found))
        return false;
    if (!found)
        return true; /* a table that is made in this transaction */
    if (!(node.flags & NODE_TABLE) || node.value_len != TABLE_BYTES)
        return false;
    return check_key(pages, page_read_64(node.value + TABLE_ROOT), key, key_len, &node, &found);
}
