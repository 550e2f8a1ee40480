/* SPDX-License-Identifier: Apache-2.0 */
#include "model/glimpse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/minmax.h"

void glimpse_init(struct glimpse *glimpse, uint64_t size_bytes)
{
    *glimpse = (struct glimpse){.size_bytes = size_bytes};
}

void glimpse_deinit(struct glimpse *glimpse)
{
    glimpse_drop(glimpse, UINT64_MAX);
    free(glimpse->parts);
    *glimpse = (struct glimpse){0};
}

static uint64_t end_of(const struct glimpse_part *part)
{
    return part->offset + part->len;
}

/* The part that holds the byte at @offset, or ends there; NULL when there is none. */
static struct glimpse_part *part_at(const struct glimpse *glimpse, uint64_t offset)
{
    size_t low = 0, high = glimpse->n_parts;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (end_of(&glimpse->parts[middle]) < offset)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = low < glimpse->n_parts && glimpse->parts[low].offset <= offset;
    return is_found ? &glimpse->parts[low] : NULL;
}

/* Notes that [offset, offset + n) is wanted, n at least 1 and within the file, without what is here
 * at its beginning; and as much of @guess as there is room for. */
static void want(struct glimpse *glimpse, uint64_t offset, uint64_t n, uint64_t guess)
{
    const struct glimpse_part *part = part_at(glimpse, offset);
    uint64_t known = part ? end_of(part) - offset : 0;
    uint64_t held = min_u64(glimpse->held_bytes, GLIMPSE_MAX_BYTES);
    uint64_t room = GLIMPSE_MAX_BYTES - held;
    uint64_t len = max_u64(guess > known ? guess - known : 0, GLIMPSE_MIN_BYTES);
    glimpse->want_offset = offset + known;
    len = min_u64(min_u64(len, room), glimpse->size_bytes - glimpse->want_offset);
    glimpse->error = n - known > room ? -EFBIG : -EAGAIN;
    glimpse->want_len = glimpse->error == -EAGAIN ? (size_t)max_u64(len, n - known) : 0;
}

const uint8_t *glimpse_ask(struct glimpse *glimpse, uint64_t offset, uint64_t n, uint64_t guess)
{
    static const uint8_t nothing;
    if (offset > glimpse->size_bytes || n > glimpse->size_bytes - offset) {
        glimpse->error = -EBADMSG;
        glimpse->want_len = 0;
        return NULL;
    }
    if (n == 0)
        return &nothing;
    const struct glimpse_part *part = part_at(glimpse, offset);
    if (part && n <= end_of(part) - offset)
        return part->data + (offset - part->offset);
    want(glimpse, offset, n, guess);
    return NULL;
}

const uint8_t *glimpse_at(struct glimpse *glimpse, uint64_t offset, uint64_t n)
{
    return glimpse_ask(glimpse, offset, n, n);
}

int glimpse_error(const struct glimpse *glimpse)
{
    return glimpse->error;
}

static int extend(struct glimpse *glimpse, struct glimpse_part *part, const uint8_t *data,
                  size_t len)
{
    uint8_t *grown = realloc(part->data, part->len + len);
    if (!grown)
        return -ENOMEM;
    memcpy(grown + part->len, data, len);
    part->data = grown;
    part->len += len;
    glimpse->held_bytes += len;
    return 0;
}

/* Takes @data over when it succeeds. */
static int insert(struct glimpse *glimpse, uint64_t offset, uint8_t *data, size_t len)
{
    struct glimpse_part *parts = realloc(glimpse->parts, (glimpse->n_parts + 1) * sizeof(*parts));
    size_t at = 0;
    if (!parts)
        return -ENOMEM;
    glimpse->parts = parts;
    while (at < glimpse->n_parts && parts[at].offset < offset)
        at++;
    memmove(parts + at + 1, parts + at, (glimpse->n_parts - at) * sizeof(*parts));
    parts[at] = (struct glimpse_part){offset, len, data};
    glimpse->n_parts++;
    glimpse->held_bytes += len;
    return 0;
}

/* How many of @len bytes at @offset come before the next part begins. */
static size_t room_at(const struct glimpse *glimpse, uint64_t offset, size_t len)
{
    for (size_t i = 0; i < glimpse->n_parts; i++) {
        uint64_t begin = glimpse->parts[i].offset;
        if (begin >= offset && begin - offset < len)
            len = (size_t)(begin - offset);
    }
    return len;
}

/* Joins neighbours that touch. */
static int join(struct glimpse *glimpse)
{
    for (size_t i = 0; i + 1 < glimpse->n_parts;) {
        struct glimpse_part *a = &glimpse->parts[i], *b = a + 1;
        if (end_of(a) < b->offset) {
            i++;
            continue;
        }
        glimpse->held_bytes -= b->len;
        if (extend(glimpse, a, b->data, b->len) < 0) {
            glimpse->held_bytes += b->len;
            return -ENOMEM;
        }
        free(b->data);
        memmove(b, b + 1, (glimpse->n_parts - i - 2) * sizeof(*b));
        glimpse->n_parts--;
    }
    return 0;
}

int glimpse_add(struct glimpse *glimpse, uint64_t offset, uint8_t *data, size_t len)
{
    struct glimpse_part *part = part_at(glimpse, offset);
    size_t known = part ? (size_t)(end_of(part) - offset) : 0;
    int r = 0;
    glimpse->want_len = 0;
    if (known < len) {
        size_t n = room_at(glimpse, offset + known, len - known);
        if (part) {
            r = extend(glimpse, part, data + known, n);
        } else if (n) {
            r = insert(glimpse, offset, data, n);
            data = r == 0 ? NULL : data;
        }
    }
    free(data);
    return r == 0 ? join(glimpse) : r;
}

void glimpse_drop(struct glimpse *glimpse, uint64_t offset)
{
    size_t kept = 0;
    for (size_t i = 0; i < glimpse->n_parts; i++) {
        struct glimpse_part *part = &glimpse->parts[i];
        if (end_of(part) <= offset) {
            glimpse->held_bytes -= part->len;
            free(part->data);
            continue;
        }
        if (part->offset < offset) {
            size_t cut = (size_t)(offset - part->offset);
            memmove(part->data, part->data + cut, part->len - cut);
            part->offset += cut;
            part->len -= cut;
            glimpse->held_bytes -= cut;
        }
        glimpse->parts[kept++] = *part;
    }
    glimpse->n_parts = kept;
}
