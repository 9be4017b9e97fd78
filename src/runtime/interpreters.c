/* interpreters: the table of runtimes, and the search for what runs them. */
#include "runtime/interpreters.h"

#include "base/log.h"
#include "runtime/runtime.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PYTHON(minor)                                                             \
	{                                                                         \
		S_INIT("python3." #minor), LANGUAGE_PYTHON, 3, minor,             \
		        S_INIT("Python 3." #minor " (the package python3." #minor \
		               ", or pyenv install 3." #minor ")")                \
	}
#define NODE(major)                                                                             \
	{                                                                                       \
		S_INIT("nodejs" #major ".x"), LANGUAGE_NODEJS, major, -1,                       \
		        S_INIT("Node.js " #major " (the package nodejs, or nvm install " #major \
		               ")")                                                             \
	}
#define OTHER(name, install)                                        \
	{                                                           \
		S_INIT(name), LANGUAGE_OTHER, 0, 0, S_INIT(install) \
	}
#define NO_BRIDGE " has no runtime here: package it with a bootstrap and use provided.al2023"

static const struct runtime_kind kinds[] = {
	{ S_INIT("provided.al2023"), LANGUAGE_PROVIDED, 0, 0, S_INIT("") },
	{ S_INIT("provided.al2"), LANGUAGE_PROVIDED, 0, 0, S_INIT("") },
	{ S_INIT("provided"), LANGUAGE_PROVIDED, 0, 0, S_INIT("") },
	PYTHON(9),
	PYTHON(10),
	PYTHON(11),
	PYTHON(12),
	PYTHON(13),
	PYTHON(14),
	NODE(18),
	NODE(20),
	NODE(22),
	NODE(24),
	OTHER("java25", "Java" NO_BRIDGE),
	OTHER("java21", "Java" NO_BRIDGE),
	OTHER("java17", "Java" NO_BRIDGE),
	OTHER("java11", "Java" NO_BRIDGE),
	OTHER("java8.al2", "Java" NO_BRIDGE),
	OTHER("ruby3.4", "Ruby" NO_BRIDGE),
	OTHER("ruby3.3", "Ruby" NO_BRIDGE),
	OTHER("ruby3.2", "Ruby" NO_BRIDGE),
	OTHER("dotnet10", ".NET" NO_BRIDGE),
	OTHER("dotnet9", ".NET" NO_BRIDGE),
	OTHER("dotnet8", ".NET" NO_BRIDGE),
};

#define MAX_FOUND 64

struct candidate {
	char path[PATH_MAX];
	int major, minor;
	char exact[32];
};

static struct found {
	pthread_mutex_t lock;
	bool searched[LANGUAGE_OTHER + 1];
	struct candidate *v[LANGUAGE_OTHER + 1];
	size_t n[LANGUAGE_OTHER + 1];
	struct interpreter by_kind[ARRAY_LEN(kinds)];
	bool known[ARRAY_LEN(kinds)];
} found = { .lock = PTHREAD_MUTEX_INITIALIZER };
static _Atomic bool nearest_allowed;

const struct runtime_kind *runtime_kind_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

const struct runtime_kind *runtime_kinds(size_t *n)
{
	*n = ARRAY_LEN(kinds);
	return kinds;
}

void interpreters_allow_nearest(bool allow)
{
	nearest_allowed = allow;
}

bool interpreters_nearest_allowed(void)
{
	return nearest_allowed;
}

/* ---- versions ---- */

static bool read_some(const char *path, char *text, size_t size)
{
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (n < 0)
		return false;
	text[n] = 0;
	return true;
}

static int number_after(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	return at ? (int)strtol(at + strlen(what), NULL, 10) : -1;
}

/* "v20.1.2" */
static bool set_version(struct candidate *c, const char *text)
{
	return sscanf(text, "%d.%d", &c->major, &c->minor) == 2 &&
	       sscanf(text, "%31[0-9.]", c->exact) == 1;
}

/* Its header lies beside it in most installations: no need to run it. */
static bool node_version_by_header(struct candidate *c)
{
	char path[PATH_MAX + 64], text[2048], exact[48];
	int bin = (int)strlen(c->path) - (int)strlen("/bin/node");

	if (bin < 0)
		return false;
	snprintf(path, sizeof path, "%.*s/include/node/node_version.h", bin, c->path);
	if (!read_some(path, text, sizeof text))
		return false;
	snprintf(exact, sizeof exact, "%d.%d.%d", number_after(text, "#define NODE_MAJOR_VERSION "),
	        number_after(text, "#define NODE_MINOR_VERSION "),
	        number_after(text, "#define NODE_PATCH_VERSION "));
	return set_version(c, exact);
}

static bool node_version_by_running(struct candidate *c)
{
	char *argv[] = { c->path, (char *)(uintptr_t) "--version", NULL };
	char *env[] = { NULL };
	char text[64] = "";
	int ends[2], status;
	pid_t pid;
	posix_spawn_file_actions_t actions;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	int bad = posix_spawn(&pid, c->path, &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	ssize_t n = bad ? -1 : read(ends[0], text, sizeof text - 1);
	close(ends[0]);
	if (!bad)
		waitpid(pid, &status, 0);
	return n > 1 && text[0] == 'v' && set_version(c, text + 1);
}

static bool node_version(struct candidate *c)
{
	return node_version_by_header(c) || node_version_by_running(c);
}

/* ".../python3.12": the exact version is in the path of pyenv's. */
static bool python_version(struct candidate *c)
{
	const char *name = strrchr(c->path, '/') + 1, *pyenv = strstr(c->path, "/versions/");
	char *end;

	if (strncmp(name, "python3.", 8) != 0)
		return false;
	c->major = 3;
	c->minor = (int)strtol(name + 8, &end, 10);
	if (*end || end == name + 8)
		return false;
	snprintf(c->exact, sizeof c->exact, "3.%d", c->minor);
	if (pyenv && sscanf(pyenv + 10, "%31[0-9.]", c->exact) != 1)
		return false;
	return true;
}

/* ---- where they may be ---- */

static bool is_known(const struct candidate *v, size_t n, const struct candidate *c)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].major == c->major && v[i].minor == c->minor)
			return true;
	return false;
}

/* The first of a version wins: directories are searched in order of preference. */
static void consider(enum runtime_language l, const char *path)
{
	struct candidate *c = &found.v[l][found.n[l]];

	if (found.n[l] == MAX_FOUND - 1 || access(path, X_OK) != 0 || !realpath(path, c->path))
		return;
	if (strstr(c->path, "/shims/"))
		return;
	c->minor = -1;
	bool good = l == LANGUAGE_PYTHON ? python_version(c) : node_version(c);
	if (good && !is_known(found.v[l], found.n[l], c))
		found.n[l]++;
}

static void consider_all(enum runtime_language l, struct str dir)
{
	char pattern[1024];
	const char *name = l == LANGUAGE_PYTHON ? "python3.[0-9]*" : "node";
	glob_t g;

	snprintf(pattern, sizeof pattern, "%.*s/%s", STR(dir), name);
	if (glob(pattern, 0, NULL, &g) != 0)
		return;
	for (size_t i = 0; i < g.gl_pathc; i++)
		consider(l, g.gl_pathv[i]);
	globfree(&g);
}

static void consider_home(enum runtime_language l, const char *home)
{
	static const char *const below[] = { ".pyenv/versions/*/bin", ".nvm/versions/node/*/bin",
		".local/share/fnm/node-versions/*/installation/bin", ".local/bin" };
	char dir[512];

	for (size_t i = 0; home && i < ARRAY_LEN(below); i++) {
		snprintf(dir, sizeof dir, "%s/%s", home, below[i]);
		consider_all(l, str_of(dir));
	}
}

static void search(enum runtime_language l)
{
	struct str path = str_of(getenv("PATH"));

	found.searched[l] = true;
	found.v[l] = mem_alloc(MAX_FOUND * sizeof **found.v);
	consider_all(l, S("/usr/bin"));
	consider_all(l, S("/usr/local/bin"));
	while (path.p) {
		struct str dir = str_cut(&path, ':');
		if (dir.n)
			consider_all(l, dir);
	}
	consider_home(l, getenv("HOME"));
	consider_all(l, S("/opt/*/bin"));
	consider_all(l, S("/opt/*/*/bin"));
}

/* ---- choosing ---- */

static int distance(const struct runtime_kind *k, const struct candidate *c)
{
	int d = k->minor < 0 ? c->major - k->major : c->minor - k->minor;

	/* Of two equally near the newer one. */
	return d < 0 ? -2 * d : 2 * d - (d > 0);
}

static const char *prefix_of(const char *path)
{
	const char *bin = strstr(path, "/bin/");

	if (strncmp(path, "/usr/", 5) == 0 || !bin)
		return NULL;
	return strndup(path, (size_t)(bin - path));
}

static void choose(const struct runtime_kind *k, struct interpreter *chosen)
{
	enum runtime_language l = k->language;
	const struct candidate *best = NULL;

	chosen->kind = k;
	if (l != LANGUAGE_PYTHON && l != LANGUAGE_NODEJS)
		return;
	if (!found.searched[l])
		search(l);
	for (size_t i = 0; i < found.n[l]; i++)
		if (!best || distance(k, &found.v[l][i]) < distance(k, best))
			best = &found.v[l][i];
	if (!best)
		return;
	chosen->path = best->path;
	chosen->prefix = prefix_of(best->path);
	chosen->exact = str_of(best->exact);
	chosen->nearest = distance(k, best) != 0;
}

const struct interpreter *interpreter_find(const struct runtime_kind *kind)
{
	size_t i = (size_t)(kind - kinds);

	pthread_mutex_lock(&found.lock);
	if (!found.known[i]) {
		choose(kind, &found.by_kind[i]);
		found.known[i] = true;
	}
	pthread_mutex_unlock(&found.lock);
	return &found.by_kind[i];
}

/* ---- what callers and people are told ---- */

static bool usable(const struct interpreter *in)
{
	if (in->kind->language == LANGUAGE_PROVIDED)
		return true;
	return in->path && (!in->nearest || nearest_allowed);
}

int runtime_check(struct arena *a, struct str runtime, struct str *nearest, struct str *why)
{
	const struct runtime_kind *k = runtime_kind_find(runtime);

	*nearest = *why = (struct str){ 0 };
	if (!k) {
		*why = str_printf(a, "there is no runtime %.*s", STR(runtime));
		return RUNTIME_UNAVAILABLE;
	}
	const struct interpreter *in = interpreter_find(k);
	if (in->nearest)
		*nearest = str_printf(a, "%s (%.*s)", in->path, STR(in->exact));
	if (usable(in))
		return 0;
	if (k->language == LANGUAGE_OTHER)
		*why = k->install;
	else if (in->path)
		*why = str_printf(a, "install %.*s, or allow %.*s by --runtimes=nearest",
		        STR(k->install), STR(*nearest));
	else
		*why = str_printf(a, "install %.*s", STR(k->install));
	return RUNTIME_UNAVAILABLE;
}

struct str runtime_table(struct arena *a)
{
	struct buf b = buf_init(a);

	buf_printf(&b, "%-16s %-10s %s\n", "RUNTIME", "VERSION", "RUN BY");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct interpreter *in = interpreter_find(&kinds[i]);
		buf_printf(&b, "%-16.*s %-10.*s ", STR(kinds[i].name),
		        STR(in->exact.n ? in->exact : S("-")));
		if (kinds[i].language == LANGUAGE_PROVIDED)
			buf_add(&b, S("the package's own bootstrap"));
		else if (kinds[i].language == LANGUAGE_OTHER)
			buf_printf(&b, "nothing: %.*s", STR(kinds[i].install));
		else if (!in->path)
			buf_printf(&b, "nothing: install %.*s", STR(kinds[i].install));
		else
			buf_printf(&b, "%s%s", in->path,
			        in->nearest ? " (the nearest; only with --runtimes=nearest)" : "");
		buf_add_char(&b, '\n');
	}
	return buf_str(&b);
}
