#pragma once
/*
 * filter_parse: what the files of the filter pattern language share: the pattern's parts, the
 * scanner, and the comparison with a value.
 */
#include "services/logs/filter_pattern.h"

#include "codec/json.h"

struct filter_regex;

enum filter_op {
	OP_NONE,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_IS_NULL,
	OP_IS_TRUE,
	OP_IS_FALSE,
	OP_NOT_EXISTS
};

/* What a condition compares with: a regular expression, a number, or text with '*' at its ends. */
struct filter_operand {
	struct filter_regex *regex; /* NULL: none */
	bool is_number;
	double number;
	struct str text; /* without the stars */
	bool open_start, open_end;
};

struct filter_step {
	struct str name; /* of a member; absent: an element or a wildcard */
	bool any;        /* .* or [*] */
	bool is_index;
	uint64_t index;
};

enum filter_node_kind { NODE_CONDITION, NODE_AND, NODE_OR };

/* An expression: of a JSON pattern, or of one field. */
struct filter_node {
	enum filter_node_kind kind;
	struct filter_node *left, *right;
	enum filter_op op;
	struct filter_operand operand;
	struct filter_step *steps; /* JSON: the selector */
	size_t n_steps;
};

struct filter_field {
	struct str name; /* absent: unnamed */
	bool ellipsis;
	struct filter_node *condition; /* NULL: none */
};

enum filter_term_kind { TERM_PLAIN, TERM_EXCLUDED, TERM_OPTIONAL };

struct filter_term {
	enum filter_term_kind kind;
	struct filter_regex *regex; /* NULL: text */
	struct str text;
};

enum filter_kind { FILTER_ALL, FILTER_TERMS, FILTER_JSON, FILTER_FIELDS };

struct filter_pattern {
	enum filter_kind kind;
	struct filter_term *terms;
	size_t n_terms;
	struct filter_node *json;
	struct filter_field *fields;
	size_t n_fields;
};

struct filter_parser {
	struct arena *a;
	struct str rest; /* not read yet */
	struct str why;
	unsigned depth, n_regex, n_wildcards;
};

int filter_bad(struct filter_parser *p, struct str why) MUST_USE;

/* ---- filter_scan.c ---- */
void filter_skip_space(struct filter_parser *p);
/* Reads the token when it is next, after white space. */
bool filter_accept(struct filter_parser *p, struct str token);
/* The same for a keyword: without case, and not the beginning of a longer word. */
bool filter_accept_word(struct filter_parser *p, struct str word);
/* At a '"': its text, unescaped. */
int filter_quoted(struct filter_parser *p, struct str *text) MUST_USE;
/* At a '%': the expression, compiled. */
int filter_read_regex(struct filter_parser *p, struct filter_regex **regex) MUST_USE;
enum filter_op filter_read_op(struct filter_parser *p);
/* A regex, a quoted text or a word that ends before white space or one of the stops. */
int filter_read_operand(
        struct filter_parser *p, struct str stops, struct filter_operand *operand) MUST_USE;
bool filter_number(struct str text, double *v);
/* or := and ('||' and)*, and := primary ('&&' primary)*, primary := '(' or ')' | condition */
typedef int filter_condition_fn(struct filter_parser *p, void *arg, struct filter_node *node);
int filter_read_expression(struct filter_parser *p, filter_condition_fn *condition, void *arg,
        struct filter_node **node) MUST_USE;

/* ---- filter_match.c ---- */
/* Text as it stands in the message. */
bool filter_compare(
        struct arena *a, enum filter_op op, const struct filter_operand *operand, struct str text);

/* ---- filter_regex.c ---- */
int filter_regex_compile(struct arena *a, struct str text, struct filter_regex **regex) MUST_USE;
bool filter_regex_match(struct arena *a, const struct filter_regex *r, struct str text);

/* ---- the three languages ---- */
int filter_terms_parse(struct filter_parser *p, struct filter_pattern *f) MUST_USE;
bool filter_terms_match(const struct filter_pattern *f, struct arena *a, struct str message);
int filter_json_parse(struct filter_parser *p, struct filter_pattern *f) MUST_USE;
bool filter_json_match(const struct filter_pattern *f, struct arena *a, struct str message);
int filter_fields_parse(struct filter_parser *p, struct filter_pattern *f) MUST_USE;
bool filter_fields_match(const struct filter_pattern *f, struct arena *a, struct str message,
        struct filter_values *values);
