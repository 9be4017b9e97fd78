/* stream: reading to the end; streams over memory and files. */
#include "loop/stream.h"

#include "base/buf.h"
#include "loop/pool.h"

#include <unistd.h>

int stream_read_all(
        struct task *t, struct stream *s, struct arena *a, size_t limit, struct str *all)
{
	struct buf b = buf_init(a);
	size_t want = s->length > 0 && (uint64_t)s->length <= limit ? (size_t)s->length : 4096;

	for (;;) {
		size_t got;
		char *p = buf_reserve(&b, want);
		TRY(stream_read(t, s, p, b.capacity - b.n, &got));
		if (got == 0)
			break;
		buf_commit(&b, got);
		if (b.n > limit)
			return -EMSGSIZE;
		want = s->length > (int64_t)b.n ? (size_t)(s->length - (int64_t)b.n) : 1;
	}
	*all = buf_str(&b);
	return 0;
}

struct memory_stream {
	struct stream stream;
	struct str rest;
};

static int memory_read(struct task *t, struct stream *s, void *p, size_t n, size_t *got)
{
	struct memory_stream *m = (struct memory_stream *)s;

	*got = MIN(n, m->rest.n);
	if (*got)
		memcpy(p, m->rest.p, *got);
	m->rest = str_sub(m->rest, *got, m->rest.n);
	return 0;
}

struct stream *stream_of_str(struct arena *a, struct str bytes)
{
	struct memory_stream *m = arena_new(a, struct memory_stream);

	m->stream = (struct stream){ .read = memory_read, .length = (int64_t)bytes.n };
	m->rest = bytes;
	return &m->stream;
}

struct file_stream {
	struct stream stream;
	int fd;
	int64_t offset, left;
	/* of the read under way */
	void *p;
	size_t n;
	ssize_t got;
};

static int read_on_pool(void *arg)
{
	struct file_stream *f = arg;

	f->got = pread(f->fd, f->p, f->n, f->offset);
	return f->got < 0 ? -errno : 0;
}

static int file_read(struct task *t, struct stream *s, void *p, size_t n, size_t *got)
{
	struct file_stream *f = (struct file_stream *)s;

	*got = 0;
	f->p = p;
	f->n = (size_t)MIN((int64_t)n, f->left);
	if (f->n == 0)
		return 0;
	TRY(pool_run(t, read_on_pool, f));
	if (f->got == 0)
		return -EIO; /* shorter than the row that names it says */
	f->offset += f->got;
	f->left -= f->got;
	*got = (size_t)f->got;
	return 0;
}

static void file_close(struct stream *s)
{
	fd_closep(&((struct file_stream *)s)->fd);
}

struct stream *stream_of_file(struct arena *a, int fd, int64_t offset, int64_t n)
{
	struct file_stream *f = arena_new(a, struct file_stream);

	f->stream = (struct stream){ .read = file_read, .close = file_close, .length = n };
	f->fd = fd;
	f->offset = offset;
	f->left = n;
	return &f->stream;
}
