/* SPDX-License-Identifier: Apache-2.0 */
/* The API key of a Gradient-compatible registry, from where its users keep it; never from a command
 * line. */
#pragma once

/* Where a key may come from, in this order: $MODELFS_API_KEY, $PAPERSPACE_API_KEY, the file that
 * $MODELFS_API_KEY_FILE names (refused with -EPERM when others than its owner may read it),
 * `apiKey` in ~/.paperspace/config.json. */
#define CREDENTIALS_HINT                                                                           \
    "set PAPERSPACE_API_KEY, or MODELFS_API_KEY_FILE to a file of mode 0600, or run `gradient "    \
    "apiKey KEY`"

/* Reads the key anew (it may have been changed). 0 with *out owned by the caller, which is NULL
 * where no key is set; -EPERM as above; other -errno when the named file cannot be read. Any
 * thread; reads files. */
int credentials_api_key(char **out);
