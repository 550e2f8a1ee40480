/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/layout.h"

#include <errno.h>

#include "check.h"
#include "vfs/views.h"

DEFINE_CLEANUP(struct layout *, cleanup_layout, layout_unref)
#define LAYOUT_CLEANUP CLEANUP(cleanup_layout)

static const struct layout_place registry_place = {.origin = "x://h"};
static const struct layout_place project_place = {
    .origin = "x://h", .project_id = "p", .project_name = "proj"};
static const struct layout_place model_place = {
    .origin = "x://h", .project_id = "p", .model_id = "m", .project_name = "proj"};

/* A model's listing of these files, ended by NULL. */
static struct listing *new_files(const char *const *paths)
{
    struct listing *listing = listing_new(LISTING_FILES);
    static const struct listing_entry self = {
        .id = "m", .name = "Model", .type = "ONNX", .mtime_ns = 1000};
    bool ok = listing && listing_set_self(listing, &self) == 0;
    for (uint64_t i = 0; ok && paths[i]; i++) {
        struct listing_entry entry = {
            .id = paths[i], .name = paths[i], .size_bytes = i, .mtime_ns = (int64_t)i};
        ok = listing_add(listing, &entry) == 0;
    }
    if (ok)
        return listing;
    listing_unref(listing);
    return NULL;
}

static int build(struct listing *listing, const struct layout_place *place, struct layout **out)
{
    return listing ? views_build(listing, place, false, out) : -ENOMEM;
}

static struct layout *view_files(const char *const *paths)
{
    LISTING_CLEANUP struct listing *listing = new_files(paths);
    struct layout *layout = NULL;
    CHECK_EQ(build(listing, &model_place, &layout), 0);
    return layout;
}

static void append_tree(const struct layout *layout, uint32_t dir, struct buf *out)
{
    uint32_t node;
    for (uint64_t i = 0; (node = layout_listed(layout, dir, i)) != LAYOUT_NONE; i++) {
        const struct layout_node *n = &layout->nodes[node];
        buf_printf(out, "%s%s", i ? " " : "", n->name);
        if (n->kind == NODE_LINK)
            buf_printf(out, "->%s", layout->texts[n->ref].data);
        if (n->kind == NODE_DIR && n->n_children) {
            buf_puts(out, "(");
            append_tree(layout, node, out);
            buf_puts(out, ")");
        }
    }
}

/* What is listed below @dir: `a d(e f) link->d`. */
static void check_tree(const struct layout *layout, uint32_t dir, const char *want)
{
    BUF_CLEANUP struct buf got = {0};
    buf_puts(&got, "");
    append_tree(layout, dir, &got);
    CHECK_STR(got.data, want);
}

/* The node at a path, hidden ones too. */
static uint32_t find(const struct layout *layout, const char *path)
{
    CLEANUP(cleanup_free) char *copy = strdup(path);
    char *rest = copy, *part;
    uint32_t node = 0;
    while (node != LAYOUT_NONE && (part = strsep(&rest, "/")))
        node = layout_find(layout, node, part);
    return node;
}

static void checkpoints_are_directories(void)
{
    static const struct {
        const char *paths[8];
        const char *tree;
    } cases[] = {
        {{NULL}, "files"},
        {{"b", "a/c", "a/b/d"}, "files(a(b(d) c) b)"},
        {{"d/m-5.index", "d/m-5.data-00000-of-00001", "d/x"},
         "ckpt-5(checkpoint m-5.data-00000-of-00001 m-5.index) files(d(x)) latest->ckpt-5"},
        {{"m-5.index", "m-6.data-00000-of-00001", "m-6.index"},
         "ckpt-5(checkpoint m-5.index) ckpt-6(checkpoint m-6.data-00000-of-00001 m-6.index) "
         "latest->ckpt-6"},
        {{"e/7/saved_model.pb", "e/7/variables/variables.index",
          "e/7/variables/variables.data-00000-of-00001"},
         "export-7(saved_model.pb variables(variables.data-00000-of-00001 variables.index)) "
         "latest->export-7"},
        {{"d/m-5.meta", "e/m-5.meta"},
         "ckpt-5~d%2Fm-5(checkpoint m-5.meta) ckpt-5~e%2Fm-5(checkpoint m-5.meta)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        LAYOUT_CLEANUP struct layout *layout = view_files(cases[i].paths);
        if (layout)
            check_tree(layout, 0, cases[i].tree);
    }
}

static void hostile_paths_are_entries(void)
{
    static const struct {
        const char *paths[8];
        const char *tree;
    } cases[] = {
        {{"", "/", "//", "a/", "/b"}, "% %(% %(%) b) a(%)"},
        {{"..", ".", "../x", "./y", ".modelfs", ".modelfs/z"},
         "%2E %2E(y) %2E%2E %2E%2E(x) %2Emodelfs %2Emodelfs(z)"},
        {{"a%2Fb", "a\nb", "%"}, "%25 a%0Ab a%252Fb"},
        {{"a", "a", "a"}, "a"},
        {{"a-x/1", "a/1", "a.x/1", "a/2"}, "a(1 2) a-x(1) a.x(1)"},
        {{"a", "a/b", "a~file-1"}, "a(b) a~file-1 a~file-1~file-1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        LAYOUT_CLEANUP struct layout *layout = view_files(cases[i].paths);
        if (layout)
            printf("# %zu\n", i), check_tree(layout, find(layout, ".modelfs/files"), cases[i].tree);
    }
}

int main(void)
{
    TEST("checkpoints are directories", checkpoints_are_directories);
    TEST("hostile paths are entries", hostile_paths_are_entries);
    return check_done();
}
