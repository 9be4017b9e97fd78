#pragma once
/*
 * debug: functions whose interpreter lets a debugger attach. It listens inside of the sandbox; a
 * port of the host leads there, through the helper, to whichever environment runs the function
 * now. There is one at a time, it is never frozen, and no time runs out while somebody is attached.
 *
 *	Node.js   --inspect, port 9229     Python   debugpy (DAP), port 5678
 *	provided  gdbserver, port 2345: the program waits for the debugger when it starts
 */
#include "runtime/runtime_internal.h"

/* Sets f->debug_port, and into the key that it is so, when the function is being debugged. */
void debug_key(struct runtime *rt, struct arena *a, struct runtime_function *f);
/* Somebody is attached, or is waited for: time stands still. */
bool debug_holds(const struct env *e);
/* The variable that makes the interpreter listen; before: its value by the function. Absent: none.
 */
struct str debug_variable(struct arena *a, const struct env *e, struct str *name);
/* Puts gdbserver before the program. */
void debug_argv(struct arena *a, const struct env *e, struct sandbox_spec *spec);
int debug_stop(struct task *t, struct runtime *rt) MUST_USE;
