/* SPDX-License-Identifier: Apache-2.0 */
/* A record:
 *
 *   flags 1 | id | size, time as numbers of as many bytes as they need | name | type | etag
 *   | digest 32 | link
 *
 * Texts end with NUL; what has no flag is not there. A time is seconds, and nanoseconds where there
 * are any. A link is a whole text, or what stands behind the listing's tail: as text, or as a count
 * of bytes and those of its hexadecimal digits. */
#include "registry/packed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/url.h"

enum {
    HAS_ID = 1,
    HAS_NAME = 2, /* another one than the id */
    HAS_TYPE = 4,
    HAS_DIGEST = 8,
    ETAG_TEXT = 16,
    ETAG_DIGEST = 32, /* the digest's digits in quotes */
    LINK_WHOLE = 1 << 6,
    LINK_TEXT = 2 << 6,
    LINK_HEX = 3 << 6,
    LINK_MASK = 3 << 6,
};

enum { BILLION = 1000000000, ETAG_BYTES = DIGEST_HEX_BYTES + 2, HEX_BYTES_MAX = 255 };

struct links *links_new(const char *head, const char *tail, bool has_id)
{
    size_t head_len = strlen(head), tail_len = strlen(tail);
    struct links *links = malloc(sizeof(*links) + head_len + tail_len + 2);
    if (!links)
        return NULL;
    links->has_id = has_id;
    links->tail = links->head + head_len + 1;
    memcpy(links->head, head, head_len + 1);
    memcpy(links->tail, tail, tail_len + 1);
    return links;
}

/* Where @id, encoded, ends the path of @url; NULL when it does not. */
static char *find_id(char *url, const char *id)
{
    char *found = NULL;
    size_t len = strlen(id);
    for (char *at = len ? strstr(url, id) : NULL; at; at = strstr(at + 1, id))
        if (at[len] == '\0' || at[len] == '?')
            found = at;
    return found;
}

struct links *links_of(const char *url, const char *id)
{
    BUF_CLEANUP struct buf head = {0}, encoded = {0};
    if (buf_puts(&head, url) < 0 || buf_puts(&encoded, "") < 0 ||
        url_append_encoded(&encoded, id, 1) < 0)
        return NULL;
    char *at = find_id(head.data, encoded.data);
    char *tail = at ? at + encoded.len : head.data;
    char *equals = strrchr(tail, '='), *slash = strrchr(tail, '/');
    char *end = equals ? equals + 1 : at ? tail + strlen(tail) : slash ? slash + 1 : tail;
    *end = '\0';
    if (!at)
        return links_new(head.data, "", false);
    *at = '\0';
    return links_new(head.data, tail, true);
}

static int put_number(struct buf *out, uint64_t n)
{
    int r = 0;
    for (; r == 0 && n >= 0x80; n >>= 7)
        r = buf_putc(out, (char)(n | 0x80));
    return r == 0 ? buf_putc(out, (char)n) : r;
}

/* Text with its NUL; NULL passes. */
static int put_text(struct buf *out, const char *text)
{
    return text ? buf_append(out, text, strlen(text) + 1) : 0;
}

static int put_time(struct buf *out, int64_t ns)
{
    int64_t s = ns / BILLION, rest = ns % BILLION;
    if (rest < 0) {
        s--;
        rest += BILLION;
    }
    uint64_t folded = s < 0 ? ~(uint64_t)s << 1 | 1 : (uint64_t)s << 1;
    int r = put_number(out, folded << 1 | (rest != 0));
    return r == 0 && rest ? put_number(out, (uint64_t)rest) : r;
}

static void format_etag(const struct digest *digest, char out[ETAG_BYTES])
{
    out[0] = '"';
    digest_format_hex(digest, out + 1);
    strcpy(out + DIGEST_HEX_BYTES, "\"");
}

static unsigned etag_flag(const struct listing_entry *entry)
{
    char etag[ETAG_BYTES];
    if (!entry->etag)
        return 0;
    if (!entry->has_digest)
        return ETAG_TEXT;
    format_etag(&entry->digest, etag);
    return strcmp(entry->etag, etag) == 0 ? ETAG_DIGEST : ETAG_TEXT;
}

