/* SPDX-License-Identifier: Apache-2.0 */
/* Boosted trees: XGBoost, LightGBM, CatBoost. */
#include <string.h>

#include "model/forms.h"

static const char *const xgboost_ends[] = {".xgb",          ".ubj",      ".bst",
                                           ".xgboost.json", ".xgb.json", NULL};
static const char *const lightgbm_ends[] = {".lgb", ".lgbm", ".lightgbm.txt", NULL};
static const char *const catboost_ends[] = {".cbm", NULL};

/* JSON and text by the framework's word in front: `xgboost_model.json`, `lightgbm.txt`. */
static bool match_word(const struct form *by_end, const struct form_file *f, const char *word,
                       const char *end, struct form_match *out)
{
    if (form_match(by_end, f, NULL, out))
        return true;
    if (!form_begins(f->name, f->name_len, word) || !form_ends(f->name, f->name_len, end))
        return false;
    *out = (struct form_match){f->name_len - strlen(end), -1, end};
    return true;
}

/* Its callback for checkpoints writes `name_10.ubj`. */
static bool match_xgboost(const struct form_file *f, const struct form_names *names,
                          struct form_match *out)
{
    static const struct form by_end = {.ends = xgboost_ends, .step_digits = 1};
    (void)names;
    return match_word(&by_end, f, "xgboost", ".json", out);
}

static bool match_lightgbm(const struct form_file *f, const struct form_names *names,
                           struct form_match *out)
{
    static const struct form by_end = {.ends = lightgbm_ends};
    (void)names;
    return match_word(&by_end, f, "lightgbm", ".txt", out);
}

const struct form form_xgboost = {
    .framework = "XGBoost",
    .format = "XGBoost",
    .match = match_xgboost,
};

const struct form form_lightgbm = {
    .framework = "LightGBM",
    .format = "LightGBM",
    .match = match_lightgbm,
};

const struct form form_catboost = {
    .framework = "CatBoost",
    .format = "CatBoost",
    .ends = catboost_ends,
};
