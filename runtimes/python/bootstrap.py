"""The Python runtime's entry: `python3 bootstrap.py`, or `import bootstrap; bootstrap.main()` in a
process forked from a zygote. All of it is in wolke_runtime.py, because Python keeps the compiled
form of what is imported, but compiles the file it is started with every time: 20 ms."""

from wolke_runtime import main, preload

if __name__ == "__main__":
    main()
else:
    preload()
