/* template: the mount namespace that sandboxes copy. */
#include "sandbox/mounts.h"
#include "sandbox/network.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const folders[] = { "dev", "etc", "home", "mnt", "opt", "proc", "root", "run",
	"tmp", "usr", "var", "var/lang", "var/lib", "var/log", "var/rapid", "var/runtime",
	"var/task" };

/* Bound, or when the host has a symbolic link there: the link. */
static const char *const shared[] = { "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32",
	"etc/ssl", "etc/ca-certificates", "etc/pki", "etc/alternatives", "etc/java-openjdk",
	"etc/fonts" };

static const char *const copied[] = { "etc/ld.so.cache", "etc/ld.so.conf", "etc/nsswitch.conf",
	"etc/mime.types", "etc/protocols", "etc/services", "etc/os-release" };

static const struct {
	const char *path, *text;
} made[] = {
	{ "etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\n"
	                "sbx_user1051:x:993:993::/home/sbx_user1051:/sbin/nologin\n"
	                "nobody:x:65534:65534:nobody:/:/sbin/nologin\n" },
	{ "etc/group", "root:x:0:\nsbx_user1051:x:993:\nnobody:x:65534:\n" },
	{ "etc/hosts",
	        "127.0.0.1 localhost sandbox sandbox.localdomain\n::1 localhost\n" NETWORK_HOST_TEXT
	        " host.wolke.internal host.docker.internal\n" },
	{ "etc/hostname", "sandbox\n" },
};

static const struct {
	const char *path, *to;
} links[] = {
	{ "etc/localtime", "/usr/share/zoneinfo/UTC" },
	{ "etc/mtab", "/proc/self/mounts" },
	{ "dev/fd", "/proc/self/fd" },
	{ "dev/stdin", "/proc/self/fd/0" },
	{ "dev/stdout", "/proc/self/fd/1" },
	{ "dev/stderr", "/proc/self/fd/2" },
	/* Node.js looks here for what ES modules import: NODE_PATH is for require alone. */
	{ "var/node_modules", "/opt/nodejs/node_modules" },
	{ "node_modules", "/var/runtime/node_modules" },
};

static const struct {
	const char *path;
	int major, minor;
} devices[] = {
	{ "dev/null", 1, 3 },
	{ "dev/zero", 1, 5 },
	{ "dev/full", 1, 7 },
	{ "dev/random", 1, 8 },
	{ "dev/urandom", 1, 9 },
	{ "dev/tty", 5, 0 },
};

