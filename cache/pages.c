/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PAGE_HEADER =
        16,          /* number 8, pad 2, flags 2, lower 2, upper 2 (or count of overflow pages 4) */
    NODE_HEADER = 8, /* low 2, high 2, flags 2, key's length 2 */
    KIND_BRANCH = 1,
    KIND_LEAF = 2,
    KIND_OVERFLOW = 4,
    KIND_MASK =
        0x2f | 0x40,  /* with meta, leaves of fixed size and sub-pages, which we have none of */
    NODE_BIG = 1,     /* the value lies on overflow pages */
    NODE_TABLE = 2,   /* the value is a table's record */
    TABLE_BYTES = 48, /* pad 4, flags 2, depth 2, counts 4 x 8, root 8 */
    TABLE_FLAGS = 4,
    TABLE_DEPTH = 6,
    TABLE_ROOT = 40,
    FREE_TABLE_FLAGS = 8, /* keys are integers */
    META_TABLES = 24,     /* behind magic 4, version 4, address 8, map size 8 */
    META_LAST_PAGE = META_TABLES + 2 * TABLE_BYTES,
    META_TXN = META_LAST_PAGE + 8,
    MAX_DEPTH = 32,
    MAX_PAGE_BYTES = 65536,
    MAX_IDS_LOOKED_AT = 1 << 16, /* of one record */
};

#define NO_ROOT UINT64_MAX

struct pages {
    const uint8_t *map;
    uint64_t map_bytes;
    uint32_t page_bytes;
    /* the state that pages_begin() found */
    const uint8_t *meta;
    uint64_t last_page;
};

struct tree {
    uint64_t root;  /* a page, or NO_ROOT */
    unsigned depth; /* levels; LMDB shifts as many in an array of MAX_DEPTH */
};

struct node {
    uint64_t child; /* of a branch: a page */
    const uint8_t *key, *value;
    size_t key_len;
    uint32_t value_len;
    unsigned flags; /* of a leaf */
};

static uint16_t read_16(const uint8_t *at)
{
    uint16_t n;
    memcpy(&n, at, sizeof(n));
    return n;
}

static uint32_t read_32(const uint8_t *at)
{
    uint32_t n;
    memcpy(&n, at, sizeof(n));
    return n;
}

static uint64_t read_64(const uint8_t *at)
{
    uint64_t n;
    memcpy(&n, at, sizeof(n));
    return n;
}

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
    pages->map = map;
    pages->map_bytes = map_bytes;
    pages->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
    *out = pages;
    return 0;
}

void pages_close(struct pages *pages)
{
    if (!pages)
        return;
    munmap((void *)pages->map, pages->map_bytes);
    free(pages);
}

/* NULL when @n pages at @page are not all inside of the file. */
static const uint8_t *page_at(const struct pages *pages, uint64_t page, uint64_t n)
{
    uint64_t limit = pages->map_bytes / pages->page_bytes;
    if (page < 2 || page > pages->last_page || n > pages->last_page - page + 1 || page + n > limit)
        return NULL;
    return pages->map + page * pages->page_bytes;
}

static unsigned kind_of(const uint8_t *page)
{
    return read_16(page + 10) & KIND_MASK;
}

static unsigned count_of(const uint8_t *page)
{
    return (read_16(page + 12) - PAGE_HEADER) / 2u;
}

static struct node node_at(const uint8_t *page, unsigned index)
{
    const uint8_t *at = page + read_16(page + PAGE_HEADER + 2 * index);
    uint32_t low = read_32(at);
    struct node node = {
        .child = low | (uint64_t)read_16(at + 4) << 32,
        .key = at + NODE_HEADER,
        .key_len = read_16(at + 6),
        .value_len = low,
        .flags = read_16(at + 4),
    };
    node.value = node.key + node.key_len;
    return node;
}

/* Bytes that a node takes in its page. */
static uint64_t node_bytes(const uint8_t *page, const struct node *node)
{
    uint64_t value = kind_of(page) == KIND_BRANCH ? 0
                     : node->flags & NODE_BIG     ? 8
                                                  : node->value_len;
    return (NODE_HEADER + node->key_len + value + 1) & ~UINT64_C(1);
}

/* Whether node @index lies between @upper and the page's end, and on no other: @taken has a bit for
 * every two bytes of the page. */
