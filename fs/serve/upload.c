/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/upload.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "serve/files.h"
#include "serve/frame.h"
#include "serve/models.h"
#include "serve/records.h"
#include "util/clock.h"
#include "util/log.h"

enum { CONTENT_TYPE_BYTES = 128 };

struct upload {
    struct store *store;
    struct objects_temp *temp;
    struct frame frame;
    char model_id[NAMES_ID_BYTES];
    char *path;
    char content_type[CONTENT_TYPE_BYTES]; /* a longer one is cut: it is a hint */
};

DEFINE_CLEANUP(struct upload *, cleanup_upload, upload_free)

static int check_model(struct store *store, const char *id)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    json_t *model JSON_CLEANUP = NULL;
    int r = store_begin(store, false, &txn);
    return r < 0 ? r : records_get(txn, STORE_MODELS, id, &model);
}

/* Its ASCII part: it is kept in JSON. */
static void copy_content_type(char out[CONTENT_TYPE_BYTES], const char *type)
{
    size_t n = 0;
    for (; type && type[n] > ' ' - 1 && type[n] < 0x7f && n < CONTENT_TYPE_BYTES - 1; n++)
        out[n] = type[n];
    out[n] = '\0';
}

int upload_new(struct store *store, const struct request *request, struct upload **out)
{
    int r = check_model(store, request->id);
    if (r < 0)
        return r;
    struct upload *upload CLEANUP(cleanup_upload) = calloc(1, sizeof(*upload));
    if (!upload)
        return -ENOMEM;
    upload->store = store;
    memcpy(upload->model_id, request->id, sizeof(upload->model_id));
    copy_content_type(upload->content_type, request_header(request, "Content-Type"));
    upload->path = strdup(request->rest);
    r = upload->path ? objects_temp_new(store_objects(store), &upload->temp) : -ENOMEM;
    if (r < 0)
        return r;
    *out = steal_ptr(upload);
    return 0;
}

void upload_free(struct upload *upload)
{
    if (!upload)
        return;
    objects_temp_free(upload->temp);
    frame_deinit(&upload->frame);
    free(upload->path);
    free(upload);
}

static int write_bytes(const void *data, size_t len, void *arg)
{
    return objects_temp_write(arg, data, len);
}

int upload_feed(struct upload *upload, const void *data, size_t len)
{
    return frame_feed(&upload->frame, data, len, write_bytes, upload->temp);
}

/* Ends the content: framing off, all on the disk. */
static int end_content(struct upload *upload, struct stored_file *file)
{
    enum frame_end end;
    int r = frame_finish(&upload->frame, write_bytes, upload->temp, &end);
    if (r == 0 && end == FRAME_OPEN)
        r = objects_temp_prepend(upload->temp, upload->frame.head.data, upload->frame.head.len);
    if (r == 0)
        r = objects_temp_finish(upload->temp, &file->digest, &file->size_bytes);
    return r;
}

/* Puts file and model in one transaction: either both tell of the upload or none. */
static int publish(struct upload *upload, const struct stored_file *file)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    json_t *model JSON_CLEANUP = NULL;
    int r = store_begin(upload->store, true, &txn);
    if (r == 0)
        r = records_get(txn, STORE_MODELS, upload->model_id, &model);
    if (r == 0)
        r = files_put(txn, upload->model_id, file, upload->temp);
    if (r == 0)
        r = models_note_upload(model, file->path);
    if (r == 0)
        r = store_put_json(txn, STORE_MODELS, store_key_of(upload->model_id), model);
    return r < 0 ? r : store_commit(steal_ptr(txn));
}

int upload_finish(struct upload *upload, struct reply *reply)
{
    char hex[DIGEST_HEX_BYTES];
    struct stored_file file = {.path = upload->path, .content_type = upload->content_type};
    int r = end_content(upload, &file);
    file.modified_ns = clock_wall_ns();
    if (r == 0)
        r = publish(upload, &file);
    if (r == -ENOENT)
        return reply_error(reply, 404, "Unable to find model");
    if (r < 0)
        return r;
    log_info("serve: model %s: stored %s, %" PRIu64 " bytes", upload->model_id, upload->path,
             file.size_bytes);
    digest_format_hex(&file.digest, hex);
    reply_add_header(reply, "ETag", "\"%s\"", hex);
    return reply_empty(reply, 200);
}