/* What @url has behind the listing's tail; NULL when it is of another form. */
static const char *rest_of_link(const struct links *links, const struct listing_entry *entry)
{
    BUF_CLEANUP struct buf encoded = {0};
    const char *url = entry->url;
    size_t head = strlen(links->head), tail = strlen(links->tail);
    if (strncmp(url, links->head, head) != 0)
        return NULL;
    url += head;
    if (links->has_id && (url_append_encoded(&encoded, entry->id, 1) < 0 ||
                          strncmp(url, encoded.data ? encoded.data : "", encoded.len) != 0))
        return NULL;
    url += encoded.len;
    return strncmp(url, links->tail, tail) == 0 ? url + tail : NULL;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static unsigned link_flag(const char *rest)
{
    size_t len = rest ? strlen(rest) : 0;
    if (!rest)
        return LINK_WHOLE;
    return len % 2 || len > 2 * HEX_BYTES_MAX || strspn(rest, "0123456789abcdef") < len ? LINK_TEXT
                                                                                        : LINK_HEX;
}

static int put_link(struct buf *out, const char *url, const char *rest)
{
    unsigned how = link_flag(rest);
    if (how != LINK_HEX)
        return put_text(out, rest ? rest : url);
    int r = buf_putc(out, (char)(strlen(rest) / 2));
    for (; r == 0 && *rest; rest += 2)
        r = buf_putc(out, (char)(digit_of(rest[0]) << 4 | digit_of(rest[1])));
    return r;
}

static int put_all(struct buf *out, const struct listing_entry *entry, unsigned flags,
                   const char *rest)
{
    int r = buf_putc(out, (char)flags);
    if (r == 0)
        r = put_text(out, entry->id);
    if (r == 0)
        r = put_number(out, entry->size_bytes);
    if (r == 0)
        r = put_time(out, entry->mtime_ns);
    if (r == 0 && flags & HAS_NAME)
        r = put_text(out, entry->name);
    if (r == 0)
        r = put_text(out, entry->type);
    if (r == 0 && flags & ETAG_TEXT)
        r = put_text(out, entry->etag);
    if (r == 0 && entry->has_digest)
        r = buf_append(out, entry->digest.bytes, DIGEST_BYTES);
    return r == 0 && entry->url ? put_link(out, entry->url, rest) : r;
}

int packed_append(struct buf *out, const struct links *links, const struct listing_entry *entry)
{
    const char *rest = links && entry->id && entry->url ? rest_of_link(links, entry) : NULL;
    bool same = entry->id && entry->name && strcmp(entry->id, entry->name) == 0;
    unsigned flags = (entry->id ? HAS_ID : 0) | (entry->name && !same ? HAS_NAME : 0) |
                     (entry->type ? HAS_TYPE : 0) | (entry->has_digest ? HAS_DIGEST : 0) |
                     etag_flag(entry) | (entry->url ? link_flag(rest) : 0);
    size_t start = out->len;
    int r = put_all(out, entry, flags, rest);
    if (r < 0)
        out->len = start;
    return r;
}

/* What is left to read; at is NULL once something was not there. */
struct cursor {
    const char *at, *end;
};

static const char *take_bytes(struct cursor *c, size_t n)
{
    const char *bytes = c->at;
    c->at = bytes && n <= (size_t)(c->end - bytes) ? bytes + n : NULL;
    return c->at ? bytes : NULL;
}

static const char *take_text(struct cursor *c)
{
    const char *text = c->at;
    const char *nul = text ? memchr(text, '\0', (size_t)(c->end - text)) : NULL;
    c->at = nul ? nul + 1 : NULL;
    return nul ? text : NULL;
}

static uint64_t take_number(struct cursor *c)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const char *byte = take_bytes(c, 1);
        if (!byte)
            return 0;
        n |= (uint64_t)(*byte & 0x7f) << shift;
        if (!(*byte & 0x80))
            return n;
    }
    c->at = NULL;
    return 0;
}

