/* SPDX-License-Identifier: Apache-2.0 */
/* A registry's file names: paths with newlines between, `!` before one that is empty; `>a>b` says
 * that a refers to b. Whatever they are, each file belongs somewhere once, checkpoints are in their
 * order, and what they say of themselves fits. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/checkpoints.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_FILES = 4096, MAX_REFERENCES = 64 };

static void require(bool fact)
{
    if (!fact)
        abort();
}

struct references {
    struct reference items[MAX_REFERENCES];
    size_t n;
};

/* Cuts @text into lines. */
static size_t read_files(char *text, struct checkpoint_file *files, struct references *references)
{
    size_t n = 0;
    char *rest = text, *line;
    references->n = 0;
    while (n < MAX_FILES && (line = strsep(&rest, "\n"))) {
        char *to = *line == '>' ? strchr(line + 1, '>') : NULL;
        if (to && references->n < MAX_REFERENCES) {
            *to = '\0';
            references->items[references->n++] = (struct reference){line + 1, to + 1};
            continue;
        }
        bool is_empty = *line == '!';
        files[n++] = (struct checkpoint_file){line + is_empty, !is_empty};
    }
    return n;
}

static void check_order(const struct checkpoint *a, const struct checkpoint *b)
{
    require(a->kind <= b->kind);
    require(a->kind != b->kind || a->step <= b->step);
}

static void check_one(const struct checkpoint *c, const struct checkpoint_file *files,
                      unsigned char *seen)
{
    size_t len = strlen(c->directory);
    require(c->n_files > 0 && c->framework && c->format);
    require(strncmp(c->name, c->kind == CHECKPOINT_STEP ? "ckpt-" : "export-", 5) == 0);
    require(c->kind == CHECKPOINT_EXPORT || c->step >= 0);
    require(!c->missing || *c->missing);
    for (size_t i = 0; i < c->n_files; i++) {
        require(i == 0 || c->files[i - 1] < c->files[i]);
        require(strncmp(files[c->files[i]].path, c->directory, len) == 0);
        require(!seen[c->files[i]]++);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct checkpoint_file files[MAX_FILES];
    static unsigned char seen[MAX_FILES];
    static struct references references;
    struct checkpoints found;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    size_t n = read_files(text, files, &references);
    memset(seen, 0, sizeof(seen));
    require(checkpoints_find_referred(files, n, references.items, references.n, &found) == 0);
    for (size_t i = 0; i < found.n; i++) {
        check_one(&found.items[i], files, seen);
        if (i > 0)
            check_order(&found.items[i - 1], &found.items[i]);
    }
    for (size_t i = 0; i < found.n_rest; i++)
        require(!seen[found.rest[i]]++);
    for (size_t i = 0; i < n; i++)
        require(seen[i] == 1);
    const struct checkpoint *latest = checkpoints_latest(&found, n ? files[0].path : NULL);
    require(!latest || !latest->missing);
    checkpoints_deinit(&found);
    free(text);
    return 0;
}
