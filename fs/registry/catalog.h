/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog: a registry's listings, remembered in the cache so that they are there with the
 * registry gone. */
#pragma once

#include "registry/registry.h"

struct catalog;
struct meta;

/* @meta may be NULL: nothing is remembered. Both are borrowed and must outlive the catalog. 0 or
 * -ENOMEM. */
int catalog_new(struct registry *registry, struct meta *meta, struct catalog **out);
void catalog_free(struct catalog *catalog); /* NULL is fine; nobody may be in a call */

/* Ends the waits of catalog_fetch() with -ECANCELED, now and for ever. */
void catalog_stop(struct catalog *catalog);

/* The listing as it was last seen, however old (listing->fetched_ns). -ENOENT when it never was.
 * Any thread that may read the disk. */
int catalog_load(struct catalog *catalog, const struct registry_place *place, struct listing **out);

/* Asks the registry, again and again while it fails in passing and @patience_ms are not over (0:
 * once), and remembers the answer; an authoritative -ENOENT is remembered as well. Errors as
 * registry_list(); a passing one after the last attempt is -ECONNREFUSED, -EHOSTUNREACH or
 * else -EIO. Waits: not for FUSE workers or
 * transfer threads. */
int catalog_fetch(struct catalog *catalog, const struct registry_place *place, int patience_ms,
                  struct listing **out);

/* The listing, from the registry or else as it was last seen. For command lines. */
int catalog_get(struct catalog *catalog, const struct registry_place *place, int patience_ms,
                struct listing **out);

struct registry *catalog_registry(const struct catalog *catalog);
