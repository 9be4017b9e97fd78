/* packages: unpacked once, on the worker pool. */
#include "runtime/packages.h"
#include "runtime/develop.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "codec/archive.h"
#include "codec/codec.h"
#include "kv/blobs.h"
#include "loop/pool.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define UNPACKED_MAX 262144000
#define UNUSED_S     (24 * 3600)

/* One that was used by this process: known to be complete. */
struct package {
	bool ready;
	struct cond changed; /* while one task unpacks it, the others wait */
	int result;
	unsigned waiting;
};

struct str package_name(struct arena *a, struct str sha256, struct str blob)
{
	struct str raw;

	if (sha256.n && base64_decode(a, sha256, &raw) == 0)
		return hex_encode(a, raw);
	return str_concat(a, 2, S("blob-"), blob);
}

struct unpack {
	const char *zip, *temporary, *final, *parent;
	int bad;
};

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int unpack_on_pool(void *arg)
{
	struct unpack *u = arg;
	struct archive_stats stats;

	if (access(u->final, F_OK) == 0) {
		utimensat(AT_FDCWD, u->final, NULL, 0);
		return 0;
	}
	if (mkdir(u->parent, 0711) != 0 && errno != EEXIST)
		return -errno;
	if (mkdir(u->temporary, 0755) != 0)
		return -errno;
	int bad = archive_unpack(u->zip, u->temporary, UNPACKED_MAX, &stats);
	if (bad == 0 && rename(u->temporary, u->final) != 0 && errno != EEXIST &&
	        errno != ENOTEMPTY)
		bad = -errno;
	if (bad)
		remove_tree(u->temporary);
	return bad;
}

static int unpack(struct task *t, struct runtime *rt, struct str name, struct str blob)
{
	struct arena *a = task_arena(t);
	struct str dir = rt->options.data_dir;
	struct unpack u = {
		.zip = str_cstr(a, kv_blob_path(a, loop_get(rt->loop, LOOP_KV), blob)),
		.parent = str_printf(a, "%.*s/packages", STR(dir)).p,
		.final = str_printf(a, "%.*s/packages/%.*s", STR(dir), STR(name)).p,
		.temporary = str_printf(
		        a, "%.*s/packages/tmp-%016llx", STR(dir), (unsigned long long)rand_u64())
		                     .p,
	};
	int bad = pool_run(t, unpack_on_pool, &u);

	if (bad > 0) {
		log_warn("package %.*s cannot be unpacked: %s", STR(name),
		        bad == ARCHIVE_TOO_LARGE ? "too large"
		        : bad == ARCHIVE_UNSAFE  ? "a path leaves the directory"
		                                 : "not a zip");
		return RUNTIME_BAD_PACKAGE;
	}
	return bad;
}

static int wait_for_other(struct task *t, struct package *k)
{
	k->waiting++;
	int bad = cond_wait(t, &k->changed, TASK_FOREVER);
	k->waiting--;
	int result = bad ? bad : k->result;
	if (!k->ready && !k->waiting)
		mem_free(k);
	return result;
}

static int unpack_once(struct task *t, struct runtime *rt, struct str name, struct str blob)
{
	struct package *k = map_get(&rt->packages, name);

	if (k && k->ready)
		return 0;
	if (k)
		return wait_for_other(t, k);
	k = mem_new(struct package);
	cond_init(&k->changed);
	map_put(&rt->packages, name, k);
	int bad = unpack(t, rt, name, blob);
	k->result = bad;
	k->ready = bad == 0;
	cond_broadcast(&k->changed);
	if (bad) {
		map_remove(&rt->packages, name);
		if (!k->waiting)
			mem_free(k);
	}
	return bad;
}

int package_directory(struct task *t, struct runtime *rt, struct str sha256, struct str blob,
        struct str *directory)
{
	struct arena *a = task_arena(t);
	struct str name = package_name(a, sha256, blob);

