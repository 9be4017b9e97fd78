/* log: lines on standard error, each written with one system call. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static _Atomic int lowest = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&lowest, (int)level, memory_order_relaxed);
}

void log_line(enum log_level level, const char *format, ...)
{
	static const char *const names[] = { "debug", "info", "warning", "error" };
	char line[2048];
	struct timespec now;
	struct tm utc;
	va_list args;

	if ((int)level < atomic_load_explicit(&lowest, memory_order_relaxed))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
	n += (size_t)snprintf(
	        line + n, sizeof line - n, ".%03ldZ %s ", now.tv_nsec / 1000000, names[level]);
	va_start(args, format);
	int m = vsnprintf(line + n, sizeof line - n - 1, format, args);
	va_end(args);
	n = MIN(n + (size_t)MAX(m, 0), sizeof line - 2);
	line[n++] = '\n';
	ssize_t ignored = write(STDERR_FILENO, line, n);
	(void)ignored;
}
