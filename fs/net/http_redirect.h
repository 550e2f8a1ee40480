/* SPDX-License-Identifier: Apache-2.0 */
/* Where a redirect leads (pure). */
#pragma once

#include <stdbool.h>

/* Resolves @location, which may be relative, against @base into an absolute URL. *out is owned by
 * the caller; *out_same_origin says whether scheme, host and port stayed. 0, -EPROTO when it is no
 * URL, leaves http and https, or goes from https back to http; -ENOMEM. */
int http_redirect_resolve(const char *base, const char *location, char **out,
                          bool *out_same_origin);
