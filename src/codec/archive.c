/* archive: zips, checked and unpacked with libarchive. */
#include "codec/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_ENTRIES 200000

static void reader_freep(struct archive **r)
{
	archive_read_free(*r);
}

static struct archive *open_zip(const char *zip_path)
{
	struct archive *r = archive_read_new();

	ensure(r != NULL);
	archive_read_support_format_zip_seekable(r);
	if (archive_read_open_filename(r, zip_path, 1 << 16) != ARCHIVE_OK) {
		archive_read_free(r);
		return NULL;
	}
	return r;
}

/* Relative, without "..", of sane length. */
static bool is_safe_path(struct str path)
{
	struct str rest = path;

	if (path.n == 0 || path.n > 1024 || path.p[0] == '/' || memchr(path.p, '\\', path.n))
		return false;
	while (rest.p) {
		struct str part = str_cut(&rest, '/');
		if (str_eq(part, S("..")) || part.n > 255)
			return false;
	}
	return true;
}

/* A link's target, seen from the link's own directory, stays inside. */
static bool is_safe_link(struct str path, struct str target)
{
	int depth = 0;
	struct str rest = path;

	if (target.n == 0 || target.p[0] == '/')
		return false;
	while (rest.p) {
		struct str part = str_cut(&rest, '/');
		depth += rest.p && part.n && !str_eq(part, S("."));
	}
	rest = target;
	while (rest.p) {
		struct str part = str_cut(&rest, '/');
		if (str_eq(part, S("..")) && --depth < 0)
			return false;
		depth += part.n && !str_eq(part, S(".")) && !str_eq(part, S(".."));
	}
	return true;
}

static int check_entry(struct archive_entry *e, int64_t max_bytes, struct archive_stats *stats)
{
	const char *path = archive_entry_pathname(e);
	mode_t type = archive_entry_filetype(e);

	if (!path || archive_entry_hardlink(e) || !is_safe_path(str_of(path)))
		return ARCHIVE_UNSAFE;
	if (type == AE_IFLNK) {
		const char *target = archive_entry_symlink(e);
		if (!target || !is_safe_link(str_of(path), str_of(target)))
			return ARCHIVE_UNSAFE;
	} else if (type != AE_IFREG && type != AE_IFDIR) {
		return ARCHIVE_UNSAFE;
	}
	stats->n_entries++;
	stats->unpacked_bytes += archive_entry_size_is_set(e) ? archive_entry_size(e) : 0;
	if (stats->n_entries > MAX_ENTRIES || stats->unpacked_bytes > max_bytes)
		return ARCHIVE_TOO_LARGE;
	return 0;
}

static int next_entry(struct archive *r, struct archive_entry **e)
{
	int got = archive_read_next_header(r, e);

	if (got == ARCHIVE_EOF)
		return -ENODATA;
	return got == ARCHIVE_OK || got == ARCHIVE_WARN ? 0 : ARCHIVE_BAD;
}

int archive_check(const char *zip_path, int64_t max_bytes, struct archive_stats *stats)
{
	CLEANUP(reader_freep) struct archive *r = open_zip(zip_path);
	struct archive_entry *e;
	int bad;

	*stats = (struct archive_stats){ 0 };
	if (!r)
		return ARCHIVE_BAD;
	while ((bad = next_entry(r, &e)) == 0)
		TRY(check_entry(e, max_bytes, stats));
	return bad == -ENODATA ? 0 : bad;
}

static int make_parents(int dir, char *path)
{
	for (char *p = path; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		int bad = *path && mkdirat(dir, path, 0755) != 0 && errno != EEXIST ? -errno : 0;
		*p = '/';
		if (bad)
			return bad;
	}
	return 0;
}

/* The sizes that a zip declares may lie: what is really written counts. */
static int write_data(struct archive *r, int fd, int64_t max_bytes, int64_t *written)
{
	const void *p;
	size_t n;
	la_int64_t offset;
	int got;

	while ((got = archive_read_data_block(r, &p, &n, &offset)) == ARCHIVE_OK) {
		*written += (int64_t)n;
		if (*written > max_bytes || offset + (int64_t)n > max_bytes)
			return ARCHIVE_TOO_LARGE;
		while (n > 0) {
			ssize_t put = pwrite(fd, p, n, offset);
			if (put < 0)
				return -errno;
			p = (const char *)p + put;
			offset += put;
			n -= (size_t)put;
		}
	}
	return got == ARCHIVE_EOF ? 0 : ARCHIVE_BAD;
}

static mode_t mode_of(struct archive_entry *e)
{
	mode_t mode = archive_entry_perm(e);

	if (mode == 0)
		return 0755;
	return mode & 0111 ? 0755 : 0644;
}

static int unpack_entry(
        struct archive *r, struct archive_entry *e, int dir, int64_t max_bytes, int64_t *written)
{
	char *path = (char *)(uintptr_t)archive_entry_pathname(e);

	TRY(make_parents(dir, path));
	if (archive_entry_filetype(e) == AE_IFDIR)
		return mkdirat(dir, path, 0755) != 0 && errno != EEXIST ? -errno : 0;
	unlinkat(dir, path, 0);
	if (archive_entry_filetype(e) == AE_IFLNK)
		return symlinkat(archive_entry_symlink(e), dir, path) != 0 ? -errno : 0;
	CLEANUP(fd_closep)
	int fd =
	        openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_of(e));
	if (fd < 0)
		return errno == ELOOP || errno == ENOTDIR || errno == EEXIST ? ARCHIVE_UNSAFE
		                                                             : -errno;
	TRY(write_data(r, fd, max_bytes, written));
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { archive_entry_mtime(e), 0 } };
	return futimens(fd, times) != 0 || fchmod(fd, mode_of(e)) != 0 ? -errno : 0;
}

int archive_unpack(
        const char *zip_path, const char *directory, int64_t max_bytes, struct archive_stats *stats)
{
	CLEANUP(reader_freep) struct archive *r = open_zip(zip_path);
	CLEANUP(fd_closep) int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct archive_entry *e;
	int64_t written = 0;
	int bad;

	*stats = (struct archive_stats){ 0 };
	if (dir < 0)
		return -errno;
	if (!r)
		return ARCHIVE_BAD;
	while ((bad = next_entry(r, &e)) == 0) {
		TRY(check_entry(e, max_bytes, stats));
		TRY(unpack_entry(r, e, dir, max_bytes, &written));
	}
	stats->unpacked_bytes = written;
	return bad == -ENODATA ? 0 : bad;
}
