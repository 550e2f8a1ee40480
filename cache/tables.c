/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/tables.h"

#include <errno.h>

#include "cache/record.h"

#include <errno.h>

enum { N_TABLES = 5 };

static int open_all(struct tables *t)
{
    struct {
        const char *name;
        unsigned *number;
    } all[N_TABLES] = {{"blocks", &t->blocks},
                       {"uses", &t->uses},
                       {"order", &t->order},
                       {"pins", &t->pins},
                       {"meta", &t->meta}};
    int r = 0;
    for (int i = 0; i < N_TABLES && r == 0; i++)
        r = env_table(t->env, all[i].name, all[i].number);
    return r;
}

static int open_once(const struct env_options *options, struct tables *out, bool *out_dropped)
{
    int r = env_open(options, &out->env, out_dropped);
    if (r < 0)
        return r;
    r = open_all(out);
    if (r < 0) {
        env_close(out->env);
        out->env = NULL;
    }
    return r;
}

int tables_open(const char *dir, uint64_t map_bytes, struct tables *out, bool *out_dropped)
{
    struct env_options options = {
        .dir = dir,
        .map_bytes = map_bytes,
        .n_tables = N_TABLES,
        .safety = ENV_DISPOSABLE,
    };
    int r = open_once(&options, out, out_dropped);
    if (r == -EIO) /* damage that only the tables show; it is remembered, and made anew now */
        r = open_once(&options, out, out_dropped);
    return r;
}

int tables_check_entry(struct env_txn *txn, const struct tables *tables,
                       const uint8_t key[BLOCK_KEY_BYTES])
{
    struct blob_id blob;
    uint32_t block;
    struct record record;
    struct env_bytes value, at = {.data = key, .len = BLOCK_KEY_BYTES};
    int r = env_get(txn, tables->blocks, at, &value);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    block_key_parse(key, &blob, &block);
    bool foreign = record_open(value.data, value.len, &blob, block, &record) == -EXDEV;
    return foreign ? env_set_broken(tables->env) : 0;
}
