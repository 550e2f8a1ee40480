/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/audit.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "cache/bits.h"
#include "cache/page.h"

struct audit {
    const struct page_file *file;
    uint64_t *used; /* a bit a page */
};

/* What a table's record says of it, and what a walk finds. */
struct census {
    int levels; /* as the record says: LMDB shifts an array on its stack by that */
    uint64_t branches, leaves, overflows, entries;
};

/* What is particular to the nodes of a table's leaves. */
typedef bool node_fn(struct audit *audit, const struct page_node *node);

static bool claim(struct audit *audit, uint64_t first, uint64_t n)
{
    if (!page_at(audit->file, first, n))
        return false;
    return bits_take(audit->used, first, n);
}

static bool claim_value(struct audit *audit, const struct page_node *node, struct census *census)
{
    if (!(node->flags & NODE_BIG))
        return true;
    uint64_t first, n = page_overflows(audit->file, node, &first);
    census->overflows += n;
    return claim(audit, first, n);
}

/* So that a disk reads all children at once, and not one after the other. */
static void expect_children(const struct page_file *file, const uint8_t *branch)
{
    for (unsigned i = 0; i < page_count(branch); i++) {
        const uint8_t *child = page_at(file, page_node_at(branch, i).child, 1);
        if (child)
            madvise((void *)child, file->page_bytes, MADV_WILLNEED);
    }
}

static bool walk(struct audit *audit, uint64_t number, int depth, node_fn *fn,
                 struct census *census);

static bool walk_branch(struct audit *audit, const uint8_t *page, int depth, node_fn *fn,
                        struct census *census)
{
    census->branches++;
    expect_children(audit->file, page);
    for (unsigned i = 0; i < page_count(page); i++)
        if (!walk(audit, page_node_at(page, i).child, depth + 1, fn, census))
            return false;
    return true;
}

static bool walk_leaf(struct audit *audit, const uint8_t *page, node_fn *fn, struct census *census)
{
    census->leaves++;
    census->entries += page_count(page);
    for (unsigned i = 0; i < page_count(page); i++) {
        struct page_node node = page_node_at(page, i);
        if (!claim_value(audit, &node, census) || !fn(audit, &node))
            return false;
    }
    return true;
}

static bool walk(struct audit *audit, uint64_t number, int depth, node_fn *fn,
                 struct census *census)
{
    const uint8_t *page = page_sound_at(audit->file, number);
    if (!page || depth == PAGE_MAX_DEPTH || !claim(audit, number, 1) ||
        page_is_leaf(page) != (depth + 1 == census->levels))
        return false;
    return page_is_leaf(page) ? walk_leaf(audit, page, fn, census)
                              : walk_branch(audit, page, depth, fn, census);
}

/* The room that is in use is counted by what the record says. */
static bool audit_table(struct audit *audit, const uint8_t *record, uint16_t flags, node_fn *fn)
{
    struct census found = {.levels = page_read_16(record + TABLE_DEPTH)};
    uint64_t root = page_read_64(record + TABLE_ROOT);
    if (page_read_16(record + TABLE_FLAGS) != flags || (root == NO_ROOT) != (found.levels == 0) ||
        (root != NO_ROOT && !walk(audit, root, 0, fn, &found)))
        return false;
    /* LMDB leaves a value that it makes shorter on the overflow pages that it has */
    return page_read_64(record + TABLE_BRANCHES) == found.branches &&
           page_read_64(record + TABLE_LEAVES) == found.leaves &&
           page_read_64(record + TABLE_OVERFLOWS) >= found.overflows &&
           page_read_64(record + TABLE_ENTRIES) == found.entries;
}

static bool audit_plain(struct audit *audit, const struct page_node *node)
{
    (void)audit;
    return (node->flags & ~(unsigned)NODE_BIG) == 0;
}

static bool audit_named_table(struct audit *audit, const struct page_node *node)
{
    return node->flags == NODE_TABLE && node->value_len == TABLE_BYTES &&
           audit_table(audit, node->value, 0, audit_plain);
}

static bool audit_free(struct audit *audit, const struct page_node *node)
{
    uint64_t n;
    const uint8_t *ids = page_ids(audit->file, node, &n);
    for (uint64_t i = 0; ids && i < n; i++)
        if (!claim(audit, page_read_64(ids + 8 * i), 1))
            return false;
    return ids != NULL;
}

bool audit_pages(const struct page_file *file, uint64_t *used)
{
    if (file->last_page >= file->map_bytes / file->page_bytes)
        return false;
    struct audit audit = {.file = file, .used = used};
    return audit_table(&audit, file->meta + META_FREE_TABLE, TABLE_IN_NUMBERS, audit_free) &&
           audit_table(&audit, file->meta + META_MAIN_TABLE, 0, audit_named_table);
}
