/* SPDX-License-Identifier: Apache-2.0 */
/* A listening socket. */
#pragma once

#include <stdbool.h>

enum { LISTENER_NAME_BYTES = 80 };

struct listener {
    int fd;                         /* owned */
    bool is_loopback;               /* nobody outside this machine can connect */
    char name[LISTENER_NAME_BYTES]; /* `127.0.0.1:8060`, `[::1]:8060` */
};

/* Listens on `ADDRESS:PORT` (IPv6 in brackets; port 0: a free one). -EINVAL when @text is none,
 * -EADDRNOTAVAIL when the address is not known, -EADDRINUSE, -EACCES and the like. */
int listener_open(const char *text, struct listener *out);
void listener_close(struct listener *listener);
