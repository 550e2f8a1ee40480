/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs plot: metrics over the steps of training. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/facts.h"
#include "cmd/gnuplot.h"
#include "cmd/plot_options.h"
#include "cmd/subject_as.h"
#include "cmd/subject_history.h"
#include "cmd/terminal.h"

enum { DEFAULT_ROWS = 20, ROWS_BESIDE = 2 };

static const char help[] =
    "usage: modelfs plot URL|PATH... [METRIC...] [-o FILE.png|FILE.svg]\n"
    "\n"
    "Draws metrics over the steps of training, in the terminal or as a picture; the best is\n"
    "marked. Several models and metrics are laid over each other.\n"
    "\n"
    "  URL|PATH           a model, or a checkpoint, which stands for its model\n"
    "  METRIC             its name or a part of it; accuracy or else loss where none is named.\n"
    "                     Metrics begin at the first word that is no directory and no URL, or\n"
    "                     behind `--`\n"
    "  -o, --output FILE  a picture, drawn by gnuplot\n"
    "      --checkpoints  only what checkpoints have\n"
    "      --log          a logarithmic scale\n"
    "      --width N, --height N\n"
    "                     of the text, in characters; as the terminal is\n"
    "  -h, --help         prints this\n";

struct plotting {
    const struct plot_options *options;
    struct chart chart;
};

static void plotting_deinit(struct plotting *p)
{
    chart_deinit(&p->chart);
}

/* `cnn loss`; the model as it was named where there is such a one already. */
static int format_label(const struct chart *chart, const char *model, const char *text,
                        const char *metric, struct buf *out)
{
    int r = buf_printf(out, "%s %s", model, metric);
    for (size_t i = 0; r == 0 && i < chart->n; i++)
        if (strcmp(chart->series[i].label, out->data) == 0) {
            buf_deinit(out);
            return buf_printf(out, "%s %s", text, metric);
        }
    return r;
}

static int take_points(const struct plotting *p, struct subject_as *model, const char *metric,
                       struct curve *out)
{
    int code = p->options->checkpoints ? EX_OK : subject_history(&model->subject, metric, out);
    if (code == EX_OK && !out->n && facts_add_curve(model->facts, metric, out) < 0)
        return EX_OSERR;
    return code;
}

static int refuse_metric(const char *text, const char *metric, const json_t *names)
{
    struct buf list BUF_CLEANUP = {0};
    int r = buf_puts(&list, json_array_size(names) ? "it has" : "it has none at all");
    for (size_t i = 0; r == 0 && i < json_array_size(names); i++) {
        r = buf_puts(&list, i ? ", " : " ");
        if (r == 0)
            r = screen_append_clean(json_string_value(json_array_get(names, i)), &list);
    }
    fprintf(stderr, "modelfs plot: %s has no metric `%s`; %s\n", text, metric,
            r == 0 ? list.data : "");
    return EX_NOINPUT;
}

/* One curve. A name that is none of the checkpoints' may have a history all the same. */
static int add_curve(struct plotting *p, const char *text, struct subject_as *model,
                     const char *metric, const json_t *names)
{
    CURVE_CLEANUP struct curve curve = {0};
    struct buf label BUF_CLEANUP = {0};
    const char *its = facts_match_metric(names, metric),
               *name = json_get_text(model->facts, "name");
    int code = take_points(p, model, metric, &curve);
    if (code == EX_OK && !curve.n && its)
        code = take_points(p, model, its, &curve);
    else
        its = metric;
    if (code == EX_OK && !curve.n)
        return refuse_metric(text, metric, names);
    if (code != EX_OK)
        return code;
    int r = format_label(&p->chart, name ? name : text, text, its, &label);
    if (r == 0)
        r = chart_add(&p->chart, label.data, its, &curve);
    if (r == -E2BIG)
        fputs("modelfs plot: that is too much for one chart\n", stderr);
    return r == 0 ? EX_OK : r == -E2BIG ? EX_USAGE : EX_OSERR;
}

static const char *default_metric(const json_t *names)
{
    const char *found = facts_match_metric(names, "accuracy");
    return found ? found : facts_match_metric(names, "loss");
}

static int add_model(struct plotting *p, const char *text)
{
    SUBJECT_AS_CLEANUP struct subject_as model = {0};
    const struct plot_options *o = p->options;
    int code = subject_as_model("plot", text, &model);
    if (code != EX_OK)
        return code;
    JSON_CLEANUP json_t *names = facts_metric_names(model.facts);
    const char *standard = default_metric(names);
    if (!names)
        return EX_OSERR;
    if (!o->n_metrics)
        return add_curve(p, text, &model, standard ? standard : "accuracy", names);
    for (int i = 0; code == EX_OK && i < o->n_metrics; i++)
        code = add_curve(p, text, &model, o->metrics[i], names);
    return code;
}

static struct chart_size size_of(const struct plotting *p)
{
    struct chart_size size = p->options->size;
    struct screen_size screen = terminal_size();
    unsigned legend = (unsigned)p->chart.n + ROWS_BESIDE;
    unsigned rows = screen.rows > legend ? screen.rows - legend : 0;
    if (!size.columns)
        size.columns = screen.columns < CHART_MIN_COLUMNS ? CHART_MIN_COLUMNS : screen.columns;
    if (!size.rows)
        size.rows = rows < CHART_MIN_ROWS ? CHART_MIN_ROWS
                    : rows < DEFAULT_ROWS ? rows
                                          : DEFAULT_ROWS;
    return size;
}

static int print(const struct plotting *p)
{
    struct buf text BUF_CLEANUP = {0};
    int r = chart_text_format(&p->chart, size_of(p), terminal_has_utf8(), &text);
    if (r == 0)
        r = terminal_print(text.data);
    if (r == 0)
        return EX_OK;
    fprintf(stderr, "modelfs plot: %s\n", strerror(-r));
    return EX_IOERR;
}

static int draw(const struct plotting *p)
{
    struct buf script BUF_CLEANUP = {0};
    if (chart_gnuplot_format(&p->chart, p->options->picture, &script) < 0)
        return EX_OSERR;
    return gnuplot_draw("plot", &script, p->options->path);
}

int cmd_plot(int argc, char **argv)
{
    struct plot_options options;
    CLEANUP(plotting_deinit) struct plotting p = {.options = &options};
    struct scale x, y;
    int code = plot_options_parse(argc, argv, &options);
    if (code == EX_OK && options.help) {
        fputs(help, stdout);
        return EX_OK;
    }
    p.chart.is_log = options.is_log;
    for (int i = 0; code == EX_OK && i < options.n_subjects; i++)
        code = add_model(&p, options.subjects[i]);
    if (code != EX_OK)
        return code;
    if (!chart_scales(&p.chart, &x, &y)) {
        fprintf(stderr, "modelfs plot: there is no number to show%s\n",
                options.is_log ? " on a logarithmic scale" : "");
        return EX_DATAERR;
    }
    return options.path ? draw(&p) : print(&p);
}
