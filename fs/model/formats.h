/* SPDX-License-Identifier: Apache-2.0 */
/* Which parser reads what out of which file, by the file's name. Pure. */
#pragma once

#include "model/inquiry.h"

/* Reads tensors and facts into a struct contents; NULL when there is nothing to be read in a file
 * of this name. */
inquiry_parse_fn *format_contents_parser(const char *path);
/* Reads metrics into a struct history; NULL likewise. */
inquiry_parse_fn *format_history_parser(const char *path);

/* Whether the format at @path has tensors that lie in one run each. */
bool format_has_tensors(const char *path);
