/* mounts: what one sandbox gets into its copy of the template. */
#include "sandbox/mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOUNTS_MAX 64
#define LOCKED     (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/* Mounts made on the host's side, detached, waiting to be attached inside. */
struct plan {
	struct {
		int fd;
		const char *to;
	} v[MOUNTS_MAX];
	size_t n;
	const char *tmp_size; /* not NULL: change the size of the /tmp that is there */
	const char *tmp_inodes;
	const char *failed;
};

static int add(struct plan *p, int fd, const char *to)
{
	if (p->n == MOUNTS_MAX) {
		close(fd);
		return -E2BIG;
	}
	p->v[p->n].fd = fd;
	p->v[p->n++].to = to;
	return 0;
}

static void plan_close(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		close(p->v[i].fd);
}

static int clone_tree(const char *path, uint64_t attributes)
{
	struct mount_attr attr = { .attr_set = attributes, .propagation = MS_PRIVATE };
	int fd CLEANUP(fd_closep) = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	unsigned recursive = 0;

	if (fd < 0 &&
	        errno == EINVAL) { /* a user namespace may not look behind the host's mounts */
		recursive = AT_RECURSIVE;
		fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	}
	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | recursive, &attr, sizeof attr) < 0)
		return -errno;
	return fd_take(&fd);
}

static int plan_bind(struct plan *p, const char *path, const char *to, uint64_t attributes)
{
	int fd = clone_tree(path, attributes);

	if (fd < 0) {
		p->failed = path;
		return fd;
	}
	return add(p, fd, to);
}

/* The lower directory named first wins; later layers go over earlier ones. */
static int overlay_new(struct arena *a, const struct sandbox_spec *s)
{
	int fs CLEANUP(fd_closep) = fsopen("overlay", FSOPEN_CLOEXEC);

	if (fs < 0)
		return -errno;
	for (size_t i = s->n_layers; i-- > 0;)
		if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", str_cstr(a, s->layers[i]), 0) <
		        0)
			return -errno;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, LOCKED);
	return fd < 0 ? -errno : fd;
}

/* Linux before 6.8 takes many directories only by mount(2), which needs a place to mount on. */
static int overlay_old(const struct mounts *m, struct arena *a, const struct sandbox_spec *s)
{
	const char *staging = str_cstr(a, m->staging);
	struct buf options = buf_init(a);

	buf_add(&options, S("lowerdir="));
	for (size_t i = s->n_layers; i-- > 0;)
		buf_printf(&options, "%.*s%s", STR(s->layers[i]), i ? ":" : "");
	if (mount("overlay", staging, "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV,
	            str_cstr(a, buf_str(&options))) < 0)
		return -errno;
	int fd = clone_tree(staging, LOCKED);
	umount2(staging, MNT_DETACH);
	return fd;
}

static int plan_layers(
        const struct mounts *m, struct arena *a, const struct sandbox_spec *s, struct plan *p)
{
	if (!s->n_layers)
		return 0;
	if (s->n_layers == 1)
		return plan_bind(p, str_cstr(a, s->layers[0]), "/opt", LOCKED);
	int fd = overlay_new(a, s);
	if (fd == -EINVAL)
		fd = overlay_old(m, a, s);
	if (fd < 0) {
		p->failed = "overlay of the layers";
		return fd;
	}
	return add(p, fd, "/opt");
}

/* Makes the mount point in the root that all sandboxes share; where the path leads into one of
 * the host's directories, it must be there. */
