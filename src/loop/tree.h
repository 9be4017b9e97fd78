#pragma once
/*
 * tree: a directory and everything below it, watched for changes (inotify). What editors and tools
 * write for themselves is left out: swap and backup files, folders whose names begin with a dot,
 * __pycache__, and what is inside of node_modules' packages.
 *
 *	TRY(tree_open(loop, S("/home/me/app"), (struct str){ 0 }, &tree));
 *	while (tree_wait(t, tree, TASK_FOREVER, &what) == 0)	// "src/app.py"
 *		reload();
 *	tree_close(tree);
 */
#include "loop/loop.h"

#define TREE_MAX_DIRECTORIES 8192

struct tree;

/* -ENOENT, -ENOTDIR, -ENOSPC: the user's inotify limit. */
/* except: a folder below it, relative, that is left out; absent: none. */
int tree_open(
        struct loop *loop, struct str directory, struct str except, struct tree **tree) MUST_USE;
/* Waits for a change; all that has come by then is one. *what: a path that changed, relative, in
 * the task's arena. -ENOENT: the directory itself has gone. */
int tree_wait(struct task *t, struct tree *tree, uint64_t limit_ms, struct str *what) MUST_USE;
void tree_close(struct tree *tree); /* NULL is fine */
