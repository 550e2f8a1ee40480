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
static struct listing *new_files(const char *const *paths, bool has_digests)
{
    struct listing *listing = listing_new(LISTING_FILES);
    static const struct listing_entry self = {
        .id = "m", .name = "Model", .type = "ONNX", .mtime_ns = 1000};
    bool ok = listing && listing_set_self(listing, &self) == 0;
    for (uint64_t i = 0; ok && paths[i]; i++) {
        struct listing_entry entry = {.id = paths[i],
                                      .name = paths[i],
                                      .size_bytes = i + 1,
                                      .mtime_ns = (int64_t)i,
                                      .has_digest = has_digests};
        ok = listing_add(listing, &entry) == 0;
    }
    if (ok)
        return listing;
    listing_unref(listing);
    return NULL;
}

static int build(struct listing *listing, const struct layout_place *place, struct layout **out)
{
    return listing ? views_build(listing, place, NULL, out) : -ENOMEM;
}

static struct layout *view_files(const char *const *paths)
{
    LISTING_CLEANUP struct listing *listing = new_files(paths, false);
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
        if (n->kind == NODE_DIR && layout_dir(layout, node)->n_children) {
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
        {{"", "/", "//", "a/", "/b"}, "%(%(%) %~file-1 b) %~file-1 a(%)"},
        {{"..", ".", "../x", "./y", ".modelfs", ".modelfs/z"},
         "%2E(y) %2E%2E(x) %2E%2E~file-1 %2Emodelfs(z) %2Emodelfs~file-1 %2E~file-1"},
        {{"a%2Fb", "a\nb", "%"}, "%25 a%0Ab a%252Fb"},
        {{"a", "a", "a"}, "a"},
        {{"a-x/1", "a/1", "a.x/1", "a/2"}, "a(1 2) a-x(1) a.x(1)"},
        {{"a", "a/b", "a~file-1"}, "a(b) a~file-1~file a~file-1~file-1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        LAYOUT_CLEANUP struct layout *layout = view_files(cases[i].paths);
        if (layout)
            check_tree(layout, find(layout, ".modelfs/files"), cases[i].tree);
    }
}

/* More than PATH_MAX_DEPTH parts: the rest is one name. */
static void deep_paths_end_in_one_name(void)
{
    char path[400];
    for (int i = 0; i < 70; i++)
        strcpy(path + 2 * i, "d/");
    strcpy(path + 140, "f");
    const char *const paths[] = {path, NULL};
    LAYOUT_CLEANUP struct layout *layout = view_files(paths);
    uint32_t node = find(layout, ".modelfs/files");
    for (int i = 0; i < 64; i++)
        node = layout_find(layout, node, "d");
    CHECK(node != LAYOUT_NONE);
    check_tree(layout, node, "d%2Fd%2Fd%2Fd%2Fd%2Fd%2Ff");
}

/* Who makes twins of twins makes names that are twins again. */
static void twins_without_end_are_still_found(void)
{
    const char *paths[64] = {"a", "a/b", NULL};
    char names[60][128];
    for (int i = 0; i < 30; i++)
        for (int k = 0; k < 2; k++) {
            char *name = names[2 * i + k];
            snprintf(name, sizeof(names[0]), "a~file%s", k ? "-1" : "");
            for (int n = 0; n < i / 2; n++)
                strncat(name, i % 2 ? "~file-1" : "~file", sizeof(names[0]) - strlen(name) - 1);
            paths[2 + 2 * i + k] = name;
        }
    paths[62] = NULL;
    LAYOUT_CLEANUP struct layout *layout = view_files(paths);
    uint32_t dir = find(layout, ".modelfs/files"), node;
    for (uint64_t i = 0; (node = layout_listed(layout, dir, i)) != LAYOUT_NONE; i++)
        CHECK(layout_find(layout, dir, layout->nodes[node].name) != LAYOUT_NONE);
}

static struct listing *new_models(const char *const (*models)[2], size_t n)
{
    struct listing *listing = listing_new(LISTING_MODELS);
    for (size_t i = 0; i < n; i++) {
        struct listing_entry entry = {.id = models[i][0], .name = models[i][1], .type = "T"};
        CHECK_EQ(listing_add(listing, &entry), 0);
    }
    return listing;
}

static void places_that_are_twins_carry_their_id(void)
{
    static const struct {
        const char *models[4][2];
        size_t n;
        const char *tree;
    } cases[] = {
        {{{"1", "a"}, {"2", "b"}}, 2, "a b"},
        {{{"1", "same"}, {"2", "same"}, {"3", "same"}}, 3, "same~1 same~2 same~3"},
        {{{"3", "same"}, {"1", "same"}, {"2", "x"}}, 3, "same~1 same~3 x"},
        {{{"1", "same"}, {"1", "same"}}, 2, "same~1~1 same~1~1-1"},
        {{{"1", "a"}, {"2", "a"}, {"3", "a~1"}}, 3, "a~1~1 a~1~3-1 a~2"},
        {{{"a/b", ""}, {"..", ""}}, 2, "%~%2E%2E %~a%2Fb"},
        {{{"1", ".modelfs"}, {"2", "info.json"}}, 2, "%2Emodelfs info.json"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        LISTING_CLEANUP struct listing *listing = new_models(cases[i].models, cases[i].n);
        LAYOUT_CLEANUP struct layout *layout = NULL;
        CHECK_EQ(build(listing, &project_place, &layout), 0);
        check_tree(layout, 0, cases[i].tree);
    }
}

static void what_is_hidden_is_found_by_name_only(void)
{
    static const char *const paths[] = {"m-5.index", "m-5.data-00000-of-00001", "x", NULL};
    LISTING_CLEANUP struct listing *listing = new_files(paths, false);
    LAYOUT_CLEANUP struct layout *layout = NULL, *root = NULL;
    listing_add_row(listing, "loss/a", 5, 0.5, 0);
    CHECK_EQ(views_build(listing, &model_place, NULL, &layout), 0);
    CHECK_EQ(views_build(listing, &model_place, &(struct views_options){.is_root = true}, &root),
             0);
    check_tree(layout, 0,
               "best-loss%2Fa->ckpt-5 ckpt-5(checkpoint m-5.data-00000-of-00001 "
               "m-5.index) files(x) latest->ckpt-5");
    check_tree(layout, find(layout, ".modelfs"),
               "detail.json files(m-5.data-00000-of-00001 m-5.index x) history(loss%2Fa.csv) "
               "info.json metrics(loss%2Fa) metrics.csv metrics.json summary.json");
    check_tree(layout, find(layout, "ckpt-5/.modelfs"),
               "info.json metrics(loss%2Fa) metrics.json tensors");
    check_tree(root, find(root, ".modelfs"),
               "config detail.json files(m-5.data-00000-of-00001 m-5.index x) "
               "history(loss%2Fa.csv) info.json metrics(loss%2Fa) metrics.csv "
               "metrics.json stats stats.prom summary.json");
    CHECK_EQ(find(layout, ".modelfs/stats"), LAYOUT_NONE);
    CHECK_EQ(root->nodes[find(root, ".modelfs/stats.prom")].ref, VIEW_STATS_PROM);
    CHECK_EQ(root->nodes[find(root, ".modelfs/config")].ref, VIEW_CONFIG);
    const struct layout_node *value =
        &layout->nodes[find(layout, "ckpt-5/.modelfs/metrics/loss%2Fa")];
    CHECK_STR(layout->texts[value->ref].data, "0.5\n");
    const struct layout_node *state = &layout->nodes[find(layout, "ckpt-5/checkpoint")];
    CHECK_STR(layout->texts[state->ref].data,
              "model_checkpoint_path: \"m-5\"\nall_model_checkpoint_paths: \"m-5\"\n");
}

static void names_that_are_no_text_are_shown(void)
{
    static const char *const paths[] = {"d\xff/\xfe", NULL};
    LAYOUT_CLEANUP struct layout *layout = view_files(paths);
    CHECK(layout);
    if (layout)
        check_tree(layout, 0, "files(d\xff(\xfe))");
}

/* The same content is the same inode, by any path and in any order; other content is another. */
static uint64_t place_ino(const char *project_id, const char *model_id)
{
    return layout_place_ino(
        &(struct layout_place){.origin = "x://h", .project_id = project_id, .model_id = model_id});
}

static void inodes_follow_path_and_content(void)
{
    static const char *const paths[] = {"m-5.index", "b", "a", NULL};
    static const char *const other[] = {"a", "b", "m-5.index", NULL};
    LAYOUT_CLEANUP struct layout *x = view_files(paths), *again = view_files(paths),
                                 *y = view_files(other);
    for (uint32_t i = 0; i < x->n_nodes; i++) {
        CHECK_EQ(x->nodes[i].ino, again->nodes[i].ino);
        CHECK(x->nodes[i].ino > 1);
    }
    CHECK_EQ(x->nodes[find(x, "files/b")].ino, x->nodes[find(x, ".modelfs/files/b")].ino);
    CHECK_EQ(x->nodes[find(x, "ckpt-5/m-5.index")].ino,
             x->nodes[find(x, ".modelfs/files/m-5.index")].ino);
    CHECK_EQ(x->nodes[find(x, "files/b")].ino, y->nodes[find(y, "files/b")].ino);
    CHECK(x->nodes[find(x, "files/a")].ino != y->nodes[find(y, "files/a")].ino); /* its time */
    CHECK(x->nodes[find(x, "files")].ino != x->nodes[find(x, ".modelfs/files")].ino);
    CHECK_EQ(x->nodes[0].ino, place_ino("p", "m"));
}

/* Two links would be two names of one file, whose time and attributes can only be one's. */
static void files_of_one_content_are_two(void)
{
    static const char *const paths[] = {"a", "b", NULL};
    LISTING_CLEANUP struct listing *listing = new_files(paths, true);
    LAYOUT_CLEANUP struct layout *layout = NULL;
    CHECK_EQ(build(listing, &model_place, &layout), 0);
    CHECK(layout->nodes[find(layout, "files/a")].ino != layout->nodes[find(layout, "files/b")].ino);
}

static void a_place_is_the_root_of_its_own_layout(void)
{
    static const char *const models[][2] = {{"m", "Model"}};
    LISTING_CLEANUP struct listing *listing = new_models(models, 1);
    LAYOUT_CLEANUP struct layout *project = NULL, *registry = NULL;
    CHECK_EQ(build(listing, &project_place, &project), 0);
    CHECK_EQ(build(listing, &registry_place, &registry), 0);
    CHECK_EQ(project->nodes[find(project, "Model")].ino, place_ino("p", "m"));
    CHECK_EQ(registry->nodes[find(registry, "Model")].ino, place_ino("m", NULL));
    CHECK(place_ino("pm", NULL) != place_ino("p", "m"));
}

static void a_node_is_found_again_by_its_path(void)
{
    static const char *const before[] = {"a/b", "c", "d/e", NULL};
    static const char *const after[] = {"a/b", "a/a", "d", NULL};
    static const char *const kept[] = {"files", "files/a", "files/a/b", "files/d", ".modelfs"};
    static const char *const gone[] = {"files/c", "files/d/e", ".modelfs/files/c"};
    LAYOUT_CLEANUP struct layout *old = view_files(before), *new = view_files(after);
    CHECK_EQ(layout_find_same(new, old, 0), 0);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        CHECK(find(new, kept[i]) != LAYOUT_NONE);
        CHECK_EQ(layout_find_same(new, old, find(old, kept[i])), find(new, kept[i]));
    }
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
        CHECK_EQ(layout_find_same(new, old, find(old, gone[i])), LAYOUT_NONE);
}

static void thousands_of_files_are_sorted_and_found(void)
{
    enum { N = 3000 };
    static char names[N][24];
    static const char *paths[N + 1];
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof(names[i]), "d%d/f%d", i * 7 % 11, i * 1009 % N);
        paths[i] = names[i];
    }
    LAYOUT_CLEANUP struct layout *layout = view_files(paths);
    for (int i = 0; i < N; i++) {
        CLEANUP(cleanup_free) char *path = NULL;
        CHECK(asprintf(&path, "files/%s", paths[i]) > 0);
        uint32_t node = find(layout, path);
        CHECK(node != LAYOUT_NONE && layout->nodes[node].ref == (uint32_t)i);
    }
    CHECK_EQ(layout_dir(layout, find(layout, "files"))->n_children, 11);
}