static int64_t take_time(struct cursor *c)
{
    uint64_t number = take_number(c), rest = number & 1 ? take_number(c) : 0;
    uint64_t folded = number >> 1;
    int64_t s = folded & 1 ? (int64_t) ~(folded >> 1) : (int64_t)(folded >> 1), ns;
    /* the first second of all is not whole: its nanoseconds count from the one behind it */
    bool before = s < 0 && rest;
    if (rest >= BILLION || __builtin_mul_overflow(s + before, (int64_t)BILLION, &ns) ||
        __builtin_add_overflow(ns, (int64_t)rest - (before ? BILLION : 0), &ns))
        c->at = NULL;
    return c->at ? ns : 0;
}

/* All but the link; the flags. */
static unsigned take_entry(struct cursor *c, struct listing_entry *out)
{
    const char *first = take_bytes(c, 1);
    unsigned flags = first ? (unsigned char)*first : 0;
    *out = (struct listing_entry){.id = flags & HAS_ID ? take_text(c) : NULL};
    out->size_bytes = take_number(c);
    out->mtime_ns = take_time(c);
    out->name = flags & HAS_NAME ? take_text(c) : out->id;
    out->type = flags & HAS_TYPE ? take_text(c) : NULL;
    out->etag = flags & ETAG_TEXT ? take_text(c) : NULL;
    out->has_digest = (flags & HAS_DIGEST) != 0;
    const char *digest = out->has_digest ? take_bytes(c, DIGEST_BYTES) : NULL;
    if (digest)
        memcpy(out->digest.bytes, digest, DIGEST_BYTES);
    return flags;
}

/* The link's bytes, with the NUL of a text. */
static const char *take_link(struct cursor *c, unsigned flags, size_t *out_len)
{
    const char *text = NULL;
    *out_len = 0;
    if ((flags & LINK_MASK) == LINK_HEX) {
        const char *n = take_bytes(c, 1);
        *out_len = n ? (unsigned char)*n : 0;
        text = take_bytes(c, *out_len);
    } else if (flags & LINK_MASK) {
        text = take_text(c);
    }
    return text;
}

const char *packed_read(const char *at, const char *end, struct listing_entry *out)
{
    struct cursor c = {at, end};
    size_t len;
    unsigned flags = take_entry(&c, out);
    take_link(&c, flags, &len);
    return c.at;
}

static int put_url(struct buf *out, const struct links *links, const char *id, const char *rest,
                   size_t hex_bytes)
{
    static const char digits[] = "0123456789abcdef";
    int r = buf_puts(out, links->head);
    if (r == 0 && links->has_id)
        r = url_append_encoded(out, id, 1);
    if (r == 0)
        r = buf_puts(out, links->tail);
    if (r == 0 && !hex_bytes)
        return put_text(out, rest);
    for (size_t i = 0; r == 0 && i < hex_bytes; i++) {
        const char pair[2] = {digits[(unsigned char)rest[i] >> 4], digits[rest[i] & 15]};
        r = buf_append(out, pair, 2);
    }
    return r == 0 ? buf_putc(out, '\0') : r;
}

int packed_read_whole(const char *at, const char *end, const struct links *links, struct buf *texts,
                      struct listing_entry *out)
{
    char etag[ETAG_BYTES];
    struct cursor c = {at, end};
    size_t hex_bytes, start = texts->len, url_at;
    unsigned flags = take_entry(&c, out), how = flags & LINK_MASK;
    const char *link = take_link(&c, flags, &hex_bytes);
    bool is_short = how == LINK_TEXT || how == LINK_HEX;
    if (!c.at || (is_short && (!links || !out->id)))
        return -EINVAL;
    format_etag(&out->digest, etag);
    int r = flags & ETAG_DIGEST ? put_text(texts, etag) : 0;
    url_at = texts->len;
    if (r == 0 && is_short)
        r = put_url(texts, links, out->id, how == LINK_HEX && !hex_bytes ? "" : link, hex_bytes);
    if (r < 0)
        return r;
    if (flags & ETAG_DIGEST)
        out->etag = texts->data + start;
    out->url = is_short ? texts->data + url_at : link;
    return 0;
}
