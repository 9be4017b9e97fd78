"""For gdb:  source tools/gdb.py, then `wolke tasks` lists every task of every loop with its back trace.

A parked task's registers lie on its own stack, as switch_stacks left them; they are put into the
processor for the time of the back trace.
"""
import gdb

# From the saved stack pointer upwards, as src/loop/switch.c pushes them.
SAVED = ["r15", "r14", "r13", "r12", "rbx", "rbp", "rip"]


def container(node, type_, member):
    type_ = gdb.lookup_type(type_)
    offset = next(f.bitpos // 8 for f in type_.fields() if f.name == member)
    return (int(node) - offset, type_.pointer())


def loops():
    """The loops that threads turn, each with its thread."""
    selected = gdb.selected_thread()
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        frame = gdb.newest_frame()
        while frame:
            if frame.name() == "loop_run":
                yield thread, frame.read_var("loop")
                break
            frame = frame.older()
    selected.switch()


def tasks_of(loop):
    head = loop["all"]["head"].address
    node = loop["all"]["head"]["next"]
    while int(node) != int(head):
        at, pointer = container(node, "struct task", "all")
        yield gdb.Value(at).cast(pointer)
        node = node["next"]


def back_trace(task):
    names = SAVED + ["rsp"]
    before = {n: int(gdb.parse_and_eval("(unsigned long)$" + n)) for n in names}
    words = gdb.lookup_type("unsigned long").pointer()
    sp = task["sp"].cast(words)
    try:
        for i, name in enumerate(SAVED):
            gdb.execute("set $%s = %d" % (name, int(sp[i])))
        gdb.execute("set $rsp = %d" % (int(sp) + 8 * len(SAVED)))
        gdb.execute("bt 20")
    finally:
        for name in names:
            gdb.execute("set $%s = %d" % (name, before[name]))


class Wolke(gdb.Command):
    """wolke tasks: every task with its back trace."""

    def __init__(self):
        super().__init__("wolke", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if argument != "tasks":
            raise gdb.GdbError("wolke tasks")
        for thread, loop in list(loops()):
            thread.switch()
            gdb.newest_frame().select()
            for task in tasks_of(loop):
                print("\n%s  %s" % (task["name"].string(), task["state"]))
                if str(task["state"]) == "TASK_PARKED":
                    back_trace(task)


Wolke()
