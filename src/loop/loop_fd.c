/* loop_fd: descriptors that tasks wait on. Try first, wait on EAGAIN. */
#include "loop/loop_internal.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int loop_fd_init(struct loop_fd *f, struct loop *loop, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = f };
	int flags = fcntl(fd, F_GETFL);

	*f = (struct loop_fd){ .loop = loop, .fd = fd };
	if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) ||
	        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		int error = -errno;
		close(fd);
		f->fd = -1;
		return error;
	}
	return 0;
}

/* Events of it that were fetched already must not find it. */
static void forget(struct loop_fd *f)
{
	struct loop *loop = f->loop;

	for (int i = loop->at_event + 1; i < loop->n_events; i++)
		if (loop->events[i].data.ptr == f)
			loop->events[i].events = 0;
}

static void wake_bad(struct task **waiter)
{
	struct task *t = *waiter;

	*waiter = NULL;
	if (t)
		task_wake(t, -EBADF);
}

int loop_fd_take(struct loop_fd *f)
{
	int fd = f->fd;

	if (!f->loop || fd < 0)
		return -1;
	epoll_ctl(f->loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	forget(f);
	f->fd = -1;
	wake_bad(&f->reader);
	wake_bad(&f->writer);
	return fd;
}

void loop_fd_deinit(struct loop_fd *f)
{
	int fd = loop_fd_take(f);

	if (fd >= 0)
		close(fd);
}

static int wait_for(struct task *t, struct loop_fd *f, struct task **waiter, uint64_t limit_ms)
{
	if (f->fd < 0)
		return -EBADF;
	ensure(*waiter == NULL);
	*waiter = t;
	int result = task_park(t, limit_ms);
	/* -EBADF: f may be gone already. */
	if (result != -EBADF && result != 0)
		*waiter = NULL;
	return result;
}

int loop_fd_wait_readable(struct task *t, struct loop_fd *f, uint64_t limit_ms)
{
	if (f->readable)
		return 0;
	return wait_for(t, f, &f->reader, limit_ms);
}

int loop_fd_wait_writable(struct task *t, struct loop_fd *f, uint64_t limit_ms)
{
	if (f->writable)
		return 0;
	return wait_for(t, f, &f->writer, limit_ms);
}

ssize_t loop_fd_read(struct task *t, struct loop_fd *f, void *p, size_t n, uint64_t limit_ms)
{
	for (;;) {
		if (f->fd < 0)
			return -EBADF;
		ssize_t got = read(f->fd, p, n);
		if (got >= 0)
			return got;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		f->readable = false;
		int bad = wait_for(t, f, &f->reader, limit_ms);
		if (bad)
			return bad;
	}
}

ssize_t loop_fd_write(struct task *t, struct loop_fd *f, const void *p, size_t n, uint64_t limit_ms)
{
	for (;;) {
		if (f->fd < 0)
			return -EBADF;
		ssize_t put = write(f->fd, p, n);
		if (put >= 0)
			return put;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		f->writable = false;
		int bad = wait_for(t, f, &f->writer, limit_ms);
		if (bad)
			return bad;
	}
}

int loop_fd_write_all(struct task *t, struct loop_fd *f, struct str bytes, uint64_t limit_ms)
{
	while (bytes.n > 0) {
		ssize_t put = loop_fd_write(t, f, bytes.p, bytes.n, limit_ms);
		if (put < 0)
			return (int)put;
		bytes = str_sub(bytes, (size_t)put, bytes.n);
	}
	return 0;
}

int loop_fd_accept(struct task *t, struct loop_fd *f)
{
	for (;;) {
		if (f->fd < 0)
			return -EBADF;
		int fd = accept4(f->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN)
			return -errno;
		f->readable = false;
		TRY(wait_for(t, f, &f->reader, TASK_FOREVER));
	}
}
