/* SPDX-License-Identifier: Apache-2.0 */
/* The log: one line an incident, to standard error. Each line is `modelfs: <level>: <text>`,
 * coloured only on a terminal. Never hand it a URL with its query, a token or a password: use
 * url_redact(). Any thread may call. */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Sets what is printed: @level and everything graver. Starts at LOG_LEVEL_WARN. */
void log_set_level(enum log_level level);

/* From now on lines go to @path (appended, created 0600) with a time stamp. 0 or -errno. */
int log_to_file(const char *path);

/* From now on lines go to the system's log. */
void log_to_syslog(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
