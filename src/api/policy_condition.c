/*
 * policy_condition: the condition operators, one line each in a table, with IfExists, ForAllValues,
 * ForAnyValue and Null as documented in "IAM JSON policy elements: Condition operators" and
 * "Multivalued context keys".
 */
#include "api/policy_internal.h"
#include "codec/codec.h"

#include <arpa/inet.h>
#include <stdlib.h>

/* ---- comparing one value of the request with one of the document ---- */

static bool string_equals(struct arena *a, const struct policy_request *r, struct str value,
        const struct policy_pattern *pattern)
{
	struct str want = policy_expand(a, r, pattern);

	return want.p && str_eq(value, want);
}

static bool string_equals_nocase(struct arena *a, const struct policy_request *r, struct str value,
        const struct policy_pattern *pattern)
{
	struct str want = policy_expand(a, r, pattern);

	return want.p && str_eq_nocase(value, want);
}

static bool string_like(struct arena *a, const struct policy_request *r, struct str value,
        const struct policy_pattern *pattern)
{
	bool unresolved = false;

	return policy_text_match(a, r, value, pattern, &unresolved);
}

static bool arn_like(struct arena *a, const struct policy_request *r, struct str value,
        const struct policy_pattern *pattern)
{
	bool unresolved = false;

	return str_starts(value, S("arn:")) && policy_arn_match(a, r, value, pattern, &unresolved);
}

static bool is_decimal(struct str s)
{
	bool digits = false;

	for (size_t i = 0; i < s.n; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';
		if (!digit && s.p[i] != '.' && !(i == 0 && (s.p[i] == '-' || s.p[i] == '+')))
			return false;
		digits = digits || digit;
	}
	return digits;
}

static bool number(struct str s, double *v)
{
	char text[64], *end;

	if (s.n >= sizeof text || !is_decimal(s))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	*v = strtod(text, &end);
	return *end == 0;
}

/* -1, 0, 1; 2: one of them is no number. */
static int number_order(struct str value, const struct policy_pattern *pattern)
{
	double x, y;

	if (!number(value, &x) || !number(pattern->text, &y))
		return 2;
	return x < y ? -1 : x > y;
}

bool policy_date_parse(struct str text, int64_t *ms)
{
	int64_t seconds;

	if (!str_to_i64(text, &seconds))
		return time_parse_iso8601(text, ms) == 0;
	return !__builtin_mul_overflow(seconds, 1000, ms);
}

static int date_order(struct str value, const struct policy_pattern *pattern)
{
	int64_t x, y;

	if (!policy_date_parse(value, &x) || !policy_date_parse(pattern->text, &y))
		return 2;
	return x < y ? -1 : x > y;
}

#define ORDERED(name, order, test)                                                          \
	static bool name(struct arena *a, const struct policy_request *r, struct str value, \
	        const struct policy_pattern *pattern)                                       \
	{                                                                                   \
		int o = order(value, pattern);                                              \
		if (o == 2)                                                                 \
			return false;                                                       \
		return test;                                                                \
	}
ORDERED(number_equals, number_order, o == 0)
ORDERED(number_less, number_order, o < 0)
ORDERED(number_less_equals, number_order, o <= 0)
ORDERED(number_greater, number_order, o > 0)
ORDERED(number_greater_equals, number_order, o >= 0)
ORDERED(date_equals, date_order, o == 0)
ORDERED(date_less, date_order, o < 0)
ORDERED(date_less_equals, date_order, o <= 0)
ORDERED(date_greater, date_order, o > 0)
ORDERED(date_greater_equals, date_order, o >= 0)

static bool bool_equals(struct arena *a, const struct policy_request *r, struct str value,
        const struct policy_pattern *pattern)
{
	return str_eq_nocase(value, policy_expand(a, r, pattern));
}

static bool binary_equals(struct arena *a, const struct policy_request *r, struct str value,
        const struct policy_pattern *pattern)
{
	return str_eq(value, pattern->text);
}

/* ---- addresses ---- */

struct address {
	unsigned char bytes[16];
	unsigned n; /* 4 or 16 */
};

static bool parse_address(struct str s, struct address *address)
{
	char text[64];

	if (s.n == 0 || s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	bool v6 = memchr(text, ':', s.n) != NULL;
	address->n = v6 ? 16 : 4;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, address->bytes) != 1)
		return false;
	/* A mapped IPv4 address is that IPv4 address. */
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	if (v6 && memcmp(address->bytes, mapped, 12) == 0) {
		memmove(address->bytes, address->bytes + 12, 4);
		address->n = 4;
	}
	return true;
}

static bool ip_address(struct arena *a, const struct policy_request *r, struct str value,
        const struct policy_pattern *pattern)
{
	struct str length = pattern->text, base = str_cut(&length, '/');
	struct address x, y;
	uint64_t bits;

	if (!parse_address(value, &x) || !parse_address(base, &y) || x.n != y.n)
		return false;
	if (!length.p)
		bits = x.n * 8;
	else if (!str_to_u64(length, &bits) || bits > x.n * 8)
		return false;
	if (memcmp(x.bytes, y.bytes, bits / 8) != 0)
		return false;
	unsigned rest = bits % 8;
	return rest == 0 || (x.bytes[bits / 8] ^ y.bytes[bits / 8]) >> (8 - rest) == 0;
}

