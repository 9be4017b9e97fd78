#pragma once
/* vtl_run: a rendering under way; shared by the evaluator's files. */
#include "services/apigateway/vtl.h"
#include "services/apigateway/vtl_ast.h"

#define VTL_STEPS_MAX  1000000
#define VTL_OUTPUT_MAX (10u << 20)
#define VTL_MEMORY_MAX (256u << 20)
#define VTL_DEPTH_MAX  100 /* of blocks, macros and expressions inside each other */

struct vtl_run {
	struct arena *arena;
	const struct vtl_input *input;
	struct vtl_map *variables;
	struct vtl_node **macros;
	size_t n_macros;
	yyjson_val *body; /* parsed once; NULL: not yet, or no JSON */
	bool body_parsed;
	struct buf *out;
	size_t steps, memory_before;
	int depth;
	struct str why;
};

/* VTL_BAD when the rendering has used up what it may. */
int vtl_step(struct vtl_run *r);
int vtl_failed(struct vtl_run *r, const char *why);
int vtl_evaluate(struct vtl_run *r, const struct vtl_expression *e, struct vtl_value *v) MUST_USE;
/* VTL_NULL when it refers to nothing. */
int vtl_resolve(struct vtl_run *r, const struct vtl_reference *ref, struct vtl_value *v) MUST_USE;
/* Methods and properties; what does not exist is VTL_NULL. */
struct vtl_value vtl_method(
        struct vtl_run *r, struct vtl_value on, struct str name, struct vtl_value *args, size_t n);
struct vtl_value vtl_string_method(
        struct vtl_run *r, struct str on, struct str name, struct vtl_value *args, size_t n);
struct vtl_value vtl_input_method(
        struct vtl_run *r, struct str name, struct vtl_value *args, size_t n);
struct vtl_value vtl_util_method(
        struct vtl_run *r, struct str name, struct vtl_value *args, size_t n);
/* Runs nodes, writing to r->out. */
int vtl_run_nodes(struct vtl_run *r, const struct vtl_node *n) MUST_USE;
