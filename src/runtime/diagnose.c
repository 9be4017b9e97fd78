/* diagnose: questions to the sandbox and to the interpreter in it, and words for the answers. */
#include "runtime/diagnose.h"

#include "base/clock.h"

#include <stdio.h>

#define MARK        "[wolke] "
#define DUMP_MAX    (32 * 1024)
#define DUMP_MS     20 /* an interpreter that does not answer within it is busy */
#define STEP_MS     2
#define LINES_MAX   40
#define STARVED     0.25 /* of the time */
#define MIB_PER_CPU 1769

/* The signal that the interpreters' bootstraps answer. Nothing else uses SIGSTKFLT. */
static const struct {
	enum runtime_language language;
	int signal;
} asked[] = {
	{ LANGUAGE_PYTHON, 16 },
	{ LANGUAGE_NODEJS, 16 },
};

static int signal_for(const struct env *e)
{
	for (size_t i = 0; i < ARRAY_LEN(asked); i++)
		if (asked[i].language == e->interpreter->kind->language)
			return asked[i].signal;
	return 0;
}

/* ---- words ---- */

static void frame(struct buf *b, struct str line)
{
	/*   File "/var/task/app.py", line 3 in handler */
	struct str rest = str_sub(line, sizeof "  File \"" - 1, line.n), file = str_cut(&rest, '"');
	ptrdiff_t at = str_find(rest, S("line "));

	if (at < 0)
		return;
	rest = str_sub(rest, (size_t)at + 5, rest.n);
	struct str number = str_cut(&rest, ' ');
	if (str_starts(rest, S("in ")))
		rest = str_sub(rest, 3, rest.n);
	buf_printf(b, MARK "  %.*s:%.*s %.*s\n", STR(file), STR(number), STR(rest));
}

static bool is_own(struct str line)
{
	static const struct str own[] = { S_INIT("/wolke_runtime.py\""), S_INIT("/zygote.py\""),
		S_INIT("/bootstrap.py\""), S_INIT("<frozen ") };

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (str_find(line, own[i]) >= 0)
			return true;
	return false;
}

/* The thread that runs the handler is the one that the runtime has called it in. */
static bool is_main(struct str part)
{
	return str_find(part, S("/wolke_runtime.py\"")) >= 0;
}

/* One thread's part of the dump. */
static void thread(struct buf *b, struct str part, bool serves)
{
	bool said = false;

	while (part.p) {
		struct str line = str_cut(&part, '\n');
		if (!str_starts(line, S("  File \"")) || is_own(line))
			continue;
		if (!said)
			buf_printf(b, MARK "%s, innermost call first:\n",
			        serves ? "It was here" : "Another thread was here");
		said = true;
		frame(b, line);
	}
}

static size_t next_thread(struct str dump)
{
	ptrdiff_t a = str_find(dump, S("\nThread 0x")), c = str_find(dump, S("\nCurrent thread"));

	if (a < 0 || (c >= 0 && c < a))
		a = c;
	return a < 0 ? dump.n : (size_t)a + 1;
}

void diagnose_python(struct buf *b, struct str dump)
{
	for (int serves = 1; serves >= 0; serves--)
		for (struct str rest = dump; rest.n;) {
			size_t n = next_thread(rest);
			struct str part = str_sub(rest, 0, n);
			if (is_main(part) == serves)
				thread(b, part, serves);
			rest = str_sub(rest, n, rest.n);
		}
}

/* The bootstrap says what a Node.js that waits is waiting for. */
static void node(struct buf *b, struct str dump)
{
	const struct str mark = S("wolke-waits-for: ");
	ptrdiff_t at = str_find(dump, mark);

	if (at < 0) {
		buf_add(b, S(MARK "JavaScript was running: the event loop did not turn.\n"));
		return;
	}
	struct str rest = str_sub(dump, (size_t)at + mark.n, dump.n), names = str_cut(&rest, '\n');
	buf_printf(b, MARK "No JavaScript was running. It waited for: %.*s\n", STR(names));
}

static size_t count(struct str text, struct str word)
{
	size_t n = 0;

	for (ptrdiff_t at; (at = str_find(text, word)) >= 0; n++)
		text = str_sub(text, (size_t)at + word.n, text.n);
	return n;
}

/* What the kernel knows of the processes. Of an interpreter that has told itself, only when there
 * are others beside it. */
static void processes(struct buf *b, struct str text, bool told)
{
	size_t n = 0;

	if (told && count(text, S("process ")) < 2)
		return;
	while (text.p && n < LINES_MAX) {
		struct str line = str_cut(&text, '\n');
		bool head = str_starts(line, S("process ")) || str_starts(line, S("  waits in"));
		if (!line.n || (told && !head))
			continue;
		buf_printf(b, MARK "%.*s\n", STR(line));
		n++;
	}
}

