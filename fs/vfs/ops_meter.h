/* SPDX-License-Identifier: Apache-2.0 */
/* What a FUSE session counts: requests of each kind, how long they took, and where the bytes of
 * reads came from. Any thread; relaxed atomics, no lock. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "read/answer.h"
#include "util/histogram.h"

enum ops_kind {
    OPS_LOOKUP,
    OPS_GETATTR,
    OPS_READLINK,
    OPS_OPEN,
    OPS_OPENDIR,
    OPS_READ,
    OPS_READDIR,
    OPS_XATTR,
    OPS_N_KINDS
};

/* Since the mount. A time is from taking the request to when its reply was written, nanoseconds. */
struct ops_stats {
    uint64_t n[OPS_N_KINDS]; /* also those that were not answered yet */
    uint64_t answered_bytes[READ_N_SOURCES];
    struct histogram took[OPS_N_KINDS]; /* READ: all sources together */
    struct histogram took_read[READ_N_SOURCES];
};

struct ops_meter {
    atomic_uint_fast64_t n[OPS_N_KINDS];
    atomic_uint_fast64_t answered_bytes[READ_N_SOURCES];
    struct histogram_meter took[OPS_N_KINDS]; /* but for READ */
    struct histogram_meter took_read[READ_N_SOURCES];
};

/* A request begins: the moment, for the end. */
uint64_t ops_meter_begin(struct ops_meter *meter, enum ops_kind kind);
/* It was answered. Of reads ops_meter_end_read(). */
void ops_meter_end(struct ops_meter *meter, enum ops_kind kind, uint64_t began_ns);

/* A read is about to be answered: before the reply, so that who got it finds it counted. */
void ops_meter_answer(struct ops_meter *meter, enum read_source source, uint64_t bytes);
/* And it was. */
void ops_meter_end_read(struct ops_meter *meter, enum read_source source, uint64_t began_ns);

void ops_meter_load(struct ops_meter *meter, struct ops_stats *out);
