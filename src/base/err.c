/* err: the ends of ensure() and of the cleanup attributes. */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void err_ensure_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "wolke: %s:%d: ensure(%s) failed\n", file, line, what);
	abort();
}

void fd_closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}
