/* SPDX-License-Identifier: Apache-2.0 */
/* How a mount was read, as a stream of bytes: what `.modelfs/trace` gives, what `modelfs trace`
 * keeps, and what the read-ahead is tried on again (tests/unit/test_trace_replay.c). Pure; bytes
 * that are decoded may be anybody's.
 *
 *     stream = "modelfs trace 1\n" START record...
 *     START  = varint: when it began, in us since 1970 (UTC)
 *     record = a byte that tells its kind in the two lowest bits, and then
 *
 *     0 FILE   varint size in bytes, varint length of the path, the path
 *     1 READ   [varint file]      unless FLAG_SAME_FILE: that of the read before
 *              svarint offset     less where the file's last read ended; 0 in sequence
 *              [varint size]      unless FLAG_SAME_SIZE: that of the file's last read
 *              svarint begin      in us, less the begin of the read before; from START on
 *              varint latency     in us, from the kernel's request to the answer
 *              [varint got]       with FLAG_SHORT: fewer bytes than asked for came,
 *              [varint errno]     and when none came, why (0: the file's end)
 *     2 LOST   varint: so many reads were not kept, for the reader of the stream was slow
 *     3 END    the last one, of a recording that was ended in order
 *
 * A varint is 7 bits a byte, the lowest first, the highest bit set in all bytes but the last; an
 * svarint is a varint of (v << 1) ^ (v >> 63). The source of a read's bytes (enum read_source)
 * stands in bits 2 to 4 of its first byte, the flags above. A file is introduced before its first
 * read; the n-th FILE is file n, counted from 0. Reads come in the order in which they ended. A
 * read in sequence is six bytes or so. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "read/answer.h"
#include "util/buf.h"

#define TRACE_MAGIC "modelfs trace 1\n"

enum {
    TRACE_MAGIC_BYTES = sizeof(TRACE_MAGIC) - 1,
    TRACE_FILES_MAX = 1 << 16,   /* in a stream */
    TRACE_PATH_MAX = 4096,       /* bytes of a path */
    TRACE_SIZE_MAX = 1 << 30,    /* bytes of a read */
    TRACE_RECORD_MAX = 32 + 4096 /* bytes: no record is longer */
};

struct trace_read {
    uint32_t file;
    enum read_source source;
    int err;            /* errno when none came for that, else 0 */
    uint64_t off;       /* below 2^63, as off + size */
    uint32_t size, got; /* bytes asked for, and brought */
    int64_t began_us;   /* since START; negative: the read was under way by then */
    uint64_t took_us;
};

enum trace_kind { TRACE_START, TRACE_FILE, TRACE_READ, TRACE_LOST, TRACE_END };

struct trace_record {
    enum trace_kind kind;
    union {
        int64_t started_us; /* since 1970 */
        struct {
            uint64_t size_bytes;
            const char *path; /* borrowed from the bytes, without a NUL */
            size_t path_len;
        } file;
        struct trace_read read;
        uint64_t n_lost;
    };
};

/* What both ends remember of a stream. Embedded by value: start from {0}, end with
 * trace_coder_deinit(). One stream and one direction each; not thread-safe. */
struct trace_coder {
    struct trace_place *files; /* n_files of them */
    uint32_t n_files, n_allocated;
    uint32_t last_file;
    int64_t last_began_us;
    bool has_started, has_ended;
};

void trace_coder_deinit(struct trace_coder *coder);

/* Encoding: appends to @out. 0 or -ENOMEM, and then nothing was appended. The start comes first; a
 * file gets the number that coder->n_files was, and files are at most TRACE_FILES_MAX. */
int trace_put_start(struct trace_coder *coder, int64_t started_us, struct buf *out);
int trace_put_file(struct trace_coder *coder, uint64_t size_bytes, const char *path,
                   struct buf *out);
int trace_put_read(struct trace_coder *coder, const struct trace_read *read, struct buf *out);
int trace_put_lost(struct trace_coder *coder, uint64_t n_lost, struct buf *out);
int trace_put_end(struct trace_coder *coder, struct buf *out);

/* Decodes what the bytes begin with. 1: *out is the record, and *out_used bytes were used. 0: the
 * record goes on behind these bytes. -EPROTO: this is no trace, or not from here on. -ENOMEM. */
int trace_get(struct trace_coder *coder, const void *data, size_t len, struct trace_record *out,
              size_t *out_used);

/* `cached`, `joined`, `fetched`; `none` where no bytes came. */
const char *trace_source_name(enum read_source source);
