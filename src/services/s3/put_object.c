/* PutObject */
#include "services/s3/object.h"

struct putting {
	struct s3_placing placing;
	const struct s3_received *received;
};

static int put(struct kv_txn *txn, void *arg)
{
	struct putting *p = arg;

	TRY(s3_object_place(txn, &p->placing));
	s3_data_keep(txn, p->received);
	return 0;
}

static int check(struct task *t, const struct s3_put_object_in *in)
{
	TRY(s3_reject_unsupported(t, in));
	if (in->if_none_match.p && !str_eq(in->if_none_match, S("*")))
		return s3_fail(t, NULL, "NotImplemented", 501,
		        "A header you provided implies functionality that is not implemented");
	return 0;
}

static void show(struct task *t, const struct s3_placing *p, struct s3_put_object_out *out)
{
	const struct s3_object_record *o = p->object;

	out->e_tag = o->e_tag;
	out->server_side_encryption = S("AES256");
	out->checksum_type = o->checksum_type;
	s3_checksum_show(call_of(t)->operation->out, out, o->checksum_algorithm, o->checksum);
	if (p->has_versions)
		out->version_id = o->version_id;
}

int s3_put_object(struct task *t, const struct s3_put_object_in *in, struct s3_put_object_out *out)
{
	struct s3_claims claims;
	struct s3_received r;
	struct s3_object_record o = { 0 };

	TRY(check(t, in));
	TRY(s3_object_from_request(t, in, &o));
	TRY(s3_claims_read(t, in, &claims));
	if (call_of(t)->http && claims.length < 0)
		return s3_fail(t, NULL, "MissingContentLength", 411,
		        "You must provide the Content-Length HTTP header.");
	TRY(s3_receive(t, in->body, &claims, &r));
	o.data = &r.data;
	o.size = r.data.size;
	o.e_tag = r.e_tag;
	o.checksum = r.checksum;
	o.checksum_algorithm = claims.store->name;
	o.checksum_type = S("FULL_OBJECT");
	struct putting p = { { .ref = { in->bucket, in->key, { 0 } },
		                     .object = &o,
		                     .random = s3_version_random(task_arena(t)),
		                     .conditions = { in->if_match, in->if_none_match, NULL } },
		&r };
	int bad = kv_update(t, put, &p);
	if (bad)
		s3_received_discard(t, &r);
	TRY(s3_object_failed(t, bad, &p.placing.ref, p.placing.conditions.failed));
	show(t, &p.placing, out);
	return 0;
}
