/* SPDX-License-Identifier: Apache-2.0 */
/* API keys. Only their hashes are stored: a key is 32 random bytes, so a plain SHA-256 cannot be
 * turned back. */
#pragma once

#include "serve/store.h"

/* A key as text: a prefix that tells people and scanners what it is, 64 hexadecimal digits, NUL. */
enum { KEYS_NAME_BYTES = 64, KEYS_TEXT_BYTES = 4 + 64 + 1 };

/* Makes a key under @name and writes it to @out: nobody can be told it again. -EEXIST when the name
 * is taken, -EINVAL when it is empty or longer than KEYS_NAME_BYTES, else -errno. */
int keys_add(struct store *store, const char *name, char out[KEYS_TEXT_BYTES]);
/* -ENOENT when there is no such key. It is refused from then on, by a running server too. */
int keys_remove(struct store *store, const char *name);

/* 1 when there is a key, 0 when there is none, or -errno: not to be taken for "none". */
int keys_exist(struct store_txn *txn);
/* Is @text (NULL: no key was given) one of the keys? Takes the same time for each wrong one. */
bool keys_accept(struct store_txn *txn, const char *text);