/* What info.json or metrics.json at @path would say if it were read now; NULL when it is a text. */
static char *live_text(const struct layout *layout, const char *path)
{
    BUF_CLEANUP struct buf text = {0};
    uint32_t node = find(layout, path);
    CHECK(node != LAYOUT_NONE);
    if (layout->nodes[node].kind != NODE_LIVE)
        return NULL;
    CHECK(views_is_own_live(layout, node));
    CHECK_EQ(views_live_text(layout, node, NULL, &text), 0);
    return buf_steal(&text);
}

static void what_a_large_model_tells_is_made_when_it_is_read(void)
{
    static const char *const places[] = {".modelfs/info.json", "ckpt-5/.modelfs/info.json",
                                         ".modelfs/metrics.json", "ckpt-5/.modelfs/metrics.json"};
    for (int n = 1000; n <= 1001; n++) {
        static char names[1001][8];
        const char *paths[1002] = {"m-5.index"};
        for (int i = 1; i < n; i++) {
            snprintf(names[i], sizeof(names[i]), "f%04d", i);
            paths[i] = names[i];
        }
        LISTING_CLEANUP struct listing *listing = new_files(paths, false);
        LAYOUT_CLEANUP struct layout *layout = NULL;
        listing_add_row(listing, "loss", 5, 0.5, 0);
        CHECK_EQ(build(listing, &model_place, &layout), 0);
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
            CLEANUP(cleanup_free) char *text = live_text(layout, places[i]);
            CHECK_EQ(text != NULL, n > 1000 || i == 1);
            if (text && i < 2)
                CHECK(strstr(text, i ? "\"m-5.index\"" : "\"f1000\"") != NULL);
            else if (text)
                CHECK_STR(text, "{\n  \"loss\": 0.5\n}\n");
            CHECK_EQ(layout_mtime_ns(layout, find(layout, places[i])),
                     layout_mtime_ns(layout, find(layout, i % 2 ? "ckpt-5" : ".modelfs")));
        }
    }
}

