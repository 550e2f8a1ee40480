/* SPDX-License-Identifier: Apache-2.0 */
/* Going into the background: the parent waits until the child says how its start went. */
#pragma once

struct background {
    int to_parent; /* of the child; -1: this process stays in the foreground */
};

/* Forks, before any thread is started. Returns 1 in the child; in the parent 0, and *out_code is
 * what the child said, or EX_OSERR when it died before; -errno when there was no fork. */
int background_fork(struct background *b, int *out_code);

/* Child: the start went well. Lets the parent go and leaves its terminal. In the foreground does
 * nothing. */
void background_ready(struct background *b);
/* Child: it did not; @code is for the parent to exit with. */
void background_failed(struct background *b, int code);
