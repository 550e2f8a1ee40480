/* SPDX-License-Identifier: Apache-2.0 */
/* What `modelfs mount -o` takes. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/metrics.h"
#include "util/buf.h"

struct mount_options {
    bool allow_other, debug;
    uid_t uid;
    gid_t gid;
    mode_t umask;
    char *cache_dir; /* owned; NULL: the default */
    char *log_file;  /* owned; NULL: standard error in the foreground, else the system's log */
    uint64_t cache_size_bytes; /* 0: no cache */
    uint64_t memory_bytes;     /* 0: by the machine */
    double attr_timeout_s, entry_timeout_s, list_timeout_s, deadline_s;
    int connections; /* 0: the default */
    int threads;
    int read_ahead_kib;
    struct metric_directions best; /* owned: which way metrics are better */
};

/* The defaults. */
void mount_options_init(struct mount_options *o);
void mount_options_deinit(struct mount_options *o);

/* Takes one `-o` argument: names and name=value with commas between. `best=` goes on behind a comma
 * where what follows has a `:`, and no `=` before it; see metric_directions_parse(). 0, -EINVAL
 * with *why saying what is wrong (free it), or -ENOMEM. */
int mount_options_parse(struct mount_options *o, const char *text, char **why);

/* The lines of --help about them. */
extern const char mount_options_help[];

/* All as `name=value` lines. */
int mount_options_format(const struct mount_options *o, struct buf *out);
