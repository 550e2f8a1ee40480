/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/diff_values.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/elements.h"
#include "cmd/facts.h"
#include "cmd/facts_diff.h"
#include "cmd/progress.h"
#include "cmd/tensor_files.h"

enum { WINDOW_BYTES = 1 << 20 }; /* whole elements */

struct comparison {
    struct tensor_files a, b;
    struct progress progress;
    uint64_t done_bytes;
    unsigned char *window_a, *window_b; /* owned */
    json_t *values;                     /* borrowed */
};

static void comparison_deinit(struct comparison *c)
{
    tensor_files_deinit(&c->a);
    tensor_files_deinit(&c->b);
    free(c->window_a);
    free(c->window_b);
}

static void close_tensor(struct tensor_file *tensor)
{
    cleanup_close(&tensor->fd);
}

/* All of @len, or -errno: -ESTALE when the file ends before. */
static int read_whole(int fd, unsigned char *out, size_t len, uint64_t off)
{
    while (len) {
        ssize_t n = pread(fd, out, len, (off_t)off);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ESTALE;
        out += n;
        off += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

/* Reads elements as they are compared. */
static int read_elements(const struct tensor_file *file, enum element_kind kind, uint64_t off,
                         unsigned char *out, size_t len)
{
    int r = read_whole(file->fd, out, len, file->data_off + off);
    if (r == 0 && file->is_big_endian)
        elements_swap(kind, out, len);
    return r;
}

static int compare_bytes(struct comparison *c, enum element_kind kind, const struct tensor_file *a,
                         const struct tensor_file *b, struct element_diff *out)
{
    int r = 0;
    for (uint64_t off = 0; r == 0 && off < a->data_bytes; off += WINDOW_BYTES) {
        uint64_t left = a->data_bytes - off;
        size_t n = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
        r = read_elements(a, kind, off, c->window_a, n);
        if (r == 0)
            r = read_elements(b, kind, off, c->window_b, n);
        if (r < 0)
            return r;
        elements_compare(kind, c->window_a, c->window_b, n, out);
        c->done_bytes += n;
        progress_set(&c->progress, c->done_bytes);
    }
    return r;
}

/* JSON has no infinity, and of blocks there is no difference to tell. */
static json_t *make_greatest(enum element_kind kind, const struct element_diff *found)
{
    if (kind == ELEMENT_OTHER)
        return json_null();
    return isfinite(found->greatest) ? json_real(found->greatest) : json_string("Infinity");
}

static int add_different(struct comparison *c, const json_t *tensor, enum element_kind kind,
                         const struct element_diff *found)
{
    json_t *item = json_object();
    int r = json_object_set(item, "name", json_object_get(tensor, "name"));
    if (json_get_text(tensor, "dtype"))
        r |= json_object_set(item, "dtype", json_object_get(tensor, "dtype"));
    r |= json_object_set_new(item, "elements", json_integer((json_int_t)found->n));
    r |= json_object_set_new(item, "differing", json_integer((json_int_t)found->n_different));
    r |= json_object_set_new(item, "greatest", make_greatest(kind, found));
    if (found->n_nan)
        r |= json_object_set_new(item, "nan", json_integer((json_int_t)found->n_nan));
    r |= json_array_append_new(json_get_array(c->values, "different"), item);
    return r < 0 ? -ENOMEM : 0;
}

static int add_same(struct comparison *c)
{
    json_int_t n = json_integer_value(json_object_get(c->values, "same"));
    return json_object_set_new(c->values, "same", json_integer(n + 1)) < 0 ? -ENOMEM : 0;
}

static int add_lacking(struct comparison *c, const json_t *tensor)
{
    json_t *list = json_get_array(c->values, "lacking");
    return json_array_append(list, json_object_get(tensor, "name")) < 0 ? -ENOMEM : 0;
}

/* 0 or -errno: -EINVAL for what is not what the facts say. */
static int compare_tensor(struct comparison *c, const json_t *tensor)
{
    const char *name = json_get_text(tensor, "name");
    CLEANUP(close_tensor) struct tensor_file a = {.fd = -1};
    CLEANUP(close_tensor) struct tensor_file b = {.fd = -1};
    struct element_diff found = {0};
    enum element_kind kind = element_kind_of(json_get_text(tensor, "dtype"));
    int r = tensor_files_open(&c->a, name, &a);
    if (r == 0)
        r = tensor_files_open(&c->b, name, &b);
    if (r == -ENOENT)
        return add_lacking(c, tensor);
    if (r == 0 && a.data_bytes != b.data_bytes)
        return -EINVAL;
    if (r == 0 && a.data_bytes % element_bytes(kind))
        kind = ELEMENT_OTHER;
    progress_name(&c->progress, name);
    if (r == 0)
        r = compare_bytes(c, kind, &a, &b, &found);
    if (r < 0)
        return r;
    return found.n_different ? add_different(c, tensor, kind, &found) : add_same(c);
}

static int complain(struct comparison *c, const struct subject_as *as, const char *what, int r)
{
    progress_clear(&c->progress);
    fprintf(stderr, "modelfs diff: %s: %s%s%s\n", as->text, what ? what : "", what ? ": " : "",
            r == -EINVAL   ? "is no .npy of the shape that is told of it"
            : r == -ESTALE ? "changed meanwhile, or ends before its end"
                           : strerror(-r));
    return r == -ENOMEM ? EX_OSERR : r == -EIO ? EX_TEMPFAIL : EX_IOERR;
}

static int scan(struct comparison *c, const struct subject_as *as, struct tensor_files *out)
{
    int r = as->subject.is_path ? tensor_files_scan(as->text, out) : -ENOENT;
    if (r == 0)
        return EX_OK;
    if (r != -ENOENT)
        return complain(c, as, ".modelfs/tensors", r);
    fprintf(stderr, "modelfs diff: %s: %s\n", as->text,
            as->subject.is_path ? "the mount shows no tensors of it"
                                : "values are compared in a mount: name a directory there");
    return EX_UNAVAILABLE;
}

static uint64_t total_bytes(const json_t *tensors)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < json_array_size(tensors); i++)
        if (__builtin_add_overflow(sum, facts_size(json_array_get(tensors, i), "bytes"), &sum))
            return UINT64_MAX;
    return sum;
}

