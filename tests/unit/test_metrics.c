/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metrics.h"

#include <float.h>
#include <math.h>

#include "check.h"

static void less_is_better_for_losses_and_errors(void)
{
    static const char *const lower[] = {
        "loss",       "Loss",          "eval/loss",    "val_loss",      "loss-1",   "error",
        "top5_error", "word-err",      "perplexity",   "PPL",           "wer",      "CER",
        "mae",        "rmse",          "mean.mse",     "nll",           "train/kl", "fid",
        "latency_ms", "cross_entropy", "crossentropy", "loss/accuracy",
    };
    static const char *const higher[] = {
        "",         "accuracy",  "auc",    "f1",          "bleu",  "lossless",
        "glossary", "losses",    "terror", "errors",      "mAP",   "klx",
        "_",        "precision", "recall", "global_step", "los s", "ss\xc3\xa9loss2",
    };
    for (size_t i = 0; i < sizeof(lower) / sizeof(lower[0]); i++)
        if (!metric_lower_is_better(lower[i]))
            check_fail(__FILE__, __LINE__, lower[i]);
    for (size_t i = 0; i < sizeof(higher) / sizeof(higher[0]); i++)
        if (metric_lower_is_better(higher[i]))
            check_fail(__FILE__, __LINE__, higher[i]);
}

/* In the order of metric_compare(). */
static const struct metric_row rows[] = {
    {"acc", METRIC_LAST_STEP, 0.8},
    {"acc", 100, 0.9},
    {"loss", METRIC_LAST_STEP, 0.4},
    {"loss", METRIC_LAST_STEP, 0.5},
    {"loss", 0, 0.01},
    {"loss", 100, 0.1},
    {"loss", 150, 0.15},
    {"loss", 300, 0.3},
    {"loss", 300, 0.33},
    {"only", METRIC_LAST_STEP, 7},
    {"steps", 10, 0.25},
};

static struct metric_series series_of(const char *name)
{
    struct metric_series series = {rows, 0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].name, name) == 0 && !series.n++)
            series.rows = &rows[i];
    return series;
}

static bool has_value(const struct metric_row *row, double want)
{
    return isnan(want) ? !row : row && row->value == want;
}

static void a_checkpoint_has_the_first_value_from_its_step_on(void)
{
    static const struct {
        const char *name;
        int64_t step, next_step;
        double want; /* NaN: none */
    } cases[] = {
        {"loss", 0, 100, 0.01},        {"loss", 1, 100, NAN},        {"loss", 50, 101, 0.1},
        {"loss", 100, 300, 0.1},       {"loss", 101, 300, 0.15},     {"loss", 300, INT64_MAX, 0.3},
        {"loss", 301, INT64_MAX, NAN}, {"acc", 100, INT64_MAX, 0.9}, {"acc", 101, INT64_MAX, NAN},
        {"only", 0, INT64_MAX, NAN},   {"none", 0, INT64_MAX, NAN},  {"loss", 100, 100, NAN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK(has_value(metric_at(series_of(cases[i].name), cases[i].step, cases[i].next_step),
                        cases[i].want));
}

static void the_last_summary_counts_and_else_the_highest_step(void)
{
    static const struct {
        const char *name;
        double summary, newest;
    } cases[] = {
        {"loss", 0.5, 0.5},   {"acc", 0.8, 0.8},  {"only", 7, 7},
        {"steps", NAN, 0.25}, {"none", NAN, NAN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(has_value(metric_summary(series_of(cases[i].name)), cases[i].summary));
        CHECK(has_value(metric_newest(series_of(cases[i].name)), cases[i].newest));
    }
}

static void rows_are_in_order_of_name_and_step(void)
{
    for (size_t i = 0; i + 1 < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(metric_compare(&rows[i], &rows[i + 1]) <= 0);
        CHECK(metric_compare(&rows[i + 1], &rows[i]) >= 0);
    }
    CHECK(metric_compare(&rows[1], &rows[2]) < 0 && metric_compare(&rows[4], &rows[5]) < 0);
}

static void only_finite_values_beat(void)
{
    static const struct {
        const char *name;
        double value, best;
        bool beats;
    } cases[] = {
        {"loss", 1, 2, true},       {"loss", 2, 1, false},         {"loss", 1, 1, true},
        {"acc", 2, 1, true},        {"acc", 1, 2, false},          {"acc", 1, 1, true},
        {"loss", NAN, 1, false},    {"loss", -INFINITY, 1, false}, {"acc", INFINITY, 1, false},
        {"acc", NAN, NAN, false},   {"acc", -5, NAN, true},        {"loss", 5, -INFINITY, true},
        {"acc", 5, INFINITY, true}, {"acc", 0.0, -0.0, true},      {"loss", 0.0, -0.0, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool beats = metric_beats(cases[i].name, cases[i].value, cases[i].best);
        if (beats != cases[i].beats)
            printf("# %s %g %g\n", cases[i].name, cases[i].value, cases[i].best);
        CHECK_EQ(beats, cases[i].beats);
    }
}

static void the_text_is_the_shortest(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {0.1, "0.1"},
        {0.9911, "0.9911"},
        {-12.5, "-12.5"},
        {123456, "123456"},
        {1234567, "1234567"},
        {1e300, "1e+300"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {9007199254740993.0, "9007199254740992"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {-DBL_MAX, "-1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {-4.9406564584124654e-324, "-4.94066e-324"},
        {NAN, "NaN"},
        {-NAN, "NaN"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[METRIC_TEXT_BYTES];
        metric_format(cases[i].value, text);
        CHECK_STR(text, cases[i].text);
    }
}

static void the_text_reads_back_as_the_value(void)
{
    uint64_t state = 88172645463325252;
    for (int i = 0; i < 20000; i++) {
        char text[METRIC_TEXT_BYTES];
        double value;
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        memcpy(&value, &state, sizeof(value));
        if (!isfinite(value))
            continue;
        metric_format(value, text);
        if (strtod(text, NULL) != value)
            check_fail(__FILE__, __LINE__, text);
    }
}

int main(void)
{
    TEST("less is better for losses and errors, by whole words",
         less_is_better_for_losses_and_errors);
    TEST("a checkpoint has the first value from its step on",
         a_checkpoint_has_the_first_value_from_its_step_on);
    TEST("the last summary counts, and else the highest step",
         the_last_summary_counts_and_else_the_highest_step);
    TEST("rows are in order of name and step", rows_are_in_order_of_name_and_step);
    TEST("only finite values beat, equal ones too", only_finite_values_beat);
    TEST("the text is the shortest", the_text_is_the_shortest);
    TEST("the text reads back as the value", the_text_reads_back_as_the_value);
    return check_done();
}
