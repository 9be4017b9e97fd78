#pragma once
/* vtl_ast: a parsed template. */
#include "services/apigateway/vtl_value.h"

enum vtl_accessor_kind { VTL_PROPERTY, VTL_METHOD, VTL_INDEX };

struct vtl_expression;

struct vtl_accessor {
	enum vtl_accessor_kind kind;
	struct str name;
	struct vtl_expression **args; /* of a method; one for an index */
	size_t n_args;
	struct vtl_accessor *next;
};

struct vtl_reference {
	struct str source; /* as written, for what refers to nothing */
	struct str name;
	bool quiet;
	struct vtl_accessor *accessors;
};

enum vtl_expression_kind {
	VTL_LITERAL,
	VTL_TEMPLATE, /* a string in double quotes, with references inside */
	VTL_REFERENCE,
	VTL_MAKE_LIST,
	VTL_MAKE_MAP, /* keys and values in turn */
	VTL_RANGE,
	VTL_NOT,
	VTL_NEGATE,
	VTL_BINARY,
};

enum vtl_operator {
	VTL_OR,
	VTL_AND,
	VTL_EQ,
	VTL_NE,
	VTL_LT,
	VTL_LE,
	VTL_GT,
	VTL_GE,
	VTL_ADD,
	VTL_SUB,
	VTL_MUL,
	VTL_DIV,
	VTL_MOD,
};

struct vtl_expression {
	enum vtl_expression_kind kind;
	enum vtl_operator op;
	struct vtl_value literal;
	struct vtl_node *block; /* of a template */
	struct vtl_reference *reference;
	struct vtl_expression **parts; /* operands, elements */
	size_t n;
};

enum vtl_node_kind {
	VTL_NODE_TEXT,
	VTL_NODE_REFERENCE,
	VTL_NODE_SET,
	VTL_NODE_IF,
	VTL_NODE_FOREACH,
	VTL_NODE_MACRO,
	VTL_NODE_CALL,
	VTL_NODE_BREAK,
	VTL_NODE_STOP,
	VTL_NODE_RETURN,
};

struct vtl_node {
	enum vtl_node_kind kind;
	struct vtl_node *next;
	struct str text;                   /* TEXT; name of FOREACH's variable, MACRO, CALL */
	struct vtl_reference *reference;   /* REFERENCE, SET */
	struct vtl_expression *expression; /* SET, IF (NULL: #else), FOREACH */
	struct vtl_node *body;             /* IF, FOREACH, MACRO */
	struct vtl_node *otherwise;        /* IF: the next branch, an IF too */
	struct str *params;                /* MACRO */
	struct vtl_expression **args;      /* CALL */
	size_t n;
};

/* The whole template as a list of nodes; VTL_BAD with *why. */
int vtl_parse(
        struct arena *a, struct str template, struct vtl_node **first, struct str *why) MUST_USE;

/* ---- between the parser's files ---- */

#define VTL_PARSE_DEPTH 40

struct vtl_parser {
	struct arena *arena;
	struct str text;
	size_t at;
	int depth;
	struct str why;
};

/* A template inside a string, at this depth. */
int vtl_parse_nested(struct arena *a, struct str template, int depth, struct vtl_node **first,
        struct str *why) MUST_USE;
int vtl_parse_error(struct vtl_parser *p, const char *what);
/* p->at is at '$'. 0, or VTL_BAD; *reference NULL: not a reference, plain text. */
int vtl_parse_reference(struct vtl_parser *p, struct vtl_reference **reference) MUST_USE;
int vtl_parse_expression(struct vtl_parser *p, struct vtl_expression **e) MUST_USE;
int vtl_parse_arguments(
        struct vtl_parser *p, const char *end, struct vtl_expression ***args, size_t *n) MUST_USE;
void vtl_skip_space(struct vtl_parser *p);
bool vtl_take(struct vtl_parser *p, const char *word);
bool vtl_peek(const struct vtl_parser *p, const char *word);
struct str vtl_parse_name(struct vtl_parser *p); /* n == 0: none */