static int start(struct comparison *c, json_t *diff)
{
    c->window_a = malloc(WINDOW_BYTES);
    c->window_b = malloc(WINDOW_BYTES);
    c->values = json_pack("{s:i, s:[], s:[]}", "same", 0, "different", "lacking");
    int r = json_object_set_new(diff, "values", c->values);
    return c->window_a && c->window_b && r == 0 ? EX_OK : EX_OSERR;
}

int diff_values(const struct subject_as *a, const struct subject_as *b, json_t *diff)
{
    CLEANUP(comparison_deinit) struct comparison c = {0};
    JSON_CLEANUP json_t *tensors = facts_common_tensors(a->facts, b->facts);
    int code = tensors ? scan(&c, a, &c.a) : EX_OSERR;
    if (code == EX_OK)
        code = scan(&c, b, &c.b);
    if (code == EX_OK)
        code = start(&c, diff);
    if (code != EX_OK)
        return code;
    progress_start(&c.progress, total_bytes(tensors));
    for (size_t i = 0; i < json_array_size(tensors); i++) {
        const json_t *tensor = json_array_get(tensors, i);
        int r = compare_tensor(&c, tensor);
        if (r < 0)
            return complain(&c, a, json_get_text(tensor, "name"), r);
    }
    progress_clear(&c.progress);
    if (json_array_size(json_get_array(c.values, "different")))
        json_object_set_new(diff, "same", json_false());
    return EX_OK;
}