static bool place_node(const struct pages *pages, const uint8_t *page, unsigned index,
                       uint8_t *taken)
{
    uint32_t from = read_16(page + PAGE_HEADER + 2 * index), upper = read_16(page + 14);
    if (from < upper || from % 2 || from + NODE_HEADER > pages->page_bytes)
        return false;
    struct node node = node_at(page, index);
    uint64_t bytes = node_bytes(page, &node);
    if (bytes > pages->page_bytes - from)
        return false;
    for (uint64_t i = from / 2; i < (from + bytes) / 2; i++) {
        if (taken[i / 8] >> (i % 8) & 1)
            return false;
        taken[i / 8] |= (uint8_t)(1u << (i % 8));
    }
    return true;
}

/* A branch or leaf whose offsets all stay inside of it. */
static bool is_sound_page(const struct pages *pages, const uint8_t *page, uint64_t number)
{
    if (!page || read_64(page) != number)
        return false;
    uint32_t lower = read_16(page + 12), upper = read_16(page + 14);
    bool has_kind = kind_of(page) == KIND_BRANCH || kind_of(page) == KIND_LEAF;
    if (!has_kind || lower <= PAGE_HEADER || lower % 2 || upper % 2 || lower > upper ||
        upper > pages->page_bytes)
        return false;
    uint8_t taken[MAX_PAGE_BYTES / 16] = {0};
    for (unsigned i = 0; i < count_of(page); i++)
        if (!place_node(pages, page, i, taken))
            return false;
    return true;
}

/* The overflow pages of a leaf's node, when it has any: LMDB frees as many as their header says. */
static bool is_sound_value(const struct pages *pages, const struct node *node)
{
    if (!(node->flags & NODE_BIG))
        return true;
    uint64_t number = read_64(node->value);
    uint64_t n = (PAGE_HEADER - 1 + (uint64_t)node->value_len) / pages->page_bytes + 1;
    const uint8_t *page = page_at(pages, number, n);
    return page && read_64(page) == number && kind_of(page) == KIND_OVERFLOW &&
           read_32(page + 12) == n;
}

static int compare(const struct node *node, const void *key, size_t len)
{
    int order = memcmp(node->key, key, node->key_len < len ? node->key_len : len);
    return order ? order : (node->key_len > len) - (node->key_len < len);
}

