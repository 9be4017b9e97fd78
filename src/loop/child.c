/* child: a program run to its end, its output collected. */
#include "loop/child.h"

#include "base/buf.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX (1u << 20)

extern char **environ;

static int spawn(const char *const argv[], int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, out, 2);
	int error =
	        posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

static int collect(struct task *t, struct loop_fd *in, struct buf *b, uint64_t limit_ms)
{
	uint64_t before = task_deadline_set(t, TASK_FOREVER);
	ssize_t n;

	(void)before;
	while ((n = loop_fd_read(t, in, buf_reserve(b, 4096), 4096, limit_ms)) > 0)
		if (b->n < OUTPUT_MAX)
			buf_commit(b, (size_t)n);
	task_deadline_set(t, before);
	return (int)n;
}

int child_run(
        struct task *t, const char *const argv[], uint64_t limit_ms, struct child_result *result)
{
	struct buf b = buf_init(task_arena(t));
	struct loop_fd in;
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	int bad = spawn(argv, ends[1], &pid);
	close(ends[1]);
	if (bad) {
		close(ends[0]);
		return bad;
	}
	bad = loop_fd_init(&in, task_loop(t), ends[0]);
	if (!bad)
		bad = collect(t, &in, &b, limit_ms);
	loop_fd_deinit(&in);
	if (bad)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	result->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	result->out = buf_str(&b);
	return bad;
}
