"""The zygote: a Python with the bootstrap imported, from which environments are forked.

The sandbox helper starts it. zygote_serve() returns in each new environment, inside its sandbox.
"""
import ctypes
import gc
import os
import sys


def environment():
    """What libc's environ now holds: os.environ was read when the zygote started."""
    block = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    pairs = []
    for entry in block:
        if entry is None:
            return pairs
        pairs.append(os.fsdecode(entry).partition("=")[::2])


def serve():
    """Becomes the parent of environments; returns in each of them."""
    library = ctypes.PyDLL(os.environ["WOLKE_ZYGOTE_LIB"])
    gc.collect()
    gc.freeze()  # a collection in the child would otherwise touch, and copy, every page
    ctypes.pythonapi.PyOS_BeforeFork()
    error = library.zygote_serve(int(os.environ["WOLKE_ZYGOTE_FD"]))
    if error:
        raise OSError(-error, os.strerror(-error))
    ctypes.pythonapi.PyOS_AfterFork_Child()
    pairs = environment()
    os.environ.clear()
    os.environ.update(pairs)
    # They were made for what the zygote's descriptors were: a file, perhaps, that one can seek in.
    sys.stdin, sys.stdout, sys.stderr = (
        open(fd, mode, encoding="utf-8", errors=errors, closefd=False)
        for fd, mode, errors in ((0, "r", None), (1, "w", None), (2, "w", "backslashreplace"))
    )
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr


if __name__ == "__main__":
    import bootstrap

    serve()
    bootstrap.main()
