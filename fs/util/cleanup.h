/* SPDX-License-Identifier: Apache-2.0 */
/* Cleanup attributes: an owned local names its destructor where it is declared, starts at NULL or
 * -1, and success hands it over with steal_ptr() or steal_fd(). Early returns are then always safe.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((__cleanup__(fn)))

/* Defines `name`, a cleanup function for a local of type `type` that calls fn(value) when it is not
 * NULL. */
#define DEFINE_CLEANUP(type, name, fn)                                                             \
    static inline void name(type *p)                                                               \
    {                                                                                              \
        if (*p)                                                                                    \
            fn(*p);                                                                                \
    }

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
    if (*f)
        fclose(*f);
}

/* Hands the pointer over: returns it and leaves NULL behind. */
#define steal_ptr(p)                                                                               \
    ({                                                                                             \
        __typeof__(p) steal_tmp_ = (p);                                                            \
        (p) = NULL;                                                                                \
        steal_tmp_;                                                                                \
    })

static inline int steal_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}
