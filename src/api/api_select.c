/*
 * api_select: which service a request is for, as AWS tells its own apart: by the credential scope,
 * the X-Amz-Target header, the host name, the Action with its Version, or else the path.
 */
#include "api/api_engine.h"

#define CANDIDATES 8

struct candidates {
	const struct api_service **v;
	size_t n;
};

static void add(struct candidates *c, const struct api_service *s)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i] == s)
			return;
	if (c->n < CANDIDATES)
		c->v[c->n++] = s;
}

static bool by_scope(const struct shape_service *m, const struct http_request *r, struct str scope)
{
	return scope.n > 0 && str_eq(m->signing_name, scope);
}

static bool by_target(const struct shape_service *m, const struct http_request *r, struct str scope)
{
	struct str target = http_header_get(&r->headers, S("x-amz-target"));
	ptrdiff_t dot = str_rfind_char(target, '.');

	return dot > 0 && m->target_prefix.n > 0 &&
	       str_eq(str_sub(target, 0, (size_t)dot), m->target_prefix);
}

/* "lambda.us-east-1.amazonaws.com", "sts.localhost", "bucket.s3.localhost" */
static bool by_host(const struct shape_service *m, const struct http_request *r, struct str scope)
{
	struct str rest = r->host;

	while (rest.p) {
		struct str label = str_cut(&rest, '.');
		if (rest.p && str_eq(label, m->endpoint_prefix))
			return true;
	}
	return false;
}

static bool is_query(const struct shape_service *m)
{
	return m->protocol == WIRE_QUERY || m->protocol == WIRE_EC2;
}

static bool by_action(const struct shape_service *m, const struct http_request *r, struct str scope)
{
	struct str type = http_header_get(&r->headers, S("content-type"));
	bool form = str_starts(type, S("application/x-www-form-urlencoded"));

	return is_query(m) && (form || str_find(r->query, S("Action=")) >= 0);
}

static bool by_path(const struct shape_service *m, const struct http_request *r, struct str scope)
{
	return m->protocol == WIRE_REST_JSON;
}

/* Objects have any path: last. */
static bool by_any_path(
        const struct shape_service *m, const struct http_request *r, struct str scope)
{
	return m->protocol == WIRE_REST_XML;
}

typedef bool select_rule(const struct shape_service *, const struct http_request *, struct str);

const struct api_service **api_select(struct arena *a, const struct api *api,
        const struct http_request *r, const struct sigv4 *sig)
{
	static select_rule *const rules[] = { by_target, by_scope, by_host, by_action, by_path,
		by_any_path };
	struct candidates c = { arena_new_n(a, const struct api_service *, CANDIDATES + 1), 0 };

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		/* What a signature or a target says is final; the others only guess. */
		if (c.n > 0 && i >= 2)
			break;
		for (const struct api_service *const *s = api->options.services; *s; s++)
			if (rules[i]((*s)->model, r, sig->service))
				add(&c, *s);
		if (i == 4 && c.n > 0) {
			/* by path: the services of rest-json may not know it; S3 comes behind. */
			for (const struct api_service *const *s = api->options.services; *s; s++)
				if (by_any_path((*s)->model, r, sig->service))
					add(&c, *s);
		}
	}
	return c.v;
}
