/* tree: one inotify descriptor, a watch for each directory. */
#include "loop/tree.h"

#include "base/map.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EVENTS                                                                              \
	(IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | \
	        IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

struct tree {
	struct loop_fd fd;
	struct arena *arena;
	struct str directory, except;
	struct str *paths; /* relative, by watch descriptor; "" is the directory itself */
	size_t capacity, n;
	int top;
};

static bool is_left_out(struct str name)
{
	static const struct str endings[] = { S_INIT("~"), S_INIT(".swp"), S_INIT(".swo"),
		S_INIT(".swx"), S_INIT(".tmp"), S_INIT("4913"), S_INIT("__pycache__") };

	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (str_ends(name, endings[i]))
			return true;
	return str_starts(name, S(".#"));
}

static bool is_entered(struct str path, struct str name)
{
	return name.n && name.p[0] != '.' && !is_left_out(name) &&
	       !str_ends(path, S("node_modules"));
}

static struct str join(struct arena *a, struct str path, struct str name)
{
	return path.n ? str_concat(a, 3, path, S("/"), name) : str_dup(a, name);
}

static int watch(struct tree *tree, struct str path)
{
	struct str whole = join(tree->arena, tree->directory, path);
	int wd = inotify_add_watch(tree->fd.fd, str_cstr(tree->arena, whole), EVENTS);

	if (wd < 0)
		return -errno;
	if ((size_t)wd >= tree->capacity) {
		size_t capacity = MAX((size_t)wd + 1, tree->capacity * 2);
		tree->paths = mem_resize(tree->paths, capacity * sizeof *tree->paths);
		memset(tree->paths + tree->capacity, 0,
		        (capacity - tree->capacity) * sizeof *tree->paths);
		tree->capacity = capacity;
	}
	tree->paths[wd] = str_dup(tree->arena, path);
	tree->n++;
	return wd;
}

/* Watches a directory and what is in it. One that has gone meanwhile is no error. */
static int add(struct tree *tree, struct str path, int depth)
{
	struct dirent *e;

	if (path.n && str_eq(path, tree->except))
		return 0;
	if (tree->n >= TREE_MAX_DIRECTORIES || depth > 32)
		return 0;
	int wd = watch(tree, path);
	if (wd < 0)
		return wd == -ENOSPC || !path.n ? wd : 0;
	struct str whole = join(tree->arena, tree->directory, path);
	DIR *d = opendir(str_cstr(tree->arena, whole));
	int bad = 0;
	while (d && bad >= 0 && (e = readdir(d))) {
		struct str name = str_of(e->d_name);
		if (e->d_type == DT_DIR && is_entered(path, name))
			bad = add(tree, join(tree->arena, path, name), depth + 1);
	}
	if (d)
		closedir(d);
	return bad < 0 ? bad : wd;
}

int tree_open(struct loop *loop, struct str directory, struct str except, struct tree **opened)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0)
		return -errno;
	struct tree *tree = mem_new(struct tree);
	tree->arena = arena_create();
	tree->directory = str_dup(tree->arena, directory);
	tree->except = str_dup(tree->arena, except);
	int bad = loop_fd_init(&tree->fd, loop, fd);
	tree->top = bad ? bad : add(tree, S(""), 0);
	if (tree->top < 0) {
		bad = tree->top;
		tree_close(tree);
		return bad;
	}
	*opened = tree;
	return 0;
}

struct seen {
	struct str what;
	bool gone;
};

static void see(struct tree *tree, struct arena *a, const struct inotify_event *e, struct seen *s)
{
	struct str name = e->len ? str_of(e->name) : S("");
	struct str path = e->wd >= 0 && (size_t)e->wd < tree->capacity ? tree->paths[e->wd]
	                                                               : (struct str){ 0 };

	if (e->wd == tree->top && (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)))
		s->gone = true;
	if (e->mask & IN_IGNORED || !name.n || is_left_out(name))
		return;
	if ((e->mask & IN_ISDIR) && (e->mask & (IN_CREATE | IN_MOVED_TO)) && is_entered(path, name))
		(void)!add(tree, join(tree->arena, path, name), 1);
	struct str changed = join(a, path, name);
	/* What was renamed or completed is what somebody has saved. */
	bool better = !s->what.n || (e->mask & (IN_MOVED_TO | IN_CLOSE_WRITE));
	if (better && !str_eq(changed, tree->except))
		s->what = changed;
}

static ssize_t take(struct task *t, struct tree *tree, void *room, size_t size, uint64_t limit_ms)
{
	if (limit_ms)
		return loop_fd_read(t, &tree->fd, room, size, limit_ms);
	ssize_t n = read(tree->fd.fd, room, size);
	if (n < 0 && errno == EAGAIN)
		tree->fd.readable = false;
	return n < 0 ? -errno : n;
}

int tree_wait(struct task *t, struct tree *tree, uint64_t limit_ms, struct str *what)
{
	enum { ROOM = 4096 };
	struct arena *a = task_arena(t);
	char *room = arena_alloc(a, ROOM);
	struct seen s = { 0 };

	for (;;) {
		bool have = s.what.n || s.gone;
		ssize_t n = take(t, tree, room, ROOM, have ? 0 : limit_ms);
		if (n <= 0 && have)
			break;
		if (n <= 0)
			return n ? (int)n : -EPIPE;
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (void *)(room + at);
			see(tree, a, e, &s);
			at += (ssize_t)(sizeof *e + e->len);
		}
	}
	*what = s.what;
	return s.gone ? -ENOENT : 0;
}

void tree_close(struct tree *tree)
{
	if (!tree)
		return;
	loop_fd_deinit(&tree->fd);
	arena_destroy(tree->arena);
	mem_free(tree->paths);
	mem_free(tree);
}
