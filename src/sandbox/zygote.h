#pragma once
/*
 * zygote: libwolke_zygote.so, by which a pre-initialised interpreter becomes the parent of
 * environments. The helper starts the interpreter with WOLKE_ZYGOTE_LIB (this library) and
 * WOLKE_ZYGOTE_FD (its control socket); when all is imported it calls
 *
 *	zygote_serve(fd);
 *
 * which returns 0 once per environment, each time in a new process: inside its sandbox, as its
 *user, without privileges, with the sandbox's environment, output and limits. In the zygote itself
 *it returns only when it cannot serve (-errno), and exits when the helper closes the socket.
 *
 * It forks by fork(), so libc's state is right in the child. The interpreter's own must be put
 * right by its own means (Python: PyOS_BeforeFork() before, PyOS_AfterFork_Child() behind), and
 * it must have one thread only. Load it such that the interpreter's lock stays held (ctypes.PyDLL).
 */
int zygote_serve(int fd);
