/* confine: user, capabilities, filter, limits, descriptors of a process that will run foreign code.
 */
#include "sandbox/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int error = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return error;
}

static int map_ids(uid_t uid, gid_t gid)
{
	char line[64];
	int error = put_file("/proc/self/setgroups", "deny");

	if (error)
		return error;
	snprintf(line, sizeof line, "%d %u 1", INSIDE_UID, uid);
	if ((error = put_file("/proc/self/uid_map", line)))
		return error;
	snprintf(line, sizeof line, "%d %u 1", INSIDE_UID, gid);
	return put_file("/proc/self/gid_map", line);
}

int confine_user(uid_t host_uid, gid_t host_gid)
{
	/* Without privileges there are no groups to give up, and no right to try. */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return -errno;
	if (setresgid(host_gid, host_gid, host_gid) < 0 ||
	        setresuid(host_uid, host_uid, host_uid) < 0)
		return -errno;
	/* Or /proc/self would belong to root, and the maps could not be written. */
	prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER) < 0)
		return -errno;
	return map_ids(host_uid, host_gid);
}

int confine_join_user(int init_pidfd)
{
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return -errno;
	if (setns(init_pidfd, CLONE_NEWUSER) < 0)
		return -errno;
	if (setresgid(INSIDE_UID, INSIDE_UID, INSIDE_UID) < 0 ||
	        setresuid(INSIDE_UID, INSIDE_UID, INSIDE_UID) < 0)
		return -errno;
	prctl(PR_SET_DUMPABLE, 1);
	return 0;
}

int confine_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	for (int c = 0; c < 64 && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) == 0; c++)
		;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) < 0)
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int confine_filter(const struct filter *f)
{
	struct sock_fprog program = { .len = f->n, .filter = (struct sock_filter *)f->v };

	if (!f->n)
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
	            &program) < 0)
		return -errno;
	return 0;
}

static int limit(int what, uint64_t value)
{
	struct rlimit old, wanted = { value, value };

	if (getrlimit(what, &old) < 0)
		return -errno;
	if (wanted.rlim_max > old.rlim_max)
		wanted.rlim_cur = wanted.rlim_max = old.rlim_max;
	return setrlimit(what, &wanted) < 0 ? -errno : 0;
}

int confine_limits(uint32_t max_fds, uint32_t max_pids, uint32_t memory_mib)
{
	int error = limit(RLIMIT_NOFILE, max_fds ? max_fds : 1024);

	if (!error)
		error = limit(RLIMIT_CORE, 0);
	if (!error && max_pids)
		error = limit(RLIMIT_NPROC, max_pids);
	if (!error && memory_mib)
		error = limit(RLIMIT_DATA, (uint64_t)memory_mib << 20);
	return error;
}

void confine_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP)
			signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int confine_fds(int log_fd, bool close_now)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd < 0)
		return -errno;
	if (log_fd < 0)
		log_fd = null_fd;
	if (dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0 || dup2(null_fd, 0) < 0)
		return -errno;
	return close_range(3, ~0u, close_now ? 0 : CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}
