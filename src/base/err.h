#pragma once
/*
 * err: how functions report.
 *
 * Every int result is 0 (good), positive (a named error of the API in question, which the caller
 * must handle or pass on) or -errno (a broken system or an ended wait, passed up unchanged).
 * What cannot happen is ensure()d, in release builds too.
 *
 *	TRY(kv_update(t, put_function, &arg));	// returns the error from this function
 *	ensure(env->state == ENV_IDLE);
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE                        __attribute__((warn_unused_result))
#define CLEANUP(fn)                     __attribute__((cleanup(fn)))
#define PRINTF(f, a)                    __attribute__((format(printf, f, a)))
#define ARRAY_LEN(a)                    (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)                       ((a) < (b) ? (a) : (b))
#define MAX(a, b)                       ((a) > (b) ? (a) : (b))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define ERR_CONCAT_(a, b) a##b
#define ERR_CONCAT(a, b)  ERR_CONCAT_(a, b)

/* Evaluates expr; returns its value from the calling function unless it is 0. */
#define TRY(expr)                                          \
	do {                                               \
		int ERR_CONCAT(try_, __LINE__) = (expr);   \
		if (ERR_CONCAT(try_, __LINE__) != 0)       \
			return ERR_CONCAT(try_, __LINE__); \
	} while (0)

/* Aborts with the expression and place when x is false. */
#define ensure(x)                                                  \
	do {                                                       \
		if (__builtin_expect(!(x), 0))                     \
			err_ensure_failed(#x, __FILE__, __LINE__); \
	} while (0)

_Noreturn void err_ensure_failed(const char *what, const char *file, int line);

/* Cleanup helpers: `CLEANUP(fd_closep) int fd = -1;` closes when the scope ends. */
void fd_closep(int *fd);
/* Takes the descriptor out of the variable, which becomes -1. */
static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}