void diagnose_cpu_lines(struct buf *b, const struct diagnose_cpu *c)
{
	double share = (double)c->memory_mib / MIB_PER_CPU;

	buf_printf(b, MARK "In its last %.2f s it used %.2f s of CPU, and at most %u of %u MB.\n",
	        c->window_s, c->used_s, c->max_memory_mib, c->memory_mib);
	if (c->held_s >= STARVED * c->window_s && c->window_s > 0)
		buf_printf(b,
		        MARK "It was held back for %.2f s of them: %u MB of memory give it %.2f "
		             "of a CPU. More memory makes it faster: %d MB give a whole one.\n",
		        MIN(c->held_s, c->window_s), c->memory_mib, share, MIB_PER_CPU);
	if (c->max_memory_mib * 10ull >= c->memory_mib * 9ull)
		buf_add(b, S(MARK "Its memory was nearly full.\n"));
}

/* ---- asking ---- */

static int read_use(struct task *t, struct env *e, struct cpu_use *use)
{
	struct sandbox_message m = { .type = SANDBOX_USAGE, .id = str_of(e->id) }, reply;
	unsigned long long used, held;

	TRY(sandbox_client_call(t, &e->rt->sandbox, &m, &reply));
	if (sscanf(str_cstr(task_arena(t), reply.why), "%llu %llu", &used, &held) != 2)
		return -EPROTO;
	*use = (struct cpu_use){ clock_mono_ns(), used, held };
	return 0;
}

static int half_task(struct task *t, void *arg)
{
	struct env *e = arg;
	uint64_t started_ns = e->run.started_ns;
	struct cpu_use use;

	if (read_use(t, e, &use) == 0 && e->run.started_ns == started_ns)
		e->run.half = use;
	env_unref(e);
	return 0;
}

void diagnose_half(struct env *e)
{
	if (e->pid)
		task_start(e->rt->loop, "diagnose-half", half_task, env_ref(e));
}

static int wait_for_dump(struct task *t, const struct env *e)
{
	size_t before = 0;

	for (int ms = 0; ms < DUMP_MS; ms += STEP_MS) {
		TRY(task_sleep(t, STEP_MS));
		if (e->dump_n && e->dump_n == before)
			return 0;
		before = e->dump_n;
	}
	return 0;
}

static int ask(struct task *t, struct env *e, struct buf *b)
{
	struct sandbox_message m = { .type = SANDBOX_STACKS, .id = str_of(e->id) }, reply;
	struct cpu_use use = { 0 }, half = e->run.half;
	struct diagnose_cpu c = { .memory_mib = e->pool->f.memory_mib };
	enum runtime_language language = e->interpreter->kind->language;

	int bad = read_use(t, e, &use);
	m.signal = signal_for(e);
	TRY(sandbox_client_call(t, &e->rt->sandbox, &m, &reply));
	if (m.signal)
		TRY(wait_for_dump(t, e));
	struct str dump = { e->dump, e->dump_n };
	if (language == LANGUAGE_PYTHON)
		diagnose_python(b, dump);
	else if (language == LANGUAGE_NODEJS)
		node(b, dump);
	processes(b, reply.why, b->n > 0);
	if (bad || !half.at_ns)
		return bad;
	c.window_s = (double)(use.at_ns - half.at_ns) / 1e9;
	c.used_s = (double)(use.used_ns - half.used_ns) / 1e9;
	c.held_s = (double)(use.held_ns - half.held_ns) / 1e9;
	c.max_memory_mib = MIN(env_memory_mib(e, true), c.memory_mib);
	diagnose_cpu_lines(b, &c);
	return 0;
}

static int diagnose_task(struct task *t, void *arg)
{
	struct env *e = arg;
	struct buf b = buf_init(task_arena(t));

	if (e->state != ENV_GONE && e->pool)
		(void)!ask(t, e, &b);
	env_time_is_up(e, buf_str(&b));
	env_unref(e);
	return 0;
}

void diagnose(struct env *e)
{
	task_start(e->rt->loop, "diagnose", diagnose_task, env_ref(e));
}

void diagnose_feed(struct env *e, struct str bytes)
{
	size_t n = MIN(bytes.n, DUMP_MAX - e->dump_n);

	if (!e->dump)
		e->dump = arena_bytes(e->arena, DUMP_MAX);
	memcpy(e->dump + e->dump_n, bytes.p, n);
	e->dump_n += n;
}
