/* dev_child: the user's build as a process group of its own. */
#include "main/dev.h"

#include "loop/loop.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn static void become(const char *command, const char *directory)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpgid(0, 0);
	if (chdir(directory) == 0) {
		/* A watch mode that is asked for input would stop. */
		int null_fd = open("/dev/null", O_RDONLY);
		if (null_fd >= 0)
			dup2(null_fd, 0);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	}
	_exit(127);
}

int dev_child_start(struct arena *a, struct str command, struct str directory, struct dev_child *c)
{
	const char *text = str_cstr(a, command), *in = str_cstr(a, directory);

	c->pid = fork();
	if (c->pid == 0)
		become(text, in);
	if (c->pid < 0)
		return -errno;
	c->pidfd = pidfd_open(c->pid, 0);
	return c->pidfd < 0 ? -errno : 0;
}

int dev_child_wait(struct task *t, struct dev_child *c)
{
	struct loop_fd fd;
	int status = 0;

	TRY(loop_fd_init(&fd, task_loop(t), c->pidfd));
	c->pidfd = -1;
	int bad = loop_fd_wait_readable(t, &fd, TASK_FOREVER);
	loop_fd_deinit(&fd);
	if (bad) {
		dev_child_stop(c);
		return bad;
	}
	waitpid(c->pid, &status, 0);
	c->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void dev_child_stop(struct dev_child *c)
{
	if (c->pid > 0) {
		kill(-c->pid, SIGTERM);
		waitpid(c->pid, NULL, WNOHANG);
	}
	c->pid = 0;
	if (c->pidfd > 0)
		close(c->pidfd);
	c->pidfd = -1;
}
