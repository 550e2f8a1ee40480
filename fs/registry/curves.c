/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/curves.h"

#include <string.h>

/* A field, quoted where it must be. */
static int append_field(struct buf *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n"))
        return buf_puts(out, text);
    int r = buf_putc(out, '"');
    for (; r == 0 && *text; text++) {
        if (*text == '"')
            r = buf_putc(out, '"');
        if (r == 0)
            r = buf_putc(out, *text);
    }
    return r == 0 ? buf_putc(out, '"') : r;
}

static int append_value(struct buf *out, double value)
{
    char text[METRIC_TEXT_BYTES];
    metric_format(value, text);
    return buf_puts(out, text);
}

static int append_checkpoint(const struct outline *o, size_t index, struct buf *out)
{
    const struct checkpoint *c = &o->checkpoints.items[index];
    int r = append_field(out, c->name);
    if (r == 0)
        r = c->kind == CHECKPOINT_STEP ? buf_printf(out, ",%lld", (long long)c->step)
                                       : buf_putc(out, ',');
    for (size_t m = 0; r == 0 && m < o->n_metrics; m++) {
        const struct metric_row *row = outline_value(o, index, m);
        r = buf_putc(out, ',');
        if (r == 0 && row)
            r = append_value(out, row->value);
    }
    return r == 0 ? buf_putc(out, '\n') : r;
}

int curves_format_checkpoints(const struct outline *o, struct buf *out)
{
    int r = buf_puts(out, "checkpoint,step");
    for (size_t m = 0; r == 0 && m < o->n_metrics; m++) {
        r = buf_putc(out, ',');
        if (r == 0)
            r = append_field(out, o->metrics[m]);
    }
    if (r == 0)
        r = buf_putc(out, '\n');
    for (size_t c = 0; r == 0 && c < o->checkpoints.n; c++)
        r = append_checkpoint(o, c, out);
    return r;
}

static int append_row(struct buf *out, const struct metric_row *row)
{
    int r = buf_printf(out, "%lld,", (long long)row->step);
    if (r == 0 && row->wall_ns > 0)
        r = buf_printf(out, "%lld.%06lld", (long long)(row->wall_ns / 1000000000),
                       (long long)(row->wall_ns % 1000000000 / 1000));
    if (r == 0)
        r = buf_putc(out, ',');
    if (r == 0)
        r = append_value(out, row->value);
    return r == 0 ? buf_putc(out, '\n') : r;
}

int curves_format_history(const struct outline *o, size_t metric, struct buf *out)
{
    int r = buf_puts(out, "step,wall_time,value\n");
    for (size_t i = o->first_rows[metric]; r == 0 && i < o->first_rows[metric + 1]; i++)
        if (o->rows[i].step != METRIC_LAST_STEP)
            r = append_row(out, &o->rows[i]);
    return r;
}
