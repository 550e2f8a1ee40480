/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/tree.h"

#include <errno.h>
#include <semaphore.h>
#include <sys/stat.h>

#include "check.h"
#include "registry/registry.h"
#include "store_dir.h"
#include "util/cleanup.h"
#include "util/pool.h"

/* A tree over a directory of PROJECT/MODEL/files. */
static struct registry *registry;
static struct catalog *catalog;
static struct pool *pool;
static struct tree *tree;

/* Makes an empty file and the folders on its way. */
static void put_file(const char *path)
{
    char whole[512];
    snprintf(whole, sizeof(whole), "%s", store_dir_path(path));
    for (char *slash = strchr(whole + strlen(store_dir) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *f CLEANUP(cleanup_fclose) = fopen(whole, "w");
    CHECK(f);
}

static void open_tree(const char *const *paths)
{
    char url[512];
    store_dir_clear();
    for (; *paths; paths++)
        put_file(*paths);
    snprintf(url, sizeof(url), "dir://%s", store_dir);
    CHECK_EQ(registry_open(url, NULL, &registry, NULL), 0);
    CHECK_EQ(catalog_new(registry, NULL, &catalog), 0);
    CHECK_EQ(pool_new(1, &pool), 0);
    const struct tree_options options = {
        .catalog = catalog, .pool = pool, .list_timeout_ms = 1000000};
    CHECK_EQ(tree_new(&options, &tree), 0);
}

static void close_tree(void)
{
    pool_free(pool);
    tree_free(tree);
    catalog_free(catalog);
    registry_close(registry);
}

struct wait {
    sem_t done;
    int err;
};

static void on_ready(void *ctx, int err)
{
    struct wait *wait = ctx;
    wait->err = err;
    sem_post(&wait->done);
}

static int need(uint64_t ino)
{
    struct wait wait;
    sem_init(&wait.done, 0, 0);
    tree_need(tree, ino, on_ready, &wait);
    while (sem_wait(&wait.done) < 0)
        ;
    sem_destroy(&wait.done);
    return wait.err;
}

/* The inode at a path, looked up once at each part of it; 0 when there is none. */
static uint64_t look_up(const char *path)
{
    CLEANUP(cleanup_free) char *copy = strdup(path);
    char *rest = copy, *part;
    struct tree_attr attr = {.ino = TREE_ROOT_INO};
    while ((part = strsep(&rest, "/")))
        if (need(attr.ino) < 0 || tree_lookup(tree, attr.ino, part, &attr) < 0)
            return 0;
    return attr.ino;
}

/* The names of the siblings behind @path, at most @n. */
static void check_siblings(const char *path, size_t n, const char *want)
{
    BUF_CLEANUP struct buf got = {0};
    struct tree_node nodes[16];
    size_t n_found = 99;
    buf_puts(&got, "");
    CHECK_EQ(tree_siblings(tree, *path ? look_up(path) : TREE_ROOT_INO, WALK_BY_NAME, n, nodes,
                           &n_found),
             0);
    CHECK(n_found <= n);
    for (size_t i = 0; i < n_found && n_found <= n; i++) {
        const struct layout_node *node = &nodes[i].layout->nodes[nodes[i].index];
        CHECK_EQ(node->kind, NODE_FILE);
        buf_printf(&got, "%s%s", i ? " " : "", node->name);
        tree_node_deinit(&nodes[i]);
    }
    CHECK_STR(got.data, want);
}

static void siblings_follow_the_listing(void)
{
    static const char *const paths[] = {
        "p/m/b",         "p/m/a",         "p/m/c",
        "p/m/d/x",       "p/m/d/y",       "p/m/z",
        "p/m/f/g/h",     "p/m/m-5.index", "p/m/m-5.data-00000-of-00001",
        "p/m/m-6.index", "p/other/q",     NULL};
    open_tree(paths);
    check_siblings("p/m/files/a", 16, "b c x y h z");
    check_siblings("p/m/files/a", 2, "b c");
    check_siblings("p/m/files/a", 0, "");
    check_siblings("p/m/files/d/x", 16, "y h z");
    check_siblings("p/m/files/z", 16, "");
    check_siblings("p/m/files/d", 2, "x y");
    check_siblings("p/m/ckpt-5/m-5.data-00000-of-00001", 3, "m-5.index m-6.index a");
    check_siblings("p/m/ckpt-5/checkpoint", 1, "m-5.data-00000-of-00001");
    check_siblings("p/m/ckpt-5/.modelfs/info.json", 16, "");
    check_siblings("p/m/.modelfs/files/m-5.index", 16, "m-6.index z");
    check_siblings("p/m/.modelfs/files/z", 16, "");
    check_siblings("p/m", 16, "");
    check_siblings("", 16, "");
    close_tree();
}

static void what_is_not_known_has_no_siblings(void)
{
    static const char *const paths[] = {"p/m/a", "p/m/b", NULL};
    struct tree_node nodes[4];
    size_t n = 99;
    open_tree(paths);
    CHECK_EQ(tree_siblings(tree, 77, WALK_BY_NAME, 4, nodes, &n), -ESTALE);
    CHECK_EQ(n, 0);
    close_tree();
}

static void siblings_far_away_are_found(void)
{
    static const char *const paths[] = {
        "p/m/a", "p/m/b/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/f", "p/m/c", NULL};
    open_tree(paths);
    check_siblings("p/m/files/a", 16, "f c");
    check_siblings("p/m/files/b/1/2/3/4/5/6/7/8/9/10", 16, "f c");
    close_tree();
}

enum { N_NUMBERED = 12, N_INSIDE = 3, N_ALL = N_NUMBERED + N_INSIDE };

static int compare_inos(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t look_up_letter(const char *dir, int i)
{
    char path[64];
    snprintf(path, sizeof(path), "%s%c", dir, 'a' + i);
    return look_up(path);
}

/* The inode numbers of files/a to l and of those in files/sub, as somebody meets them who goes
 * through each directory by inode number. */
static void list_by_ino(uint64_t out[N_ALL])
{
    uint64_t top[N_NUMBERED + 1], sub = look_up("p/m/files/sub"), inside[N_INSIDE];
    size_t n = 0;
    for (int i = 0; i < N_NUMBERED; i++)
        top[i] = look_up_letter("p/m/files/", i);
    for (int i = 0; i < N_INSIDE; i++)
        inside[i] = look_up_letter("p/m/files/sub/", i);
    top[N_NUMBERED] = sub;
    qsort(top, N_NUMBERED + 1, sizeof(top[0]), compare_inos);
    qsort(inside, N_INSIDE, sizeof(inside[0]), compare_inos);
    for (int i = 0; i <= N_NUMBERED; i++)
        for (int k = 0; top[i] == sub ? k < N_INSIDE : k < 1; k++)
            out[n++] = top[i] == sub ? inside[k] : top[i];
}

static void siblings_may_go_by_inode_number(void)
{
    static const char *const paths[] = {
        "p/m/a", "p/m/b", "p/m/c", "p/m/d", "p/m/e",     "p/m/f",     "p/m/g",     "p/m/h",
        "p/m/i", "p/m/j", "p/m/k", "p/m/l", "p/m/sub/a", "p/m/sub/b", "p/m/sub/c", NULL};
    uint64_t want[N_ALL];
    struct tree_node nodes[N_ALL];
    size_t n;
    open_tree(paths);
    list_by_ino(want);
    for (size_t from = 0; from < N_ALL; from++) {
        CHECK_EQ(tree_siblings(tree, want[from], WALK_BY_INO, 5, nodes, &n), 0);
        CHECK_EQ(n, N_ALL - 1 - from < 5 ? N_ALL - 1 - from : 5);
        for (size_t i = 0; i < n; i++) {
            CHECK_EQ(nodes[i].layout->nodes[nodes[i].index].ino, want[from + 1 + i]);
            tree_node_deinit(&nodes[i]);
        }
    }
    close_tree();
}

/* Above the directory where there are enough, others are left alone. */
static void no_more_are_found_than_wanted(void)
{
    static const char *const paths[] = {"p/m/a",         "p/m/b",
                                        "p/m/m-5.index", "p/m/m-5.data-00000-of-00001",
                                        "p/m/m-6.index", "p/m/m-6.data-00000-of-00001",
                                        "p/m/sub/a",     NULL};
    static const char *const from[] = {"p/m/files/a", "p/m/files/b", "p/m/ckpt-5/m-5.index",
                                       "p/m/ckpt-6/m-6.index", "p/m/files/sub/a"};
    struct tree_node nodes[WALK_MAX_FILES];
    open_tree(paths);
    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++)
        for (size_t wanted = 0; wanted <= 3; wanted++)
            for (int order = WALK_BY_NAME; order <= WALK_BY_INO; order++) {
                size_t n;
                CHECK_EQ(tree_siblings(tree, look_up(from[i]), (enum walk_order)order, wanted,
                                       nodes, &n),
                         0);
                CHECK(n <= wanted);
                for (size_t k = 0; k < n; k++)
                    tree_node_deinit(&nodes[k]);
            }
    close_tree();
}

static bool follows(const char *last, const char *path, enum walk_order *out)
{
    uint64_t a = look_up(last), b = look_up(path);
    return tree_follows(tree, a, b, out);
}

static void who_follows_does_so_in_an_order(void)
{
    static const char *const paths[] = {
        "p/m/a", "p/m/b", "p/m/c", "p/m/d", "p/m/e",     "p/m/f",     "p/m/g",     "p/m/h",
        "p/m/i", "p/m/j", "p/m/k", "p/m/l", "p/m/sub/a", "p/m/sub/b", "p/m/sub/c", NULL};
    uint64_t all[N_ALL];
    enum walk_order order;
    open_tree(paths);
    CHECK(follows("p/m/files/a", "p/m/files/b", &order) && order == WALK_BY_NAME);
    CHECK(follows("p/m/files/a", "p/m/files/e", &order) && order == WALK_BY_NAME);
    CHECK(!follows("p/m/files/a", "p/m/files/a", &order));
    CHECK(!follows("p/m/files/a", "p/m/files/sub/b", &order));
    CHECK(!tree_follows(tree, 77, look_up("p/m/files/a"), &order));
    list_by_ino(all);
    int n_far = 0;
    for (size_t i = 0; i + 6 < N_ALL; i++) {
        bool near = tree_follows(tree, all[i + 6], all[i], &order); /* backwards */
        CHECK(!near || order == WALK_BY_NAME);
        n_far += !near;
    }
    CHECK(n_far > 0);
    close_tree();
}

int main(void)
{
    store_dir_make();
    TEST("siblings follow the listing", siblings_follow_the_listing);
    TEST("what is not known has no siblings", what_is_not_known_has_no_siblings);
    TEST("siblings far away are found", siblings_far_away_are_found);
    TEST("siblings may go by inode number", siblings_may_go_by_inode_number);
    TEST("no more are found than wanted", no_more_are_found_than_wanted);
    TEST("who follows does so in an order", who_follows_does_so_in_an_order);
    store_dir_drop();
    return check_done();
}
