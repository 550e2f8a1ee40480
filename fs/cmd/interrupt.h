/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C and its kin during a long transfer: noticed, so that the command can say where it stands,
 * and then obeyed. */
#pragma once

#include <stdbool.h>

/* From now on the first SIGINT, SIGTERM or SIGHUP is only noted; a second one ends the process.
 * Call it when there begins to be something to say, so that before that the first one ends it. */
void interrupt_catch(void);

/* Whether one came. Any thread. */
bool interrupt_seen(void);

/* When one came: ends the process by it, so that a shell sees what happened. Else returns. */
void interrupt_obey(void);
