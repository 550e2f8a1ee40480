/* SPDX-License-Identifier: Apache-2.0 */
/* Pickles of scikit-learn and its like. They are named and never opened: a pickle is a program. */
#include "model/forms.h"

static const char *const pickle_ends[] = {".pkl", ".pickle", ".sav", NULL};
static const char *const joblib_ends[] = {".joblib", NULL};

const struct form form_pickle = {
    .framework = "scikit-learn",
    .format = "pickle",
    .ends = pickle_ends,
    .is_guest = true,
};

const struct form form_joblib = {
    .framework = "scikit-learn",
    .format = "joblib",
    .ends = joblib_ends,
    .is_guest = true,
};
