/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/read_ahead.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/log.h"

/* Undoes mountinfo's octal escapes in place. */
static void unescape(char *text)
{
    char *to = text;
    for (unsigned code; *text; to++) {
        if (sscanf(text, "\\%3o", &code) == 1) {
            *to = (char)code;
            text += 4;
        } else {
            *to = *text++;
        }
    }
    *to = '\0';
}

/* The device number of the mount, from mountinfo: stat() would need an answer from ourselves. */
static bool find_device(const char *mountpoint, unsigned *out_major, unsigned *out_minor)
{
    CLEANUP(cleanup_fclose) FILE *f = fopen("/proc/self/mountinfo", "re");
    CLEANUP(cleanup_free) char *line = NULL;
    size_t cap = 0;
    bool found = false;
    while (f && getline(&line, &cap, f) > 0) {
        CLEANUP(cleanup_free) char *at = NULL;
        unsigned major, minor;
        if (sscanf(line, "%*u %*u %u:%u %*s %ms", &major, &minor, &at) != 3)
            continue;
        unescape(at);
        if (strcmp(at, mountpoint) != 0)
            continue;
        *out_major = major; /* the last one lies on top */
        *out_minor = minor;
        found = true;
    }
    return found;
}

void read_ahead_set(const char *mountpoint, int kib)
{
    char path[96];
    unsigned major, minor;
    if (!kib || !find_device(mountpoint, &major, &minor))
        return;
    snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", major, minor);
    CLEANUP(cleanup_fclose) FILE *f = fopen(path, "we");
    if (!f || fprintf(f, "%d\n", kib) < 0)
        log_debug("the kernel's read-ahead stays as it is: %s", strerror(errno));
}