#define LOCKED (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/* Binds a host path read-only; all of what is mounted below it only where the kernel insists. */
static int bind_tree(const char *from, int to_dir, const char *to, uint64_t attributes)
{
	struct mount_attr attr = { .attr_set = attributes, .propagation = MS_PRIVATE };
	int fd CLEANUP(fd_closep) = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	unsigned recursive = 0;

	if (fd < 0 && errno == EINVAL) {
		recursive = AT_RECURSIVE;
		fd = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	}
	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | recursive, &attr, sizeof attr) < 0 ||
	        move_mount(fd, "", to_dir, to, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

static int write_file(int root, const char *path, const char *text, size_t n)
{
	int fd CLEANUP(fd_closep) =
	        openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	return fd < 0 || write(fd, text, n) != (ssize_t)n ? -errno : 0;
}

static void closep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static void copy_file(int root, const char *path)
{
	char host[64], room[4096];
	ssize_t n;

	snprintf(host, sizeof host, "/%s", path);
	int from CLEANUP(fd_closep) = open(host, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return;
	int to CLEANUP(fd_closep) = openat(root, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	while (to >= 0 && (n = read(from, room, sizeof room)) > 0 &&
	        write(to, room, (size_t)n) == n)
		;
}

/* The host's resolver is asked where the relay is; what it appends to names stays. */
static int write_resolver(int root)
{
	FILE *from CLEANUP(closep) = fopen("/etc/resolv.conf", "re");
	char line[512], text[2048];
	size_t n = (size_t)snprintf(text, sizeof text, "nameserver %s\n", NETWORK_HOST_TEXT);

	while (from && fgets(line, sizeof line, from)) {
		bool kept = strncmp(line, "search", 6) == 0 || strncmp(line, "domain", 6) == 0 ||
		            strncmp(line, "options", 7) == 0;
		size_t size = strlen(line);
		if (!kept || size > sizeof text - n)
			continue;
		memcpy(text + n, line, size);
		n += size;
	}
	return write_file(root, "etc/resolv.conf", text, n);
}

static int make_device(int root, size_t i, bool rootless)
{
	char host[64];

	snprintf(host, sizeof host, "/%s", devices[i].path);
	if (!rootless)
		return mknodat(root, devices[i].path, S_IFCHR | 0666,
		               makedev((unsigned)devices[i].major, (unsigned)devices[i].minor)) <
		                               0 ||
		                       fchmodat(root, devices[i].path, 0666, 0) < 0
		               ? -errno
		               : 0;
	return write_file(root, devices[i].path, "", 0);
}

/* Plain contents of the root, before anything is mounted in it. */
static int fill_root(int root, bool rootless)
{
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (mkdirat(root, folders[i], 0755) < 0)
			return -errno;
	for (size_t i = 0; i < ARRAY_LEN(copied); i++)
		copy_file(root, copied[i]);
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		TRY(write_file(root, made[i].path, made[i].text, strlen(made[i].text)));
	TRY(write_resolver(root));
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlinkat(links[i].to, root, links[i].path) < 0)
			return -errno;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		TRY(make_device(root, i, rootless));
	return 0;
}

static int share(int root, const char *path)
{
	char host[64], target[256];
	struct stat st;

	snprintf(host, sizeof host, "/%s", path);
	if (lstat(host, &st) < 0)
		return 0;
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(host, target, sizeof target - 1);
		target[MAX(n, 0)] = 0;
		return n > 0 && symlinkat(target, root, path) == 0 ? 0 : -errno;
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (mkdirat(root, path, 0755) < 0 && errno != EEXIST)
		return -errno;
	return bind_tree(host, root, path, LOCKED);
}

/* In a child, in a mount namespace of its own: the root is put together and becomes the root. */
static int assemble(const struct mounts *m, const char *staging)
{
	struct mount_attr locked = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID,
		.propagation = MS_PRIVATE };
	int tree CLEANUP(fd_closep) =
	        open_tree(m->root_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (tree < 0 || move_mount(tree, "", AT_FDCWD, staging, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	int root CLEANUP(fd_closep) = open(staging, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(shared); i++)
		TRY(share(root, shared[i]));
	/* A user namespace may mount a proc only where one is visible: beneath. */
	if (m->rootless)
		TRY(bind_tree("/proc", root, "proc", 0));
	for (size_t i = 0; m->rootless && i < ARRAY_LEN(devices); i++) {
		char host[64];
		snprintf(host, sizeof host, "/%s", devices[i].path);
		TRY(bind_tree(host, root, devices[i].path, MOUNT_ATTR_NOSUID));
	}
	if (mount_setattr(root, "", AT_EMPTY_PATH, &locked, sizeof locked) < 0 ||
	        fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	        umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

_Noreturn static void assemble_in_child(const struct mounts *m, const char *staging, int socket)
{
	int error = unshare(CLONE_NEWNS) < 0 ? -errno : assemble(m, staging);
	char byte;

	(void)!write(socket, &error, sizeof error);
	(void)!read(socket, &byte, 1); /* until its namespace has been opened */
	_exit(0);
}

static int new_tmpfs(const char *mode)
{
	int fs CLEANUP(fd_closep) = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", mode, 0) < 0 ||
	        fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID);
	return fd < 0 ? -errno : fd;
}

static int run_assembly(struct mounts *m, const char *staging)
{
	int pair[2], error = -EIO;
	char path[64];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0) {
		close(pair[0]);
		assemble_in_child(m, staging, pair[1]);
	}
	close(pair[1]);
	if (pid < 0 || read(pair[0], &error, sizeof error) != sizeof error)
		error = -EIO;
	snprintf(path, sizeof path, "/proc/%d/ns/mnt", pid);
	if (!error && (m->template_ns = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		error = -errno;
	close(pair[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return error;
}

static int open_host(struct mounts *m)
{
	m->host_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	m->host_net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	m->host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	m->host_cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return m->host_ns < 0 || m->host_net < 0 || m->host_root < 0 || m->host_cwd < 0 ? -errno
	                                                                                : 0;
}

int mounts_open(struct mounts *m, struct str state_dir, bool rootless, struct buf *report)
{
	const char *staging = str_cstr(report->arena, state_dir);

	*m = (struct mounts){ .template_ns = -1, .staging = str_of(staging), .rootless = rootless };
	if (unshare(rootless ? 0 : CLONE_NEWNS) < 0 ||
	        mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return -errno;
	TRY(open_host(m));
	if (mkdir(staging, 0700) < 0 && errno != EEXIST)
		return -errno;
	m->root_fd = new_tmpfs("0755");
	if (m->root_fd < 0)
		return m->root_fd;
	mode_t mask = umask(0);
	int error = fill_root(m->root_fd, rootless);
	if (!error)
		error = run_assembly(m, staging);
	umask(mask);
	return error;
}