/* All attributes of a node as `name=value` lines; each must be had by its name, too. */
static void check_xattrs(const struct layout *layout, const char *path, const char *want)
{
    BUF_CLEANUP struct buf names = {0}, got = {0};
    uint32_t node = *path ? find(layout, path) : 0;
    CHECK_EQ(views_list_xattrs(layout, node, &names), 0);
    for (size_t i = 0; i < names.len; i += strlen(names.data + i) + 1) {
        BUF_CLEANUP struct buf value = {0};
        const char *name = names.data + i;
        CHECK_EQ(views_get_xattr(layout, node, name, &value), 0);
        CHECK(strncmp(name, VIEWS_XATTR_PREFIX, strlen(VIEWS_XATTR_PREFIX)) == 0);
        buf_printf(&got, "%s=%s\n", name + strlen(VIEWS_XATTR_PREFIX), value.data);
    }
    CHECK_STR(got.data, want);
}

#define OF_MODEL "registry=x://h\nproject=proj\nmodel=Model\ntype=ONNX\n"
#define OF_STEP                                                                                    \
    OF_MODEL "checkpoint=ckpt-5\nframework=TensorFlow\nformat=TensorFlow "                         \
             "V2\nstep=5\ncomplete=no\n"

static void attributes_say_where_a_node_stands(void)
{
    static const char *const paths[] = {"m-5.index", "net.onnx", "x", NULL};
    static const char *const models[][2] = {{"m", "Model"}};
    LISTING_CLEANUP struct listing *listing = new_files(paths, false),
                                   *folder = new_models(models, 1);
    struct listing_entry hashed = {.id = "h", .name = "h", .has_digest = true};
    LAYOUT_CLEANUP struct layout *layout = NULL, *project = NULL, *registry = NULL;
    listing_add(listing, &hashed);
    listing_add_row(listing, "loss", 5, 0.5, 0);
    char long_name[300];
    memset(long_name, 'n', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    listing_add_row(listing, long_name, 5, 0.5, 0);
    CHECK_EQ(build(listing, &model_place, &layout), 0);
    CHECK_EQ(build(folder, &project_place, &project), 0);
    CHECK_EQ(build(folder, &registry_place, &registry), 0);
    check_xattrs(layout, "ckpt-5", OF_STEP "metric.loss=0.5\n");
    check_xattrs(layout, "ckpt-5/m-5.index", OF_STEP);
    check_xattrs(layout, "ckpt-5/.modelfs", OF_STEP);
    check_xattrs(
        layout, "export-net",
        OF_MODEL
        "checkpoint=export-net\nframework=ONNX\nformat=ONNX\ncomplete=yes\nmetric.loss=0.5\n");
    check_xattrs(layout, "files/x", OF_MODEL);
    check_xattrs(layout, "files/h",
                 OF_MODEL "digest=sha256:00000000000000000000000000000000"
                          "00000000000000000000000000000000\n");
    check_xattrs(project, "Model", "registry=x://h\nproject=proj\nmodel=Model\ntype=T\n");
    check_xattrs(project, "", "registry=x://h\nproject=proj\n");
    check_xattrs(registry, "", "registry=x://h\n");
}

static void other_attributes_there_are_none(void)
{
    static const char *const names[] = {"",
                                        "user.modelfs.",
                                        "user.modelfs",
                                        "security.capability",
                                        "user.modelfs.step",
                                        "user.modelfs.registryx",
                                        "registry"};
    static const char *const paths[] = {"x", NULL};
    LAYOUT_CLEANUP struct layout *layout = view_files(paths);
    BUF_CLEANUP struct buf value = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        CHECK_EQ(views_get_xattr(layout, 0, names[i], &value), -ENODATA);
}

/* The stream is as hidden in `.modelfs` as that is in the root. */
static void the_stream_is_found_by_name_only(void)
{
    static const char *const paths[] = {"trace", "x", NULL};
    LISTING_CLEANUP struct listing *listing = new_files(paths, false);
    LAYOUT_CLEANUP struct layout *root = NULL, *other = NULL;
    CHECK_EQ(views_build(listing, &model_place, &(struct views_options){.is_root = true}, &root),
             0);
    check_tree(root, 0, "files(trace x)");
    check_tree(root, find(root, ".modelfs"),
               "config detail.json files(trace x) history info.json metrics metrics.csv "
               "metrics.json stats stats.prom summary.json");
    uint32_t stream = find(root, ".modelfs/trace");
    CHECK(stream != LAYOUT_NONE && root->nodes[stream].kind == NODE_LIVE);
    CHECK_EQ(build(listing, &model_place, &other), 0);
    CHECK_EQ(find(other, ".modelfs/trace"), LAYOUT_NONE);
    check_tree(other, find(other, ".modelfs"),
               "detail.json files(trace x) history info.json metrics metrics.csv metrics.json "
               "summary.json");
}

static void a_path_names_project_and_model(void)
{
    static const char *const paths[] = {"d/m-5.index", "d/x", NULL};
    static const char *const models[][2] = {{"m", "Model"}};
    LISTING_CLEANUP struct listing *folder = new_models(models, 1);
    LAYOUT_CLEANUP struct layout *layout = view_files(paths), *registry = NULL;
    BUF_CLEANUP struct buf step = {0}, file = {0}, place = {0};
    CHECK_EQ(build(folder, &registry_place, &registry), 0);
    CHECK_EQ(layout_path(layout, find(layout, "ckpt-5/m-5.index"), &step), 0);
    CHECK_EQ(layout_path(layout, find(layout, "files/d/x"), &file), 0);
    CHECK_EQ(layout_path(registry, find(registry, "Model"), &place), 0);
    CHECK_STR(step.data, "proj/Model/ckpt-5/m-5.index");
    CHECK_STR(file.data, "proj/Model/files/d/x");
    CHECK_STR(place.data, "-/-/Model");
}

static void no_memory_is_an_error(void)
{
    static const char *const paths[] = {"m-5.index", "d/x", "d", "9.onnx", NULL};
    FOR_EACH_ALLOC_FAILURE
    {
        /* with digests: a blob's id that must be made needs memory */
        LISTING_CLEANUP struct listing *listing = new_files(paths, true);
        LAYOUT_CLEANUP struct layout *layout = NULL;
        BUF_CLEANUP struct buf names = {0};
        int r = build(listing, &model_place, &layout);
        CHECK(r == 0 ? layout != NULL : r == -ENOMEM && !layout);
        r = r == 0 ? views_list_xattrs(layout, 0, &names) : r;
        CHECK(r == 0 || r == -ENOMEM);
        if (r == 0) {
            check_alloc_countdown = -1;
            CHECK(find(layout, "files/d/x") != LAYOUT_NONE);
            CHECK(find(layout, ".modelfs/info.json") != LAYOUT_NONE);
            CHECK_STR(layout->texts[layout->nodes[find(layout, "ckpt-5/checkpoint")].ref].data,
                      "model_checkpoint_path: \"m-5\"\nall_model_checkpoint_paths: \"m-5\"\n");
        }
    }
}

/* The kernel takes no longer list; what is left out of it is still there. */
static void a_list_of_attributes_has_its_limit(void)
{
    static const char *const paths[] = {"m-5.index", NULL};
    LISTING_CLEANUP struct listing *listing = new_files(paths, false);
    LAYOUT_CLEANUP struct layout *layout = NULL;
    BUF_CLEANUP struct buf names = {0}, value = {0};
    for (int i = 0; i < 3000; i++) {
        char name[64];
        snprintf(name, sizeof(name), "a-rather-long-name-of-a-metric/%04d", i);
        listing_add_row(listing, name, 5, i, 0);
    }
    CHECK_EQ(build(listing, &model_place, &layout), 0);
    CHECK_EQ(views_list_xattrs(layout, 0, &names), 0);
    CHECK(names.len > 60000 && names.len <= 65536);
    CHECK_EQ(views_get_xattr(layout, 0, "user.modelfs.metric.a-rather-long-name-of-a-metric/2999",
                             &value),
             0);
    CHECK_STR(value.data, "2999");
}

int main(void)
{
    TEST("checkpoints are directories", checkpoints_are_directories);
    TEST("hostile paths are entries", hostile_paths_are_entries);
    TEST("deep paths end in one name", deep_paths_end_in_one_name);
    TEST("twins without end are still found", twins_without_end_are_still_found);
    TEST("places that are twins carry their id", places_that_are_twins_carry_their_id);
    TEST("what is hidden is found by name only", what_is_hidden_is_found_by_name_only);
    TEST("names that are no text are shown", names_that_are_no_text_are_shown);
    TEST("inodes follow path and content", inodes_follow_path_and_content);
    TEST("files of one content are two", files_of_one_content_are_two);
    TEST("a place is the root of its own layout", a_place_is_the_root_of_its_own_layout);
    TEST("a node is found again by its path", a_node_is_found_again_by_its_path);
    TEST("thousands of files are sorted and found", thousands_of_files_are_sorted_and_found);
    TEST("what a large model tells is made when it is read",
         what_a_large_model_tells_is_made_when_it_is_read);
    TEST("attributes say where a node stands", attributes_say_where_a_node_stands);
    TEST("other attributes there are none", other_attributes_there_are_none);
    TEST("the stream is found by name only", the_stream_is_found_by_name_only);
    TEST("a path names project and model", a_path_names_project_and_model);
    TEST("a list of attributes has its limit", a_list_of_attributes_has_its_limit);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