/* Index of the last node whose key is at most @key; the first one's key counts as the least. */
static unsigned find_at_most(const uint8_t *page, const void *key, size_t len)
{
    unsigned low = 0, high = count_of(page);
    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;
        struct node node = node_at(page, middle);
        if (compare(&node, key, len) <= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Reads a table's record. False: it is damaged. */
static bool parse_table(const uint8_t *at, unsigned flags, struct tree *out)
{
    out->root = read_64(at + TABLE_ROOT);
    out->depth = read_16(at + TABLE_DEPTH);
    return read_16(at + TABLE_FLAGS) == flags && out->depth <= MAX_DEPTH &&
           (out->depth == 0) == (out->root == NO_ROOT);
}

/* A sound page on @level of a tree: leaves are on the last one, and only there. NULL: damaged. */
static const uint8_t *find_page(const struct pages *pages, const struct tree *tree, uint64_t number,
                                unsigned level)
{
    const uint8_t *page = page_at(pages, number, 1);
    if (!is_sound_page(pages, page, number))
        return NULL;
    return (kind_of(page) == KIND_LEAF) == (level + 1 == tree->depth) ? page : NULL;
}

/* The children of @branch beside the one at @index, on @level. */
static bool are_sound_neighbours(const struct pages *pages, const struct tree *tree,
                                 const uint8_t *branch, unsigned index, unsigned level)
{
    if (index > 0 && !find_page(pages, tree, node_at(branch, index - 1).child, level))
        return false;
    return index + 1 >= count_of(branch) ||
           find_page(pages, tree, node_at(branch, index + 1).child, level);
}

/* The sound leaf that @key belongs to, all above it being sound as well; NULL: damaged. */
static const uint8_t *find_leaf(const struct pages *pages, const struct tree *tree, const void *key,
                                size_t len)
{
    uint64_t number = tree->root;
    for (unsigned level = 0; level < tree->depth; level++) {
        const uint8_t *page = find_page(pages, tree, number, level);
        if (!page || kind_of(page) == KIND_LEAF)
            return page;
        unsigned index = find_at_most(page, key, len);
        if (!are_sound_neighbours(pages, tree, page, index, level + 1))
            return NULL;
        number = node_at(page, index).child;
    }
    return NULL;
}

/* Looks at the leaf that @key belongs to. *out_found: a node has this key. */
static bool check_key(const struct pages *pages, const struct tree *tree, const void *key,
                      size_t len, struct node *out, bool *out_found)
{
    *out_found = false;
    if (tree->root == NO_ROOT)
        return true;
    const uint8_t *leaf = find_leaf(pages, tree, key, len);
    if (!leaf)
        return false;
    *out = node_at(leaf, find_at_most(leaf, key, len));
    *out_found = compare(out, key, len) == 0;
    return !*out_found || is_sound_value(pages, out);
}

/* --- the list of free pages: records of page numbers, by transaction --- */

/* Page numbers stand from the last to the first: one that was changed is out of order, most
 * likely. */
static bool are_sound_ids(const struct pages *pages, const uint8_t *ids, uint64_t n)
{
    uint64_t above = pages->last_page + 1;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t id = read_64(ids + 8 * i);
        if (id < 2 || id >= above)
            return false;
        above = id;
    }
    return true;
}

/* A record, under the number of a transaction, is a count and then so many page numbers. */
static bool is_sound_free_list(const struct pages *pages, const struct node *node)
{
    if (node->key_len != 8 || node->value_len < 8 || node->value_len % 8 ||
        !is_sound_value(pages, node))
        return false;
    const uint8_t *ids = node->value;
    if (node->flags & NODE_BIG)
        ids = page_at(pages, read_64(node->value), 1) + PAGE_HEADER;
    uint64_t n = read_64(ids);
    if (n > node->value_len / 8 - 1)
        return false;
    return are_sound_ids(pages, ids + 8, n < MAX_IDS_LOOKED_AT ? n : MAX_IDS_LOOKED_AT);
}

static bool is_sound_free_tree(const struct pages *pages, const struct tree *tree, uint64_t number,
                               unsigned level)
{
    const uint8_t *page = find_page(pages, tree, number, level);
    if (!page)
        return false;
    for (unsigned i = 0; i < count_of(page); i++) {
        struct node node = node_at(page, i);
        bool sound = kind_of(page) == KIND_LEAF
                         ? is_sound_free_list(pages, &node)
                         : is_sound_free_tree(pages, tree, node.child, level + 1);
        if (!sound)
            return false;
    }
    return true;
}

/* --- the face --- */

static const uint8_t *meta_of(const struct pages *pages, unsigned which)
{
    return pages->map + which * pages->page_bytes + PAGE_HEADER;
}

bool pages_begin(struct pages *pages)
{
    const uint8_t *a = meta_of(pages, 0), *b = meta_of(pages, 1);
    struct tree tree;
    pages->meta = read_64(a + META_TXN) > read_64(b + META_TXN) ? a : b;
    pages->last_page = read_64(pages->meta + META_LAST_PAGE);
    if (!parse_table(pages->meta + META_TABLES, FREE_TABLE_FLAGS, &tree))
        return false;
    return tree.root == NO_ROOT || is_sound_free_tree(pages, &tree, tree.root, 0);
}

/* Looks for the table @name in the table of tables. */
static bool check_table(const struct pages *pages, const char *name, struct node *out,
                        bool *out_found)
{
    struct tree tree;
    return parse_table(pages->meta + META_TABLES + TABLE_BYTES, 0, &tree) &&
           check_key(pages, &tree, name, strlen(name), out, out_found);
}

bool pages_table_is_sound(const struct pages *pages, const char *name)
{
    struct node node;
    bool found;
    return check_table(pages, name, &node, &found);
}

bool pages_are_sound(const struct pages *pages, const char *name, const void *key, size_t key_len)
{
    struct node node;
    struct tree tree;
    bool found;
    if (!check_table(pages, name, &node, &found))
        return false;
    if (!found)
        return true; /* a table that is made in this transaction */
    if (!(node.flags & NODE_TABLE) || node.value_len != TABLE_BYTES)
        return false;
    return parse_table(node.value, 0, &tree) &&
           check_key(pages, &tree, key, key_len, &node, &found);
}
