/*
 * api_token: paging tokens. A position with a keyed hash over it and over what it belongs to, so
 * that a token works for the operation, account and region that gave it, unchanged, or not at all.
 */
#include "api/api_engine.h"

#define MAC_BYTES 16

static void mac(struct task *t, struct str position, unsigned char out[32])
{
	const struct call *c = call_of(t);
	struct buf b = buf_init(task_arena(t));

	buf_printf(&b, "%.*s %.*s %.*s %.*s ", STR(c->service->model->id), STR(c->operation->name),
	        STR(c->account), STR(c->region));
	buf_add(&b, position);
	hash_hmac_sha256(api_options_of(t)->root_secret, buf_str(&b), out);
}

struct str api_token_seal(struct task *t, struct str position)
{
	unsigned char out[32];
	struct buf b = buf_init(task_arena(t));

	mac(t, position, out);
	buf_add(&b, (struct str){ (const char *)out, MAC_BYTES });
	buf_add(&b, position);
	return base64url_encode(task_arena(t), buf_str(&b));
}

bool api_token_open(struct task *t, struct str token, struct str *position)
{
	unsigned char out[32];
	struct str raw;

	if (base64url_decode(task_arena(t), token, &raw) != 0 || raw.n < MAC_BYTES)
		return false;
	*position = str_sub(raw, MAC_BYTES, raw.n);
	mac(t, *position, out);
	return hash_equal(str_sub(raw, 0, MAC_BYTES), (struct str){ (const char *)out, MAC_BYTES });
}
