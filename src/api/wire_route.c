/*
 * wire_route: which operation a request is for.
 *
 * json names it in X-Amz-Target, query in Action. REST requests are matched against the modelled
 * URI templates: of those that fit, the one with more literal segments from the left wins, then the
 * one with more of its query parameters (and, for S3, required headers) present.
 */
#include "api/wire_internal.h"

#define LABELS_MAX 8

struct match {
	struct str labels[LABELS_MAX];
	size_t n_labels;
	uint64_t score;
};

static const struct shape_operation *by_name(const struct shape_service *s, struct str name)
{
	size_t low = 0, high = s->n_operations;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int cmp = str_cmp(s->operations[mid].name, name);
		if (cmp == 0)
			return &s->operations[mid];
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static struct str action_in(struct str form)
{
	while (form.p) {
		struct str pair = str_cut(&form, '&');
		if (str_starts(pair, S("Action=")))
			return str_sub(pair, 7, pair.n);
	}
	return (struct str){ 0 };
}

/* The rest of a path behind a greedy label keeps its slashes. */
static bool match_path(struct str template, struct str path, struct match *m)
{
	struct str t = str_sub(template, 1, template.n), p = str_sub(path, 1, path.n);
	uint64_t bit = UINT64_C(1) << 63;

	for (; t.p; bit >>= 1) {
		struct str part = str_cut(&t, '/');
		bool label = part.n > 2 && part.p[0] == '{';
		if (label && part.p[part.n - 2] == '+') {
			if (!p.p || p.n == 0 || m->n_labels == LABELS_MAX)
				return false;
			m->labels[m->n_labels++] = p;
			return t.p == NULL;
		}
		if (!p.p)
			return false;
		struct str segment = str_cut(&p, '/');
		if (!label) {
			if (!str_eq(part, segment))
				return false;
			m->score |= bit;
			continue;
		}
		if (segment.n == 0 || m->n_labels == LABELS_MAX)
			return false;
		m->labels[m->n_labels++] = segment;
	}
	return !p.p || p.n == 0;
}

static bool has_param(struct str query, struct str name, struct str value)
{
	while (query.p) {
		struct str v = str_cut(&query, '&');
		struct str n = str_cut(&v, '=');
		if (str_eq(n, name) && (!value.p || (v.p && str_eq(v, value))))
			return true;
	}
	return false;
}

/* All of the template's own query parameters must be there. */
static bool match_query(struct str wanted, struct str query, struct match *m)
{
	while (wanted.p && wanted.n) {
		struct str value = str_cut(&wanted, '&');
		struct str name = str_cut(&value, '=');
		if (!has_param(query, name, value))
			return false;
		m->score++;
	}
	return true;
}

/* S3 tells some operations apart by parameters and headers alone. */
static bool match_required(
        const struct shape_operation *op, const struct http_request *r, struct match *m)
{
	for (uint32_t i = 0; op->in && i < op->in->n_members; i++) {
		const struct shape_member *member = &op->in->members[i];
		if (!member->required)
			continue;
		if (member->location == IN_QUERY &&
		        !has_param(r->query, member->wire, (struct str){ 0 }))
			return false;
		if (member->location == IN_HEADER && !http_header_get(&r->headers, member->wire).p)
			return false;
		m->score += member->location == IN_QUERY || member->location == IN_HEADER;
	}
	return true;
}

static bool matches(const struct shape_service *s, const struct shape_operation *op,
        const struct http_request *r, struct match *m)
{
	struct str query = op->uri;

	/* Most are ruled out here. A path may lack the slash that its label stands behind. */
	size_t literal = MIN((size_t)op->literal, r->path.n);
	if (!str_eq(op->method, r->method) || memcmp(op->uri.p, r->path.p, literal) != 0)
		return false;
	struct str path = str_cut(&query, '?');
	*m = (struct match){ 0 };
	if (!match_path(path, r->path, m))
		return false;
	if (!match_query(query, r->query, m))
		return false;
	return s->protocol != WIRE_REST_XML || match_required(op, r, m);
}

static const struct shape_operation *by_path(
        const struct shape_service *s, const struct http_request *r, struct match *best)
{
	const struct shape_operation *found = NULL;
	struct match m;

	for (uint32_t i = 0; i < s->n_operations; i++)
		if (matches(s, &s->operations[i], r, &m) && (!found || m.score > best->score)) {
			found = &s->operations[i];
			*best = m;
		}
	return found;
}

int wire_route(struct arena *a, const struct shape_service *service,
        const struct http_request *http, struct str body, const struct shape_operation **operation,
        struct str **labels, size_t *n_labels)
{
	struct match m = { 0 };
	const struct shape_operation *found;

	*labels = NULL;
	*n_labels = 0;
	if (service->protocol == WIRE_JSON_1_0 || service->protocol == WIRE_JSON_1_1) {
		struct str target = http_header_get(&http->headers, S("x-amz-target"));
		size_t dot = (size_t)(str_rfind_char(target, '.') + 1);
		bool ours = dot && str_eq(str_sub(target, 0, dot - 1), service->target_prefix);
		found = ours ? by_name(service, str_sub(target, dot, target.n)) : NULL;
	} else if (service->protocol == WIRE_QUERY || service->protocol == WIRE_EC2) {
		struct str action = action_in(body);
		found = by_name(service, action.p ? action : action_in(http->query));
	} else {
		found = by_path(service, http, &m);
	}
	if (!found)
		return API_ERROR_UNKNOWN_OPERATION;
	*operation = found;
	if (m.n_labels) {
		*labels = arena_new_n(a, struct str, m.n_labels);
		memcpy(*labels, m.labels, m.n_labels * sizeof(struct str));
		*n_labels = m.n_labels;
	}
	return 0;
}
