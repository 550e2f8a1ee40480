/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says what the others are: 0 a whole file; 1 events behind a byte of length each,
 * which get the right checksums; 2 one event that is made long by an image of 100,000 bytes where a
 * 0xee stands. */
#include "model/tfevents.h"

#include "fuzz.h"
#include "model/history.h"
#include "unit/events_builder.h"

enum { IMAGE_BYTES = 100000 };

static void build(struct buf *out, const uint8_t *data, size_t size)
{
    while (size) {
        size_t len = *data++;
        size--;
        len = len < size ? len : size;
        put_record(out, data, len);
        data += len;
        size -= len;
    }
}

static void build_long(struct buf *out, const uint8_t *data, size_t size)
{
    static char image[IMAGE_BYTES];
    struct buf event = {0};
    for (size_t i = 0; i < size; i++)
        if (data[i] == 0xee && event.len < IMAGE_BYTES)
            put_bytes(&event, 4, image, sizeof(image));
        else
            buf_append(&event, data + i, 1);
    put_record(out, event.data, event.len);
    buf_deinit(&event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct history_file files[] = {{"train/events.out.tfevents.1", 0}};
    struct history history;
    struct buf file = {0};
    if (!size || *data > 2)
        return -1;
    if (*data == 0)
        buf_append(&file, data + 1, size - 1);
    else
        (*data == 1 ? build : build_long)(&file, data + 1, size - 1);
    history_init(&history, files, 1);
    if (fuzz_parse(tfevents_parse, &history, 0, (uint8_t *)file.data, file.len) != 0)
        abort(); /* an event file has an end, and no errors */
    if (history_merge(&history) < 0)
        abort();
    history_deinit(&history);
    buf_deinit(&file);
    return 0;
}
