/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/figure.h"

#include <inttypes.h>

static int format_one(const struct figure *f, bool prometheus, struct buf *out)
{
    if (!prometheus)
        return buf_printf(out, "%s %" PRIu64 "\n", f->name, f->value);
    return buf_printf(out, "# TYPE modelfs_%s%s %s\nmodelfs_%s%s %" PRIu64 "\n", f->name,
                      f->is_counter ? "_total" : "", f->is_counter ? "counter" : "gauge", f->name,
                      f->is_counter ? "_total" : "", f->value);
}

int figures_format(const struct figure *figures, size_t n, bool prometheus, struct buf *out)
{
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = format_one(&figures[i], prometheus, out);
    return r;
}
