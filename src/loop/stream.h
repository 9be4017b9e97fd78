#pragma once
/*
 * stream: bytes that arrive piece by piece: a request's body, a file, a decoded chunked upload.
 * Readers wrap readers (aws-chunked decoder, checksum, counter) by holding the one below.
 */
#include "loop/task.h"

struct stream {
	/* Reads at most n > 0 bytes: *got > 0, or 0 at the end. 0, positive (a named error of the
	 * wrapper, e.g. a bad chunk signature) or -errno. */
	int (*read)(struct task *t, struct stream *s, void *p, size_t n, size_t *got);
	/* May be NULL. Called once by the owner when done, at the end or not. */
	void (*close)(struct stream *s);
	int64_t length; /* all bytes from the start, -1: not known beforehand */
};

static inline int stream_read(struct task *t, struct stream *s, void *p, size_t n, size_t *got)
{
	return s->read(t, s, p, n, got);
}

static inline void stream_close(struct stream *s)
{
	if (s && s->close)
		s->close(s);
}

/* Reads to the end into the arena; -EMSGSIZE when there is more than limit. */
int stream_read_all(struct task *t, struct stream *s, struct arena *a, size_t limit, struct str *all) MUST_USE;
/* A stream over bytes in memory (borrowed). */
struct stream *stream_of_str(struct arena *a, struct str bytes);
/* A stream over a regular file's range [offset, offset + n), read on the pool when cold. Owns fd. */
struct stream *stream_of_file(struct arena *a, int fd, int64_t offset, int64_t n);
