/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/tables.h"

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

int tables_open(const char *dir, uint64_t map_bytes, struct tables *out, bool *out_dropped)
{
    struct env_options options = {
        .dir = dir,
        .map_bytes = map_bytes,
        .n_tables = N_TABLES,
        .safety = ENV_DISPOSABLE,
    };
    int r = env_open(&options, &out->env, out_dropped);
    if (r < 0)
        return r;
    r = open_all(out);
    if (r < 0)
        env_close(out->env);
    return r;
}
