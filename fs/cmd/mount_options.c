/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/mount_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

enum option_type {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_BYTES,
    OPTION_SECONDS,
    OPTION_INT,
    OPTION_OCTAL,
    OPTION_ID,
    OPTION_DIRECTIONS,
    OPTION_IGNORED
};

struct known_option {
    const char *name;
    enum option_type type;
    size_t offset;
};

#define LEAST_CACHE_BYTES (UINT64_C(8) << 20)
#define AT(field)         offsetof(struct mount_options, field)

static const struct known_option known[] = {
    {"allow_other", OPTION_FLAG, AT(allow_other)},
    {"debug", OPTION_FLAG, AT(debug)},
    {"uid", OPTION_ID, AT(uid)},
    {"gid", OPTION_ID, AT(gid)},
    {"umask", OPTION_OCTAL, AT(umask)},
    {"cache_dir", OPTION_TEXT, AT(cache_dir)},
    {"log_file", OPTION_TEXT, AT(log_file)},
    {"cache_size", OPTION_BYTES, AT(cache_size_bytes)},
    {"memory", OPTION_BYTES, AT(memory_bytes)},
    {"attr_timeout", OPTION_SECONDS, AT(attr_timeout_s)},
    {"entry_timeout", OPTION_SECONDS, AT(entry_timeout_s)},
    {"list_timeout", OPTION_SECONDS, AT(list_timeout_s)},
    {"deadline", OPTION_SECONDS, AT(deadline_s)},
    {"connections", OPTION_INT, AT(connections)},
    {"threads", OPTION_INT, AT(threads)},
    {"read_ahead", OPTION_INT, AT(read_ahead_kib)},
    {"best", OPTION_DIRECTIONS, AT(best)},
    /* what mount(8) and fstab add, and what is so anyway */
    {"ro", OPTION_IGNORED, 0},
    {"auto", OPTION_IGNORED, 0},
    {"noauto", OPTION_IGNORED, 0},
    {"nofail", OPTION_IGNORED, 0},
    {"_netdev", OPTION_IGNORED, 0},
    {"defaults", OPTION_IGNORED, 0},
    {"user", OPTION_IGNORED, 0},
    {"users", OPTION_IGNORED, 0},
    {"nosuid", OPTION_IGNORED, 0},
    {"nodev", OPTION_IGNORED, 0},
};

const char mount_options_help[] =
    "  allow_other          other users may look in, too\n"
    "  uid=N, gid=N         who owns everything (default: who mounts)\n"
    "  umask=OCTAL          permissions to take away (default 0022)\n"
    "  cache_dir=DIR        where blocks are kept; may be shared by many mounts\n"
    "                       (default $XDG_CACHE_HOME/modelfs or ~/.cache/modelfs)\n"
    "  cache_size=SIZE      hard limit of the cache, as 500M or 20G; 0: no cache (default 20G)\n"
    "  memory=SIZE          for data on its way (default 256M, or a quarter of the cgroup's "
    "limit)\n"
    "  list_timeout=SEC     how old a listing may get before it is asked for again (default 30)\n"
    "  entry_timeout=SEC    how long the kernel may remember a name (default 1)\n"
    "  attr_timeout=SEC     how long the kernel may remember attributes (default 60)\n"
    "  deadline=SEC         how long a failing registry is retried before EIO (default 60)\n"
    "  connections=N        to the registry, at most (default 32)\n"
    "  threads=N            that answer the kernel (default 8)\n"
    "  read_ahead=KIB       the kernel's own read-ahead, set where we may (default 4096; 0 leaves "
    "it)\n"
    "  best=NAME:min,NAME:max...  which way these metrics are better, for best-NAME\n"
    "                       (default: by their names, as loss:min)\n"
    "  log_file=FILE        where messages go (default: standard error with -f, else syslog)\n"
    "  debug                libfuse prints every request\n";

void mount_options_init(struct mount_options *o)
{
    *o = (struct mount_options){
        .uid = getuid(),
        .gid = getgid(),
        .umask = 0022,
        .cache_size_bytes = UINT64_C(20) << 30,
        .attr_timeout_s = 60,
        .entry_timeout_s = 1,
        .list_timeout_s = 30,
        .deadline_s = 60,
        .threads = 8,
        .read_ahead_kib = 4096,
    };
}

void mount_options_deinit(struct mount_options *o)
{
    free(o->cache_dir);
    free(o->log_file);
    metric_directions_deinit(&o->best);
    *o = (struct mount_options){0};
}

/* The digits @text begins with. strtoull() alone takes spaces and signs, too. */
static int parse_digits(const char *text, int base, unsigned long long *out, char **out_end)
{
    if (*text < '0' || *text > '9')
        return -EINVAL;
    errno = 0;
    *out = strtoull(text, out_end, base);
    return errno ? -EINVAL : 0;
}

static int parse_bytes(const char *text, uint64_t *out)
{
    static const char units[] = "KMGT";
    char *end;
    unsigned long long n;
    if (parse_digits(text, 10, &n, &end) < 0)
        return -EINVAL;
    char letter = (char)(*end & ~0x20);
    const char *unit = letter ? strchr(units, letter) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    if (end[unit != NULL] || (shift && n >> (64 - shift)))
        return -EINVAL;
    *out = n << shift;
    return 0;
}

