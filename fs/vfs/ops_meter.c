/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/ops_meter.h"

#include "util/clock.h"

uint64_t ops_meter_begin(struct ops_meter *meter, enum ops_kind kind)
{
    atomic_fetch_add_explicit(&meter->n[kind], 1, memory_order_relaxed);
    return clock_now_ns();
}

void ops_meter_end(struct ops_meter *meter, enum ops_kind kind, uint64_t began_ns)
{
    histogram_add(&meter->took[kind], clock_now_ns() - began_ns);
}

void ops_meter_answer(struct ops_meter *meter, enum read_source source, uint64_t bytes)
{
    atomic_fetch_add_explicit(&meter->answered_bytes[source], bytes, memory_order_relaxed);
}

void ops_meter_end_read(struct ops_meter *meter, enum read_source source, uint64_t began_ns)
{
    histogram_add(&meter->took_read[source], clock_now_ns() - began_ns);
}

void ops_meter_load(struct ops_meter *meter, struct ops_stats *out)
{
    *out = (struct ops_stats){0};
    for (int i = 0; i < OPS_N_KINDS; i++) {
        out->n[i] = atomic_load_explicit(&meter->n[i], memory_order_relaxed);
        histogram_load(&meter->took[i], &out->took[i]);
    }
    for (int i = 0; i < READ_N_SOURCES; i++) {
        out->answered_bytes[i] =
            atomic_load_explicit(&meter->answered_bytes[i], memory_order_relaxed);
        histogram_load(&meter->took_read[i], &out->took_read[i]);
        histogram_merge(&out->took[OPS_READ], &out->took_read[i]);
    }
}
