/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/page.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cache/bits.h"

enum {
    NODE_HEADER = 8, /* low 2, high 2, flags 2, key's length 2 */
    KIND_BRANCH = 1,
    KIND_LEAF = 2,
    KIND_OVERFLOW = 4,
    MIN_PAGE_BYTES = 512,
    MAX_PAGE_BYTES = 65536,
    MAX_MISSING_BYTES = 64 << 20,
};

const uint8_t *page_at(const struct page_file *file, uint64_t page, uint64_t n)
{
    uint64_t limit = file->map_bytes / file->page_bytes;
    if (page < 2 || page > file->last_page || n > file->last_page - page + 1 || page + n > limit)
        return NULL;
    return file->map + page * file->page_bytes;
}

/* All flags: there are more kinds, and marks that LMDB sets in memory only, but none in our files.
 */
static unsigned kind_of(const uint8_t *page)
{
    return page_read_16(page + 10);
}

bool page_is_leaf(const uint8_t *page)
{
    return kind_of(page) == KIND_LEAF;
}

unsigned page_count(const uint8_t *page)
{
    return (page_read_16(page + 12) - PAGE_HEADER) / 2u;
}

struct page_node page_node_at(const uint8_t *page, unsigned index)
{
    const uint8_t *at = page + page_read_16(page + PAGE_HEADER + 2 * index);
    uint32_t low = page_read_32(at);
    struct page_node node = {
        .child = low | (uint64_t)page_read_16(at + 4) << 32,
        .key = at + NODE_HEADER,
        .key_len = page_read_16(at + 6),
        .value_len = low,
        .flags = page_read_16(at + 4),
    };
    node.value = node.key + node.key_len;
    return node;
}

/* Bytes that a node takes in its page. */
static uint64_t node_bytes(const uint8_t *page, const struct page_node *node)
{
    uint64_t value = kind_of(page) == KIND_BRANCH ? 0
                     : node->flags & NODE_BIG     ? 8
                                                  : node->value_len;
    return (NODE_HEADER + node->key_len + value + 1) & ~UINT64_C(1);
}

/* Whether node @index lies between @upper and the page's end, and on no other: @taken has a bit for
 * every two bytes of the page. */
static bool place_node(const struct page_file *file, const uint8_t *page, unsigned index,
                       uint64_t *taken)
{
    uint32_t from = page_read_16(page + PAGE_HEADER + 2 * index), upper = page_read_16(page + 14);
    if (from < upper || from % 2 || from + NODE_HEADER > file->page_bytes)
        return false;
    struct page_node node = page_node_at(page, index);
    uint64_t bytes = node_bytes(page, &node);
    return bytes <= file->page_bytes - from && bits_take(taken, from / 2, bytes / 2);
}

/* A branch or leaf whose offsets all stay inside of it. */
static bool is_sound_page(const struct page_file *file, const uint8_t *page, uint64_t number)
{
    if (page_read_64(page) != number)
        return false;
    uint32_t lower = page_read_16(page + 12), upper = page_read_16(page + 14);
    bool has_kind = kind_of(page) == KIND_BRANCH || kind_of(page) == KIND_LEAF;
    if (!has_kind || lower <= PAGE_HEADER || lower % 2 || upper % 2 || lower > upper ||
        upper > file->page_bytes)
        return false;
    uint64_t taken[MAX_PAGE_BYTES / 128];
    memset(taken, 0, file->page_bytes / 16);
    for (unsigned i = 0; i < page_count(page); i++)
        if (!place_node(file, page, i, taken))
            return false;
    return true;
}

const uint8_t *page_sound_at(const struct page_file *file, uint64_t number)
{
    const uint8_t *page = page_at(file, number, 1);
    return page && is_sound_page(file, page, number) ? page : NULL;
}

uint64_t page_overflows(const struct page_file *file, const struct page_node *node,
                        uint64_t *out_first)
{
    *out_first = page_read_64(node->value);
    return (PAGE_HEADER - 1 + (uint64_t)node->value_len) / file->page_bytes + 1;
}

/* More overflow pages than the value needs are left where LMDB made it shorter. */
bool page_value_is_sound(const struct page_file *file, const struct page_node *node)
{
    if (!(node->flags & NODE_BIG))
        return true;
    uint64_t number, least = page_overflows(file, node, &number);
    const uint8_t *page = page_at(file, number, least);
    if (!page || page_read_64(page) != number || kind_of(page) != KIND_OVERFLOW)
        return false;
    uint32_t n = page_read_32(page + 12);
    return n >= least && page_at(file, number, n);
}

const uint8_t *page_ids(const struct page_file *file, const struct page_node *node, uint64_t *out_n)
{
    if (node->value_len < 8 || node->value_len % 8 || !page_value_is_sound(file, node))
        return NULL;
    const uint8_t *ids = node->value;
    if (node->flags & NODE_BIG)
        ids = page_at(file, page_read_64(node->value), 1) + PAGE_HEADER;
    *out_n = page_read_64(ids);
    return *out_n <= node->value_len / 8 - 1 ? ids + 8 : NULL;
}

static bool is_page_size(uint32_t bytes)
{
    return bytes >= MIN_PAGE_BYTES && bytes <= MAX_PAGE_BYTES && (bytes & (bytes - 1)) == 0;
}

/* The last page may be missing, since it need not have been written; many may not. */
static bool ends_near(int fd, uint64_t last_page, uint32_t page_bytes)
{
    struct stat st;
    return fstat(fd, &st) == 0 && last_page < (uint64_t)INT64_MAX / page_bytes &&
           last_page * page_bytes <= (uint64_t)st.st_size + MAX_MISSING_BYTES;
}

bool page_header_is_sound(int fd)
{
    uint32_t page_bytes = 0;
    for (off_t which = 0; which < 2; which++) {
        uint8_t meta[META_TXN + 8];
        if (pread(fd, meta, sizeof(meta), which * page_bytes + PAGE_HEADER) != sizeof(meta))
            return true; /* LMDB settles a file that is too short */
        page_bytes = page_read_32(meta + META_FREE_TABLE);
        if (!is_page_size(page_bytes) ||
            !ends_near(fd, page_read_64(meta + META_LAST_PAGE), page_bytes))
            return false;
    }
    return true;
}
