/* SPDX-License-Identifier: Apache-2.0 */
/* The commands. Each takes its own name as argv[0] and returns the process's exit code, from
 * sysexits.h. */
#pragma once

int cmd_serve(int argc, char **argv);