static int parse_seconds(const char *text, double *out)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds >= 0 && seconds <= 1e6))
        return -EINVAL;
    *out = seconds;
    return 0;
}

static int parse_unsigned(const char *text, int base, unsigned long max, unsigned *out)
{
    char *end;
    unsigned long long n;
    if (parse_digits(text, base, &n, &end) < 0 || *end || n > max)
        return -EINVAL;
    *out = (unsigned)n;
    return 0;
}

static int set_text(char **at, const char *value)
{
    char *copy = *value ? strdup(value) : NULL;
    if (!copy)
        return *value ? -ENOMEM : -EINVAL;
    free(*at);
    *at = copy;
    return 0;
}

static int set_option(struct mount_options *o, const struct known_option *option, const char *value,
                      char **why)
{
    void *at = (char *)o + option->offset;
    if (option->type == OPTION_IGNORED)
        return 0;
    if ((option->type == OPTION_FLAG) != !value)
        return -EINVAL;
    switch (option->type) {
    case OPTION_FLAG:
        *(bool *)at = true;
        return 0;
    case OPTION_TEXT:
        return set_text(at, value);
    case OPTION_BYTES:
        return parse_bytes(value, at);
    case OPTION_SECONDS:
        return parse_seconds(value, at);
    case OPTION_DIRECTIONS:
        return metric_directions_parse(at, value, why);
    case OPTION_OCTAL:
        return parse_unsigned(value, 8, 0777, at);
    case OPTION_ID:
        return parse_unsigned(value, 10, UINT32_MAX - 1, at);
    default:
        return parse_unsigned(value, 10, 1 << 20, at);
    }
}

static const struct known_option *find_option(const char *name)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].name, name) == 0)
            return &known[i];
    return NULL;
}

/* Takes one `name` or `name=value`, which it cuts in two. */
static int parse_one(struct mount_options *o, char *item, char **why)
{
    char *value = strchr(item, '=');
    if (value)
        *value++ = '\0';
    const struct known_option *option = find_option(item);
    int r = option ? set_option(o, option, value, why) : -EINVAL;
    if (r != -EINVAL || *why)
        return r;
    int n = option ? asprintf(why, "the option %s%s%s makes no sense", item, value ? "=" : "",
                              value ? value : "")
                   : asprintf(why, "there is no option `%s`", item);
    if (n < 0)
        *why = NULL;
    return n < 0 ? -ENOMEM : -EINVAL;
}

/* What no option says alone. */
static int check(const struct mount_options *o, char **why)
{
    const char *text = NULL;
    if (o->cache_size_bytes && o->cache_size_bytes < LEAST_CACHE_BYTES)
        text = "a cache_size below 8M keeps nothing; give more, or 0 for no cache";
    else if (o->threads < 1)
        text = "threads must be 1 or more";
    if (!text)
        return 0;
    *why = strdup(text);
    return *why ? -EINVAL : -ENOMEM;
}

/* Cuts the next item off: up to a comma, but of `best=a:min,b:max` all that is its own. */
static char *take_item(char **rest)
{
    char *item = *rest, *end = item ? item + strcspn(item, ",") : NULL;
    bool is_list = item && strncmp(item, "best=", 5) == 0;
    while (is_list && *end && end[1 + strcspn(end + 1, ",=:")] == ':')
        end += 1 + strcspn(end + 1, ",");
    *rest = end && *end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    return item;
}

int mount_options_parse(struct mount_options *o, const char *text, char **why)
{
    CLEANUP(cleanup_free) char *copy = strdup(text);
    char *rest = copy, *item;
    *why = NULL;
    if (!copy)
        return -ENOMEM;
    while ((item = take_item(&rest))) {
        int r = *item ? parse_one(o, item, why) : 0;
        if (r < 0)
            return r;
    }
    return check(o, why);
}

static int format_one(const struct mount_options *o, const struct known_option *option,
                      struct buf *out)
{
    const void *at = (const char *)o + option->offset;
    switch (option->type) {
    case OPTION_FLAG:
        return buf_printf(out, "%s=%s\n", option->name, *(const bool *)at ? "yes" : "no");
    case OPTION_TEXT:
        return *(char *const *)at ? buf_printf(out, "%s=%s\n", option->name, *(char *const *)at)
                                  : 0;
    case OPTION_BYTES:
        return buf_printf(out, "%s=%llu\n", option->name,
                          (unsigned long long)*(const uint64_t *)at);
    case OPTION_SECONDS:
        return buf_printf(out, "%s=%g\n", option->name, *(const double *)at);
    case OPTION_OCTAL:
        return buf_printf(out, "%s=%04o\n", option->name, *(const unsigned *)at);
    case OPTION_DIRECTIONS: {
        const char *text = ((const struct metric_directions *)at)->text;
        return text ? buf_printf(out, "%s=%s\n", option->name, text) : 0;
    }
    case OPTION_IGNORED:
        return 0;
    default:
        return buf_printf(out, "%s=%u\n", option->name, *(const unsigned *)at);
    }
}

int mount_options_format(const struct mount_options *o, struct buf *out)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(known) / sizeof(known[0]); i++)
        r = format_one(o, &known[i], out);
    return r;
}
