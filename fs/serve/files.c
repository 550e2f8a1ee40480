/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/files.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "serve/names.h"

/* The key of a model's file; with no path, what the keys of all its files begin with. */
struct file_key {
    char bytes[NAMES_ID_BYTES + DIGEST_BYTES];
    size_t len;
};

static void make_key(const char *model_id, const char *path, struct file_key *out)
{
    struct digest digest;
    out->len = strlen(model_id) + 1;
    assert(out->len <= NAMES_ID_BYTES);
    memcpy(out->bytes, model_id, out->len); /* with its NUL */
    if (!path)
        return;
    digest_of(path, strlen(path), &digest);
    memcpy(out->bytes + out->len, digest.bytes, DIGEST_BYTES);
    out->len += DIGEST_BYTES;
}

static struct store_key as_key(const struct file_key *key)
{
    return (struct store_key){key->bytes, key->len};
}

static json_t *format_record(const struct stored_file *file)
{
    char hex[DIGEST_HEX_BYTES];
    digest_format_hex(&file->digest, hex);
    return json_pack("{s:s, s:s, s:I, s:I, s:s}", "path", file->path, "sha256", hex, "size",
                     (json_int_t)file->size_bytes, "modified_ns", (json_int_t)file->modified_ns,
                     "contentType", file->content_type);
}

static int parse_record(const json_t *record, struct stored_file *out)
{
    const char *digest = json_get_text(record, "sha256");
    int64_t size = json_get_int(record, "size", -1);
    *out = (struct stored_file){
        .path = json_get_text(record, "path"),
        .size_bytes = (uint64_t)size,
        .modified_ns = json_get_int(record, "modified_ns", 0),
        .content_type = json_get_text(record, "contentType"),
    };
    if (!out->path || !out->content_type || size < 0 || !digest)
        return -EIO;
    return digest_parse(digest, &out->digest) < 0 ? -EIO : 0;
}

int files_put(struct store_txn *txn, const char *model_id, const struct stored_file *file,
              struct objects_temp *temp)
{
    json_t *record JSON_CLEANUP = format_record(file), *old_record JSON_CLEANUP = NULL;
    struct stored_file old;
    struct file_key key;
    if (!record)
        return -ENOMEM;
    make_key(model_id, file->path, &key);
    /* First the new reference, then the old one's end: the same content again never comes down to
     * 0. */
    int r = store_ref_new(txn, temp, &file->digest, file->size_bytes);
    if (r < 0)
        return r;
    r = files_find(txn, model_id, file->path, &old, &old_record);
    if (r == 0)
        r = store_unref(txn, &old.digest);
    if (r < 0 && r != -ENOENT)
        return r;
    return store_put_json(txn, STORE_FILES, as_key(&key), record);
}

int files_find(struct store_txn *txn, const char *model_id, const char *path,
               struct stored_file *out, json_t **out_record)
{
    struct file_key key;
    json_t *record JSON_CLEANUP = NULL;
    make_key(model_id, path, &key);
    int r = store_get_json(txn, STORE_FILES, as_key(&key), &record);
    if (r == 0)
        r = parse_record(record, out);
    if (r == 0)
        *out_record = steal_ptr(record);
    return r;
}

struct visit {
    files_fn fn;
    void *arg;
};

static int visit_record(struct store_key key, struct store_key value, void *arg)
{
    const struct visit *visit = arg;
    json_t *record JSON_CLEANUP = store_value_json(value);
    struct stored_file file;
    (void)key;
    int r = record ? parse_record(record, &file) : -EIO;
    return r < 0 ? r : visit->fn(&file, visit->arg);
}

int files_each(struct store_txn *txn, const char *model_id, files_fn fn, void *arg)
{
    struct file_key prefix;
    struct visit visit = {fn, arg};
    make_key(model_id, NULL, &prefix);
    return store_each(txn, STORE_FILES, as_key(&prefix), visit_record, &visit);
}

/* Remembers a key and the digest behind it: nothing may be deleted during the walk. */
static int note_record(struct store_key key, struct store_key value, void *arg)
{
    json_t *record JSON_CLEANUP = store_value_json(value);
    struct buf *notes = arg;
    struct stored_file file;
    int r = record ? parse_record(record, &file) : -EIO;
    if (r == 0)
        r = buf_append(notes, key.data, key.len);
    return r < 0 ? r : buf_append(notes, file.digest.bytes, DIGEST_BYTES);
}

int files_delete_all(struct store_txn *txn, const char *model_id)
{
    struct buf notes BUF_CLEANUP = {0};
    struct file_key prefix;
    struct digest digest;
    make_key(model_id, NULL, &prefix);
    int r = store_each(txn, STORE_FILES, as_key(&prefix), note_record, &notes);
    size_t key_len = prefix.len + DIGEST_BYTES;
    for (size_t at = 0; r == 0 && at < notes.len; at += key_len + DIGEST_BYTES) {
        memcpy(digest.bytes, notes.data + at + key_len, DIGEST_BYTES);
        r = store_delete(txn, STORE_FILES, (struct store_key){notes.data + at, key_len});
        if (r == 0)
            r = store_unref(txn, &digest);
    }
    return r;
}
