#pragma once
/*
 * archive: zip packages (libarchive), unpacked safely: no path leaves the directory, links stay
 * inside, sizes and counts are bounded before anything is written.
 */
#include "base/buf.h"

#define ARCHIVE_BAD       1 /* not a zip, or damaged */
#define ARCHIVE_TOO_LARGE 2 /* more than max_bytes unpacked, or too many entries */
#define ARCHIVE_UNSAFE    3 /* a path or link that leaves the directory, a device ... */

struct archive_stats {
	int64_t unpacked_bytes;
	int64_t n_entries;
};

/* Reads the zip at path (a file) without writing: is it well formed and within the limit? */
int archive_check(const char *zip_path, int64_t max_bytes, struct archive_stats *stats) MUST_USE;
/* Unpacks into directory (existing, empty). Blocking: call on the pool. Files keep their mode
 * (0644/0755, entries without one 0755 as Lambda does), directories 0755, times are kept. */
int archive_unpack(const char *zip_path, const char *directory, int64_t max_bytes, struct archive_stats *stats) MUST_USE;
