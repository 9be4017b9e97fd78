/* blobs: files named by 32 hexadecimal characters, in 256 folders beside the store. */
#include "kv/blobs.h"

#include "base/rand.h"
#include "kv/jobs.h"
#include "kv/key.h"
#include "kv/kv_internal.h"
#include "loop/pool.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (256 * 1024)

struct kv_blob_writer {
	struct kv *kv;
	int fd;
	char path[4096];
	char id[33];
	int64_t size;
	char *pending;
	size_t n;
};

static struct str blob_path(struct arena *a, const struct kv *kv, struct str id)
{
	return str_printf(a, "%.*s/blobs/%.*s/%.*s", STR(kv->path), 2, id.p, STR(id));
}

struct str kv_blob_path(struct arena *a, const struct kv *kv, struct str id)
{
	return blob_path(a, kv, id);
}

/* While the sweep at start goes on, it must know what is this process's own. */
static void note_fresh(struct kv *kv, struct str id)
{
	pthread_mutex_lock(&kv->sweep_lock);
	if (kv->sweeping)
		map_put(&kv->fresh_blobs, id, kv);
	pthread_mutex_unlock(&kv->sweep_lock);
}

static bool is_fresh(struct kv *kv, struct str id)
{
	pthread_mutex_lock(&kv->sweep_lock);
	bool found = map_get(&kv->fresh_blobs, id) != NULL;
	pthread_mutex_unlock(&kv->sweep_lock);
	return found;
}

static void sweep_is_over(struct kv *kv)
{
	pthread_mutex_lock(&kv->sweep_lock);
	kv->sweeping = false;
	map_deinit(&kv->fresh_blobs);
	pthread_mutex_unlock(&kv->sweep_lock);
}

/* Makes the entry of path in its folder durable. */
static int sync_directory(char *path)
{
	char *slash = strrchr(path, '/');

	*slash = 0;
	CLEANUP(fd_closep) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	return dir < 0 || fsync(dir) != 0 ? -errno : 0;
}

/* A new folder's own entry must be as durable as the files in it. */
static int make_folder(struct kv_blob_writer *w)
{
	if (mkdir(w->path, 0700) != 0)
		return errno == EEXIST ? 0 : -errno;
	return w->kv->sync ? sync_directory(w->path) : 0;
}

static int make_folders(struct kv_blob_writer *w)
{
	int bad = make_folder(w);
	char *up = strrchr(w->path, '/');

	if (bad != -ENOENT)
		return bad;
	*up = 0;
	bad = make_folder(w);
	*up = '/';
	return bad ? bad : make_folder(w);
}

