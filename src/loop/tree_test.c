/* tree: changes anywhere below are seen, what is left out is not. */
#include "loop/tree.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SOON_MS 2000
#define NONE_MS 30

static char top[64];

static void put(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", top, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) >= 0);
	close(fd);
}

static void make(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void sees(struct task *t, struct tree *tree, const char *name)
{
	struct str what;

	put(name, "x");
	assert_int_equal(tree_wait(t, tree, SOON_MS, &what), 0);
	assert_string_equal(str_cstr(task_arena(t), what), name);
	while (tree_wait(t, tree, NONE_MS, &what) == 0)
		;
}

static void does_not_see(struct task *t, struct tree *tree, const char *name)
{
	struct str what;

	put(name, "x");
	assert_int_equal(tree_wait(t, tree, NONE_MS, &what), -ETIMEDOUT);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	return remove(path);
}

static int look(struct task *t, void *arg)
{
	static const char *const folders[] = { "a", "b", "c", "c/d", ".git", "out", "node_modules",
		"node_modules/x" };
	struct tree *tree;
	struct str what;

	snprintf(top, sizeof top, "/tmp/wolke-tree-XXXXXX");
	assert_non_null(mkdtemp(top));
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		make(folders[i]);
	assert_int_equal(tree_open(task_loop(t), str_of(top), S("out"), &tree), 0);
	sees(t, tree, "f");
	sees(t, tree, "a/f");
	sees(t, tree, "b/f");
	sees(t, tree, "c/f");
	sees(t, tree, "c/d/f");
	sees(t, tree, "node_modules/f");
	does_not_see(t, tree, "out/f");
	does_not_see(t, tree, ".git/f");
	does_not_see(t, tree, "node_modules/x/f");
	does_not_see(t, tree, "a/.f.py.swp");
	does_not_see(t, tree, "a/f~");
	make("c/new");
	assert_int_equal(tree_wait(t, tree, SOON_MS, &what), 0);
	sees(t, tree, "c/new/f");
	assert_int_equal(nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	int bad = 0;
	while (!bad)
		bad = tree_wait(t, tree, SOON_MS, &what);
	assert_int_equal(bad, -ENOENT);
	tree_close(tree);
	loop_stop(task_loop(t));
	return 0;
}

static void test_tree(void **state)
{
	struct loop *loop = loop_new();

	task_start(loop, "look", look, NULL);
	loop_run(loop);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_tree) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
