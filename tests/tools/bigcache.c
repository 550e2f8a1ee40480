/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the cache directory DIR of GIB GiB of blocks in little room, to see what opening a large
 * cache costs:
 *
 *     bigcache DIR GIB
 *
 * It prints the limit to open it with. The blocks are zeros that were never written (a file with
 * holes); all else is real. */
#include "../unit/sparse_cache.h"

#include <inttypes.h>

int main(int argc, char **argv)
{
    uint64_t gib = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    if (gib == 0 || gib > 4096) {
        fprintf(stderr, "usage: %s DIR GIB\n", argv[0]);
        return 2;
    }
    int rc = sparse_make(argv[1], gib * 1024);
    if (rc != 0) {
        fprintf(stderr, "bigcache: %s: %s\n", argv[1], mdb_strerror(rc));
        return 1;
    }
    printf("%" PRIu64 "\n", sparse_limit_bytes(gib * 1024));
    return 0;
}
