/* directory: setting and ending it, and what follows from it. */
#include "services/lambda/directory.h"

#include "base/rand.h"
#include "runtime/tail.h"
#include "services/lambda/operate.h"

#include <sys/stat.h>

#define LAYERS_MAX 5

void lambda_directory_runnable(
        struct arena *a, const struct lambda_function_record *r, struct runtime_function *f)
{
	const struct lambda_code_directory_record *d = r->directory;

	if (!d)
		return;
	struct str *layers = arena_new_n(a, struct str, f->n_layers + d->layers.n + 1);
	for (size_t i = 0; i < f->n_layers; i++)
		layers[i] = f->layer_blobs[i];
	for (size_t i = 0; i < d->layers.n; i++)
		layers[f->n_layers + i] = d->layers.v[i];
	f->layer_blobs = layers;
	f->n_layers += d->layers.n;
	f->code_dir = d->path;
}

struct lambda_function_code_location *lambda_directory_location(
        struct arena *a, const struct lambda_function_record *r)
{
	if (!r->directory)
		return NULL;
	struct lambda_function_code_location *l =
	        arena_new(a, struct lambda_function_code_location);
	l->repository_type = S("Directory");
	l->location = str_concat(a, 2, S("file://"), uri_encode(a, r->directory->path, true));
	return l;
}

struct change {
	const struct lambda_ref *ref;
	struct lambda_code_directory_record *directory; /* NULL: ends */
	struct str revision, modified;
	struct lambda_function_record record;
};

static int change(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	TRY(lambda_record_get(txn, c->ref, &c->record));
	struct lambda_function_configuration *f = c->record.configuration;
	c->record.directory = c->directory;
	c->record.generation = c->revision;
	f->revision_id = c->revision;
	f->last_modified = c->modified;
	lambda_record_put(txn, c->ref, &c->record);
	return 0;
}

static int apply(struct task *t, const struct lambda_ref *ref,
        struct lambda_code_directory_record *directory)
{
	struct arena *a = task_arena(t);
	struct change c = { .ref = ref,
		.directory = directory,
		.revision = rand_uuid(a),
		.modified = lambda_time(a, call_of(t)->now_ms) };
	int bad = kv_update(t, change, &c);

	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, ref);
	TRY(bad);
	lambda_changed(t, ref, &c.record);
	return 0;
}

/* Functions run as users of their own: what others may not read, they may not either. */
static int check(struct task *t, struct str path)
{
	struct stat st;

	if (!str_starts(path, S("/")))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "The directory must be named by its whole path: %.*s", STR(path));
	if (stat(str_cstr(task_arena(t), path), &st) != 0 || !S_ISDIR(st.st_mode))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "There is no directory %.*s", STR(path));
	if ((st.st_mode & 5) != 5)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Functions run as users of their own and cannot read %.*s: chmod o+rx it, "
		        "and o+r what is in it",
		        STR(path));
	return 0;
}

static int read_layers(struct task *t, yyjson_val *list, struct lambda_code_directory_record *d)
{
	struct arena *a = task_arena(t);
	size_t i, n;
	yyjson_val *v;

	if (yyjson_arr_size(list) > LAYERS_MAX)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Cannot reference more than %d layers.", LAYERS_MAX);
	d->layers.v = arena_new_n(a, struct str, yyjson_arr_size(list) + 1);
	yyjson_arr_foreach(list, i, n, v)
	{
		struct str path = json_str_of(v);
		TRY(check(t, path));
		d->layers.v[d->layers.n++] = path;
	}
	return 0;
}

int lambda_put_directory(struct task *t, struct operating *o)
{
	struct lambda_code_directory_record d = { .path = json_get_str(o->body, "Path") };
	struct lambda_function_record r;
	struct lambda_ref ref;

	TRY(lambda_operate_find(t, o, &ref, &r));
	TRY(check(t, d.path));
	TRY(read_layers(t, json_get(o->body, "Layers"), &d));
	/* Made for it, by its command line: there is no other code to go back to. */
	d.only.set = true;
	d.only.v = json_get_bool(o->body, "Only", r.directory && r.directory->only.v);
	TRY(apply(t, &ref, &d));
	json_object(&o->w);
	json_member_bool(&o->w, S("Only"), d.only.v);
	json_end(&o->w);
	return 0;
}

int lambda_delete_directory(struct task *t, struct operating *o)
{
	struct lambda_function_record r;
	struct lambda_ref ref;

	TRY(lambda_operate_find(t, o, &ref, &r));
	bool ends = r.directory && !r.directory->only.v;
	if (ends)
		TRY(apply(t, &ref, NULL));
	json_object(&o->w);
	json_member_bool(&o->w, S("Ended"), ends);
	json_end(&o->w);
	return 0;
}

/* ---- its log, live ---- */

#define BEAT_MS 2000

static int send_tail(struct task *t, struct operating *o, struct runtime_tail *tail)
{
	struct http_headers headers = { 0 };
	struct str lines;

	http_header_add(task_arena(t), &headers, S("Content-Type"), S("application/x-ndjson"));
	o->answered = true;
	TRY(http_respond_begin(t, o->http, 200, &headers, -1));
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	for (;;) {
		int bad = runtime_tail_read(t, tail, BEAT_MS, a, &lines);
		if (bad)
			break;
		/* An empty line now and then: who has gone is noticed. */
		TRY(http_respond_write(t, o->http, lines.n ? lines : S("\n")));
		arena_reset(a);
	}
	return http_respond_end(t, o->http);
}

int lambda_tail(struct task *t, struct operating *o)
{
	struct lambda_function_record r;
	struct lambda_ref ref;
	struct runtime_tail *tail;

	TRY(lambda_operate_find(t, o, &ref, &r));
	TRY(runtime_tail_open(t, ref.account, ref.region, ref.name, &tail));
	int bad = send_tail(t, o, tail);
	runtime_tail_close(t, tail);
	return bad;
}