static int create_on_pool(void *arg)
{
	struct kv_blob_writer *w = arg;
	char *slash = strrchr(w->path, '/');

	*slash = 0;
	int bad = make_folders(w);
	*slash = '/';
	if (bad)
		return bad;
	w->fd = open(w->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return w->fd < 0 ? -errno : 0;
}

int kv_blob_create(struct task *t, struct kv_blob_writer **writer)
{
	struct kv_blob_writer *w = mem_new(struct kv_blob_writer);

	w->kv = kv_of(t);
	w->fd = -1;
	rand_hex32(w->id);
	struct str path = blob_path(task_arena(t), w->kv, str_of(w->id));
	ensure(path.n < sizeof w->path);
	memcpy(w->path, path.p, path.n);
	note_fresh(w->kv, str_of(w->id));
	int bad = pool_run(t, create_on_pool, w);
	if (bad) {
		mem_free(w);
		return bad;
	}
	*writer = w;
	return 0;
}

static int flush_on_pool(void *arg)
{
	struct kv_blob_writer *w = arg;
	size_t at = 0;

	while (at < w->n) {
		ssize_t put = write(w->fd, w->pending + at, w->n - at);
		if (put < 0 && errno != EINTR)
			return -errno;
		at += put > 0 ? (size_t)put : 0;
	}
	w->n = 0;
	return 0;
}

int kv_blob_write(struct task *t, struct kv_blob_writer *w, struct str bytes)
{
	w->size += (int64_t)bytes.n;
	if (!w->pending)
		w->pending = mem_alloc(PIECE);
	while (bytes.n > 0) {
		size_t n = MIN(bytes.n, PIECE - w->n);
		memcpy(w->pending + w->n, bytes.p, n);
		w->n += n;
		bytes = str_sub(bytes, n, bytes.n);
		if (w->n == PIECE)
			TRY(pool_run(t, flush_on_pool, w));
	}
	return 0;
}

static int finish_on_pool(void *arg)
{
	struct kv_blob_writer *w = arg;

	TRY(flush_on_pool(w));
	if (!w->kv->sync)
		return 0;
	if (fdatasync(w->fd) != 0)
		return -errno;
	return sync_directory(w->path);
}

static void writer_free(struct kv_blob_writer *w)
{
	fd_closep(&w->fd);
	mem_free(w->pending);
	mem_free(w);
}

int kv_blob_finish(struct task *t, struct kv_blob_writer *w, struct str *id, int64_t *size_bytes)
{
	int bad = pool_run(t, finish_on_pool, w);

	if (bad)
		unlink(w->path);
	*id = str_dup(task_arena(t), str_of(w->id));
	if (size_bytes)
		*size_bytes = w->size;
	writer_free(w);
	return bad;
}

void kv_blob_abort(struct kv_blob_writer *w)
{
	if (!w)
		return;
	unlink(w->path);
	writer_free(w);
}

int kv_blob_open(struct task *t, struct str id, int64_t offset, int64_t n, struct stream **s)
{
	struct str path = blob_path(task_arena(t), kv_of(t), id);
	CLEANUP(fd_closep) int fd = open(path.p, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return -errno;
	if (offset > st.st_size)
		return -EINVAL;
	if (n < 0 || offset + n > st.st_size)
		n = st.st_size - offset;
	*s = stream_of_file(task_arena(t), fd_take(&fd), offset, n);
	return 0;
}

/* ---- references ---- */

static struct str ref_key(struct arena *a, struct str id)
{
	return kv_key(a, "ss", S("~blob"), id);
}

static uint64_t get_count(struct kv_txn *txn, struct str key)
{
	struct str value;
	uint64_t n = 0;

	if (kv_get(txn, key, &value) == 0)
		(void)!kv_key_read(kv_arena(txn), value, "u", &n);
	return n;
}

void kv_blob_ref(struct kv_txn *txn, struct str id)
{
	struct str key = ref_key(kv_arena(txn), id);

	kv_put(txn, key, kv_key(kv_arena(txn), "u", get_count(txn, key) + 1));
}

void kv_blob_unref(struct kv_txn *txn, struct str id)
{
	struct str key = ref_key(kv_arena(txn), id);
	uint64_t n = get_count(txn, key);

	if (n > 1) {
		kv_put(txn, key, kv_key(kv_arena(txn), "u", n - 1));
		return;
	}
	kv_del(txn, key);
	kv_job_add(txn, S("~blob-sweep"), id, 0);
}

struct lookup {
	struct str id;
	bool used;
};

static int is_used(struct kv_txn *txn, void *arg)
{
	struct lookup *l = arg;

	l->used = kv_has(txn, ref_key(kv_arena(txn), l->id));
	return 0;
}

static int sweep_one(struct task *t, struct kv_job *job)
{
	struct lookup l = { .id = job->payload };

	TRY(kv_view(t, is_used, &l));
	if (!l.used)
		unlink(blob_path(task_arena(t), kv_of(t), job->payload).p);
	return kv_job_done(t, job, NULL, NULL);
}

struct listing {
	struct arena *arena;
	const struct kv *kv;
	struct str *ids;
	size_t n, capacity;
};

static void list_folder(struct listing *l, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (strlen(e->d_name) != 32)
			continue;
		if (l->n == l->capacity) {
			l->capacity = MAX((size_t)64, l->capacity * 2);
			l->ids = mem_resize(l->ids, l->capacity * sizeof *l->ids);
		}
		l->ids[l->n++] = str_dup(l->arena, str_of(e->d_name));
	}
	if (dir)
		closedir(dir);
}

static int list_on_pool(void *arg)
{
	struct listing *l = arg;

	for (int i = 0; i < 256; i++)
		list_folder(l, str_printf(l->arena, "%.*s/blobs/%02x", STR(l->kv->path), i).p);
	return 0;
}

static int sweep_task(struct task *t, void *arg)
{
	struct kv *kv = arg;
	struct listing l = { .arena = task_arena(t), .kv = kv };
	int bad = pool_run(t, list_on_pool, &l);

	for (size_t i = 0; !bad && i < l.n; i++) {
		struct lookup look = { .id = l.ids[i] };
		if (kv_view(t, is_used, &look) == 0 && !look.used && !is_fresh(kv, look.id))
			unlink(blob_path(task_arena(t), kv, look.id).p);
	}
	mem_free(l.ids);
	sweep_is_over(kv);
	return bad;
}

/* From the opening on: what is written before the sweep begins is fresh, too. */
void blobs_open(struct kv *kv)
{
	kv->sweeping = true;
	kv_job_handler(kv, S("~blob-sweep"), 4, sweep_one);
}

int kv_blobs_sweep(struct task *t)
{
	struct kv *kv = kv_of(t);

	task_start(task_loop(t), "blob-sweep", sweep_task, kv);
	return 0;
}