/* ---- the table ---- */

static const struct policy_operator operators[] = {
	{ S_INIT("StringEquals"), string_equals, .variables = true },
	{ S_INIT("StringNotEquals"), string_equals, .negated = true, .variables = true },
	{ S_INIT("StringEqualsIgnoreCase"), string_equals_nocase, .variables = true },
	{ S_INIT("StringNotEqualsIgnoreCase"), string_equals_nocase, .negated = true,
	        .variables = true },
	{ S_INIT("StringLike"), string_like, .variables = true },
	{ S_INIT("StringNotLike"), string_like, .negated = true, .variables = true },
	{ S_INIT("NumericEquals"), number_equals },
	{ S_INIT("NumericNotEquals"), number_equals, .negated = true },
	{ S_INIT("NumericLessThan"), number_less },
	{ S_INIT("NumericLessThanEquals"), number_less_equals },
	{ S_INIT("NumericGreaterThan"), number_greater },
	{ S_INIT("NumericGreaterThanEquals"), number_greater_equals },
	{ S_INIT("DateEquals"), date_equals, .date = true },
	{ S_INIT("DateNotEquals"), date_equals, .negated = true, .date = true },
	{ S_INIT("DateLessThan"), date_less, .date = true },
	{ S_INIT("DateLessThanEquals"), date_less_equals, .date = true },
	{ S_INIT("DateGreaterThan"), date_greater, .date = true },
	{ S_INIT("DateGreaterThanEquals"), date_greater_equals, .date = true },
	{ S_INIT("Bool"), bool_equals, .variables = true },
	{ S_INIT("BinaryEquals"), binary_equals },
	{ S_INIT("IpAddress"), ip_address },
	{ S_INIT("NotIpAddress"), ip_address, .negated = true },
	{ S_INIT("ArnEquals"), arn_like, .variables = true },
	{ S_INIT("ArnLike"), arn_like, .variables = true },
	{ S_INIT("ArnNotEquals"), arn_like, .negated = true, .variables = true },
	{ S_INIT("ArnNotLike"), arn_like, .negated = true, .variables = true },
	{ S_INIT("Null"), NULL },
};

bool policy_operator_find(struct str name, struct policy_condition *condition)
{
	static const struct {
		struct str text;
		enum policy_quantifier quantifier;
	} prefixes[] = {
		{ S_INIT("ForAllValues:"), POLICY_FOR_ALL },
		{ S_INIT("ForAnyValue:"), POLICY_FOR_ANY },
	};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (!str_starts(name, prefixes[i].text))
			continue;
		condition->quantifier = prefixes[i].quantifier;
		name = str_sub(name, prefixes[i].text.n, name.n);
		break;
	}
	if (str_ends(name, S("IfExists"))) {
		condition->if_exists = true;
		name.n -= S("IfExists").n;
	}
	for (size_t i = 0; i < ARRAY_LEN(operators); i++)
		if (str_eq(operators[i].name, name))
			condition->op = &operators[i];
	return condition->op && !(condition->if_exists && !condition->op->match);
}

/* ---- one condition ---- */

/* Of a positive operator one of the document's values must match, of a negated one none may. */
static bool value_satisfies(struct arena *a, const struct policy_request *r,
        const struct policy_condition *c, struct str value)
{
	bool matched = false;

	for (size_t i = 0; i < c->values.n && !matched; i++)
		matched = c->op->match(a, r, value, &c->values.v[i]);
	return matched != c->op->negated;
}

/* The operator Null: "true" asks for the key's absence. */
static bool null_met(const struct policy_condition *c, bool absent)
{
	for (size_t i = 0; i < c->values.n; i++)
		if (str_eq_nocase(c->values.v[i].text, absent ? S("true") : S("false")))
			return true;
	return false;
}

static bool absent_key_met(const struct policy_condition *c)
{
	if (c->if_exists || c->quantifier == POLICY_FOR_ALL)
		return true;
	return c->op->negated && c->quantifier != POLICY_FOR_ANY;
}

bool policy_condition_met(struct arena *a, const struct policy_request *r,
        const struct policy_condition *c, struct str *missing)
{
	const struct policy_key *k = policy_key_find(r, c->key);
	bool absent = !k || k->n_values == 0;

	if (!c->op->match)
		return null_met(c, absent);
	if (absent) {
		bool met = absent_key_met(c);
		if (!met && missing)
			*missing = c->key;
		return met;
	}
	/* A negated operator without a quantifier says that no value of the request matches. */
	bool all =
	        c->quantifier == POLICY_FOR_ALL || (c->quantifier == POLICY_ONE && c->op->negated);
	for (size_t i = 0; i < k->n_values; i++) {
		/* A set that holds an empty text only counts as empty. */
		if (c->quantifier == POLICY_FOR_ALL && k->n_values == 1 && k->values[0].n == 0)
			return true;
		if (value_satisfies(a, r, c, k->values[i]) != all)
			return !all;
	}
	return all;
}
