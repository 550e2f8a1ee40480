/* SPDX-License-Identifier: Apache-2.0 */
/* LMDB's map is mapped for random access: else each fault in it would read as much around it as the
 * disk's read-ahead says, 8 MiB on some hosts, for one page of a table. Then again each page of a
 * block would be a request of its own. So who is going to look at a value says so before. */
#include "cache/resident.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGES_A_CALL = 512 };

static bool are_all_there(const uint8_t *state, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(state[i] & 1))
            return false;
    return true;
}

static void bring_some(uint8_t *from, size_t n_pages, size_t page_bytes)
{
    uint8_t state[PAGES_A_CALL];
    if (mincore(from, n_pages * page_bytes, state) != 0 || !are_all_there(state, n_pages))
        madvise(from, n_pages * page_bytes, MADV_WILLNEED);
}

void resident_bring(const void *data, size_t len)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t skip = (uintptr_t)data % page_bytes;
    uint8_t *from = (uint8_t *)data - skip;
    for (size_t left = (len + skip + page_bytes - 1) / page_bytes; left > 0;) {
        size_t now = left < PAGES_A_CALL ? left : PAGES_A_CALL;
        bring_some(from, now, page_bytes);
        from += now * page_bytes;
        left -= now;
    }
}
