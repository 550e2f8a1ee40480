/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/records.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "util/clock.h"

enum { NS_PER_MS = 1000000 };

int records_new_id(struct store_txn *txn, enum store_table table, const char *prefix,
                   size_t n_random, char out[NAMES_ID_BYTES])
{
    uint8_t random[NAMES_ID_BYTES];
    do {
        if (getrandom(random, sizeof(random), 0) != sizeof(random))
            return -EIO;
        names_format_id(prefix, random, n_random, out);
    } while (store_has(txn, table, store_key_of(out)));
    return 0;
}

/* Now, and never the same twice in this process: things made one after the other sort that way,
 * though the text counts milliseconds only. */
static int64_t next_time_ns(void)
{
    static _Atomic int64_t last_ms;
    int64_t before = atomic_load(&last_ms), now;
    do {
        now = clock_wall_ns() / NS_PER_MS;
        now = now > before ? now : before + 1;
    } while (!atomic_compare_exchange_weak(&last_ms, &before, now));
    return now * NS_PER_MS;
}

static int set_time(json_t *record, const char *key, int64_t ns)
{
    char text[CLOCK_ISO_BYTES];
    clock_format_iso(ns, text);
    return json_object_set_new(record, key, json_string(text)) < 0 ? -ENOMEM : 0;
}

int records_set_now(json_t *record, const char *key)
{
    return set_time(record, key, next_time_ns());
}

int records_touch(json_t *record)
{
    const char *text = json_get_text(record, "dtModified");
    int64_t now = next_time_ns(), before;
    if (text && clock_parse_iso(text, &before) == 0 && now < before + NS_PER_MS)
        now = before + NS_PER_MS; /* clocks go back */
    return set_time(record, "dtModified", now);
}

static bool is_deleted(const json_t *record)
{
    return json_get_text(record, "dtDeleted") != NULL;
}

int records_offer(const json_t *record, const struct filter *filter, json_t *records)
{
    if (is_deleted(record) || !filter_matches(filter, record))
        return 0;
    return json_array_append(records, (json_t *)record) < 0 ? -ENOMEM : 0;
}

struct collection {
    const struct filter *filter;
    json_t *records;
};

static int collect_record(struct store_key key, struct store_key value, void *arg)
{
    struct collection *collection = arg;
    json_t *record JSON_CLEANUP = store_value_json(value);
    (void)key;
    return record ? records_offer(record, collection->filter, collection->records) : -EIO;
}

int records_collect(struct store_txn *txn, enum store_table table, const struct filter *filter,
                    json_t **out)
{
    json_t *records JSON_CLEANUP = json_array();
    struct collection collection = {filter, records};
    if (!records)
        return -ENOMEM;
    int r = store_each(txn, table, (struct store_key){"", 0}, collect_record, &collection);
    if (r < 0)
        return r;
    *out = steal_ptr(records);
    return 0;
}

int records_get(struct store_txn *txn, enum store_table table, const char *id, json_t **out)
{
    json_t *record JSON_CLEANUP = NULL;
    size_t len = strlen(id);
    if (len == 0 || len >= NAMES_ID_BYTES)
        return -ENOENT;
    int r = store_get_json(txn, table, store_key_of(id), &record);
    if (r < 0)
        return r;
    if (is_deleted(record))
        return -ENOENT;
    *out = steal_ptr(record);
    return 0;
}
