/* Nothing is ever written outside the directory, and never more than was allowed. */
#include "codec/archive.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t total;

static int add_up(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	if (kind == FTW_F)
		total += st->st_size;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	return remove(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char top[] = "/tmp/archive-fuzz-XXXXXX", zip[64], inside[64];
	struct archive_stats stats;

	ensure(mkdtemp(top) != NULL);
	snprintf(zip, sizeof zip, "%s/zip", top);
	snprintf(inside, sizeof inside, "%s/in", top);
	ensure(mkdir(inside, 0700) == 0);
	int fd = open(zip, O_WRONLY | O_CREAT, 0600);
	ensure(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	if (archive_check(zip, LIMIT, &stats) == 0)
		ensure(stats.unpacked_bytes <= LIMIT);
	int bad = archive_unpack(zip, inside, LIMIT, &stats);
	total = 0;
	nftw(inside, add_up, 16, FTW_PHYS);
	ensure(total <= LIMIT || bad);
	ensure(access("/tmp/archive-fuzz-outside", F_OK) != 0);
	nftw(top, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	return 0;
}
