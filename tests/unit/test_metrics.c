/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metrics.h"

#include <errno.h>
#include <float.h>
#include <math.h>

#include "check.h"
#include "util/cleanup.h"

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
    {"acc", METRIC_LAST_STEP, 0.8, 0},
    {"acc", 100, 0.9, 0},
    {"loss", METRIC_LAST_STEP, 0.4, 0},
    {"loss", METRIC_LAST_STEP, 0.5, 0},
    {"loss", 0, 0.01, 0},
    {"loss", 100, 0.1, 0},
    {"loss", 150, 0.15, 0},
    {"loss", 300, 0.3, 0},
    {"loss", 300, 0.33, 0},
    {"only", METRIC_LAST_STEP, 7, 0},
    {"steps", 10, 0.25, 0},
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
        struct metric_span span;
        double want; /* NaN: none */
    } cases[] = {
        {"loss", {-1, 0, 100}, 0.01},       {"loss", {-1, 50, 101}, 0.1},
        {"loss", {0, 100, 300}, 0.1},       {"loss", {100, 101, 300}, 0.15},
        {"loss", {0, 300, INT64_MAX}, 0.3}, {"acc", {-1, 100, INT64_MAX}, 0.9},
        {"none", {-1, 0, INT64_MAX}, NAN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK(has_value(metric_at(series_of(cases[i].name), cases[i].span), cases[i].want));
}

static void without_one_it_has_the_last_value_before_its_step(void)
{
    static const struct {
        const char *name;
        struct metric_span span;
        double want; /* NaN: none */
    } cases[] = {
        {"loss", {-1, 1, 100}, 0.01},         /* before it */
        {"loss", {0, 1, 100}, NAN},           /* that is the previous checkpoint's own */
        {"loss", {99, 200, 300}, 0.15},       /* the last one of two */
        {"loss", {150, 200, 300}, NAN},       /* none between */
        {"loss", {0, 301, INT64_MAX}, 0.33},  /* the last one of one step */
        {"loss", {300, 301, INT64_MAX}, NAN}, /* of the previous step */
        {"acc", {-1, 101, INT64_MAX}, 0.9},   /* behind all */
        {"acc", {-1, 50, 60}, NAN},           /* before it there is only a summary */
        {"only", {-1, 0, INT64_MAX}, NAN},    /* a summary is of no step */
        {"loss", {0, 100, 100}, NAN},         /* no room at all */
        {"steps", {-1, INT64_MAX, INT64_MAX}, 0.25},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK(has_value(metric_at(series_of(cases[i].name), cases[i].span), cases[i].want));
}

static void what_tells_of_the_course_is_never_best(void)
{
    static const struct {
        const char *name;
        bool rates;
    } cases[] = {
        {"accuracy", true},   {"epoch_accuracy", true},
        {"eval/loss", true},  {"steps_to_goal", true},
        {"throughput", true}, {"learning_rate", false},
        {"train/lr", false},  {"eval_samples_per_second", false},
        {"grad_norm", false}, {"total_flos", false},
        {"Epoch", false},     {"global_step", false},
    };
    CLEANUP(metric_directions_deinit) struct metric_directions directions = {0};
    char *why = NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(metric_rates(NULL, cases[i].name), cases[i].rates);
    CHECK_EQ(metric_directions_parse(&directions, "grad_norm:min", &why), 0);
    CHECK(metric_rates(&directions, "grad_norm") && !metric_rates(&directions, "train/lr"));
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
        bool beats = metric_beats(NULL, cases[i].name, cases[i].value, cases[i].best);
        if (beats != cases[i].beats)
            printf("# %s %g %g\n", cases[i].name, cases[i].value, cases[i].best);
        CHECK_EQ(beats, cases[i].beats);
    }
}

#define DIRECTIONS_CLEANUP CLEANUP(metric_directions_deinit)

static void a_person_says_which_way_is_better(void)
{
    static const struct {
        const char *text, *name;
        bool lower_beats;
    } cases[] = {
        {"acc:min", "acc", true},    {"acc:max", "acc", false},
        {"loss:max", "loss", false}, {"loss:max", "val_loss", true}, /* whole names only */
        {"loss:max", "bleu", false}, {"wer:min,bleu:max,x:min", "x", true},
        {"x:min,x:max", "x", false}, /* the last word counts */
        {"a:b:min", "a:b", true},    {"a=b/ c:min", "a=b/ c", true},
        {"max:min", "max", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        DIRECTIONS_CLEANUP struct metric_directions d = {0};
        CLEANUP(cleanup_free) char *why = NULL;
        CHECK_EQ(metric_directions_parse(&d, cases[i].text, &why), 0);
        CHECK_STR(d.text, cases[i].text);
        CHECK(!why);
        CHECK_EQ(metric_beats(&d, cases[i].name, 1, 2), cases[i].lower_beats);
        CHECK_EQ(metric_beats(&d, cases[i].name, 2, 1), !cases[i].lower_beats);
        CHECK(metric_beats(&d, cases[i].name, 2, 2));
        CHECK(!metric_beats(&d, cases[i].name, (double)NAN, 2));
    }
}

static void what_says_no_way_is_refused(void)
{
    static const struct {
        const char *text, *culprit;
    } cases[] = {
        {"", "``"},
        {"acc", "`acc`"},
        {"acc:", "`acc:`"},
        {":min", "`:min`"},
        {"acc:mini", "`acc:mini`"},
        {"acc:Min", "`acc:Min`"},
        {"a:min,", "``"},
        {"a:min,,b:max", "``"},
        {"a:min,b:up", "`b:up`"},
        {"a:min ", "`a:min `"},
    };
    DIRECTIONS_CLEANUP struct metric_directions d = {0};
    CLEANUP(cleanup_free) char *none = NULL;
    CHECK_EQ(metric_directions_parse(&d, "acc:min", &none), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(cleanup_free) char *why = NULL;
        CHECK_EQ(metric_directions_parse(&d, cases[i].text, &why), -EINVAL);
        CHECK(why && strncmp(why, cases[i].culprit, strlen(cases[i].culprit)) == 0);
        CHECK(metric_beats(&d, "acc", 1, 2)); /* as it was */
    }
}

static void no_memory_for_directions_is_an_error(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        DIRECTIONS_CLEANUP struct metric_directions d = {0};
        CLEANUP(cleanup_free) char *why = NULL;
        int r = metric_directions_parse(&d, "a:min,b:max", &why);
        CHECK(r == 0 ? d.n == 2 : r == -ENOMEM && !d.items && !d.text);
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
    TEST("what tells of the course is never best", what_tells_of_the_course_is_never_best);
    TEST("less is better for losses and errors, by whole words",
         less_is_better_for_losses_and_errors);
    TEST("a checkpoint has the first value from its step on",
         a_checkpoint_has_the_first_value_from_its_step_on);
    TEST("without one it has the last value before its step",
         without_one_it_has_the_last_value_before_its_step);
    TEST("a person says which way is better", a_person_says_which_way_is_better);
    TEST("what says no way is refused", what_says_no_way_is_refused);
    TEST("no memory for directions is an error", no_memory_for_directions_is_an_error);
    TEST("the last summary counts, and else the highest step",
         the_last_summary_counts_and_else_the_highest_step);
    TEST("rows are in order of name and step", rows_are_in_order_of_name_and_step);
    TEST("only finite values beat, equal ones too", only_finite_values_beat);
    TEST("the text is the shortest", the_text_is_the_shortest);
    TEST("the text reads back as the value", the_text_reads_back_as_the_value);
    return check_done();
}