	TRY(unpack_once(t, rt, name, blob));
	*directory = str_printf(a, "%.*s/packages/%.*s", STR(rt->options.data_dir), STR(name));
	return 0;
}

int package_mounts(struct task *t, struct runtime *rt, const struct runtime_function *f,
        struct sandbox_spec *spec)
{
	if (f->code_dir.n)
		spec->code_dir = f->code_dir;
	else
		TRY(package_directory(t, rt, f->code_sha256, f->code_blob, &spec->code_dir));
	spec->n_layers = f->n_layers;
	spec->layers = arena_new_n(task_arena(t), struct str, f->n_layers);
	for (size_t i = 0; i < f->n_layers; i++) {
		spec->layers[i] = develop_layer(f->layer_blobs[i]);
		if (!spec->layers[i].n)
			TRY(package_directory(
			        t, rt, (struct str){ 0 }, f->layer_blobs[i], &spec->layers[i]));
	}
	return 0;
}

static bool has_bootstrap(struct arena *a, struct str directory)
{
	return access(str_printf(a, "%.*s/bootstrap", STR(directory)).p, F_OK) == 0;
}

struct str package_bootstrap(struct arena *a, const struct sandbox_spec *spec)
{
	if (has_bootstrap(a, spec->code_dir))
		return S("/var/task/bootstrap");
	for (size_t i = 0; i < spec->n_layers; i++)
		if (has_bootstrap(a, spec->layers[i]))
			return S("/opt/bootstrap");
	return (struct str){ 0 };
}

/* ---- sweeping ---- */

struct sweep {
	struct arena *arena;
	struct str directory;
	const struct map *used;
	int64_t now_s;
};

/* Renamed before it is removed: nobody finds half of it. */
static void sweep_one(const struct sweep *s, const char *name)
{
	const char *path = str_printf(s->arena, "%.*s/%s", STR(s->directory), name).p;
	const char *doomed = str_printf(
	        s->arena, "%.*s/tmp-%016llx", STR(s->directory), (unsigned long long)rand_u64())
	                             .p;

	if (rename(path, doomed) == 0)
		remove_tree(doomed);
}

static int sweep_on_pool(void *arg)
{
	struct sweep *s = arg;
	DIR *dir = opendir(str_cstr(s->arena, s->directory));
	struct dirent *e;
	struct stat st;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || map_get(s->used, str_of(e->d_name)) ||
		        fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		        s->now_s - (int64_t)st.st_mtime < UNUSED_S)
			continue;
		sweep_one(s, e->d_name);
	}
	if (dir)
		closedir(dir);
	return 0;
}

static void add_used(struct arena *a, struct map *used, const struct runtime_function *f)
{
	static char yes;

	map_put(used, package_name(a, f->code_sha256, f->code_blob), &yes);
	for (size_t i = 0; i < f->n_layers; i++)
		map_put(used, package_name(a, (struct str){ 0 }, f->layer_blobs[i]), &yes);
}

/* Forgets what no pool uses, so that its next use looks whether it is still there. */
static void forget_unused(struct runtime *rt, const struct map *used)
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&rt->packages, &at))) {
		struct package *k = slot->value;
		if (!k->ready || k->waiting || map_get(used, slot->key))
			continue;
		map_remove(&rt->packages, slot->key);
		mem_free(k);
	}
}

int packages_sweep(struct task *t, struct runtime *rt)
{
	struct arena *a = task_arena(t);
	struct map used = { 0 };
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&rt->pools, &at)))
		add_used(a, &used, &((struct pool *)slot->value)->f);
	forget_unused(rt, &used);
	struct sweep s = {
		.arena = a,
		.directory = str_printf(a, "%.*s/packages", STR(rt->options.data_dir)),
		.used = &used,
		.now_s = (int64_t)time(NULL),
	};
	int bad = pool_run(t, sweep_on_pool, &s);
	map_deinit(&used);
	return bad;
}

void packages_free(struct runtime *rt)
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&rt->packages, &at)))
		mem_free(slot->value);
	map_deinit(&rt->packages);
}
