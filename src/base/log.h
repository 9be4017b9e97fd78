#pragma once
/*
 * log: what the operator reads on standard error. One line per event, most specific last.
 *
 *	log_info("listening on %s:%d", host, port);
 *
 * Library code (base to kv) never logs: it returns errors. api/, runtime/, services/ and main/ log
 * what nobody else will tell. Thread-safe.
 */
#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level);
void log_line(enum log_level level, const char *format, ...) PRINTF(2, 3);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