static int make_point(const struct mounts *m, const char *path, bool is_folder)
{
	char part[1024];

	for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		size_t n = slash ? (size_t)(slash - path) : strlen(path);
		if (n <= 1 || n >= sizeof part)
			return -EINVAL;
		memcpy(part, path + 1, n - 1);
		part[n - 1] = 0;
		if (!slash && !is_folder) {
			int fd = openat(m->root_fd, part,
			        O_CREAT | O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
			return fd < 0 ? -errno : close(fd);
		}
		if (mkdirat(m->root_fd, part, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (!slash)
			return 0;
	}
}

static int plan_extra(const struct mounts *m, struct arena *a, struct str pair, struct plan *p)
{
	struct str inside = pair, host = str_cut(&inside, ':');
	const char *to = str_cstr(a, inside.p ? inside : host), *from = str_cstr(a, host);
	struct stat st;

	p->failed = from;
	if (*to != '/' || strstr(to, "/../") || stat(from, &st) < 0)
		return *to != '/' ? -EINVAL : -ENOENT;
	TRY(make_point(m, to, S_ISDIR(st.st_mode)));
	return plan_bind(p, from, to, LOCKED);
}

static int plan_tmp(struct arena *a, const struct mounts_target *t, uint32_t mib, struct plan *p)
{
	uint32_t size = mib ? mib : 512;
	const char *uid = str_cstr(a, str_printf(a, "%u", t->uid));

	p->failed = "/tmp";
	p->tmp_size = str_cstr(a, str_printf(a, "%um", size));
	p->tmp_inodes = str_cstr(a, str_printf(a, "%u", MAX(size * 128, 16384u)));
	if (t->again)
		return 0;
	int fs CLEANUP(fd_closep) = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "1777", 0) < 0 ||
	        fsconfig(fs, FSCONFIG_SET_STRING, "uid", uid, 0) < 0 ||
	        fsconfig(fs, FSCONFIG_SET_STRING, "size", p->tmp_size, 0) < 0 ||
	        fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", p->tmp_inodes, 0) < 0 ||
	        fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return fd < 0 ? -errno : add(p, fd, "/tmp");
}

static int plan_make(const struct mounts *m, struct arena *a, const struct mounts_target *t,
        const struct sandbox_spec *s, struct plan *p)
{
	uint64_t code = s->code_writable ? MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV : LOCKED;

	for (size_t i = 0; i < s->n_extra; i++)
		TRY(plan_extra(m, a, s->extra[i], p));
	if (s->runtime_dir.n)
		TRY(plan_bind(p, str_cstr(a, s->runtime_dir), "/var/runtime", LOCKED));
	if (s->code_dir.n)
		TRY(plan_bind(p, str_cstr(a, s->code_dir), "/var/task", code));
	TRY(plan_layers(m, a, s, p));
	if (!t->again || s->tmp_mib)
		TRY(plan_tmp(a, t, s->tmp_mib, p));
	p->failed = NULL;
	return 0;
}

static int resize_tmp(const struct plan *p)
{
	int fs CLEANUP(fd_closep) = fspick(AT_FDCWD, "/tmp", FSPICK_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", p->tmp_size, 0) < 0 ||
	        fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", p->tmp_inodes, 0) < 0 ||
	        fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return -errno;
	return 0;
}

struct attach {
	struct plan plan;
	bool resize;
};

static int attach(void *arg)
{
	struct attach *w = arg;
	struct plan *p = &w->plan;

	for (size_t i = 0; i < p->n; i++)
		if (move_mount(p->v[i].fd, "", AT_FDCWD, p->v[i].to, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
			p->failed = p->v[i].to;
			return -errno;
		}
	if (w->resize) {
		p->failed = "/tmp";
		TRY(resize_tmp(p));
	}
	p->failed = NULL;
	return 0;
}

int mounts_inside(const struct mounts *m, int init_pidfd, int (*fn)(void *arg), void *arg)
{
	if (setns(init_pidfd, CLONE_NEWNS | CLONE_NEWNET) < 0)
		return -errno;
	int error = fn(arg);
	/* A helper that cannot come back cannot go on: all it knows are the host's paths. */
	ensure(setns(m->host_ns, CLONE_NEWNS) == 0 && setns(m->host_net, CLONE_NEWNET) == 0);
	ensure(fchdir(m->host_root) == 0 && chroot(".") == 0 && fchdir(m->host_cwd) == 0);
	return error;
}

int mounts_attach(const struct mounts *m, struct arena *a, const struct mounts_target *t,
        const struct sandbox_spec *s, struct str *what)
{
	struct attach w = { 0 };
	int error = plan_make(m, a, t, s, &w.plan);

	w.resize = t->again && w.plan.tmp_size;
	if (!error && (w.plan.n || w.resize))
		error = mounts_inside(m, t->init_pidfd, attach, &w);
	plan_close(&w.plan);
	*what = str_of(w.plan.failed);
	return error;
}

static int mount_proc(void)
{
	int fs CLEANUP(fd_closep) = fsopen("proc", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int fd CLEANUP(fd_closep) = fsmount(
	        fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (fd < 0 || move_mount(fd, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

int mounts_enter(const struct mounts *m)
{
	if (setns(m->template_ns, CLONE_NEWNS) < 0 || unshare(CLONE_NEWNS) < 0)
		return -errno;
	return mount_proc();
}
