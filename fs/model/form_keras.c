/* SPDX-License-Identifier: Apache-2.0 */
/* Keras: a `.keras` archive, or HDF5. ModelCheckpoint names them by epoch and metric
 * (`weights.05-0.12.h5`): the epoch is the step. */
#include "model/forms.h"

static const char *const keras_ends[] = {".keras", NULL};
static const char *const hdf5_ends[] = {".weights.h5", ".h5", ".hdf5", NULL};

const struct form form_keras = {
    .framework = "Keras",
    .format = "Keras v3",
    .ends = keras_ends,
    .step_digits = 1,
};

const struct form form_hdf5 = {
    .framework = "Keras",
    .format = "HDF5",
    .ends = hdf5_ends,
    .step_digits = 1,
    .is_guest = true,
};
