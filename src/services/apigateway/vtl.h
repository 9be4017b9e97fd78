#pragma once
/*
 * vtl: mapping templates, the Velocity Template Language as API Gateway has it. Pure: template and
 * input in, text out; bounded in steps, depth and output.
 *
 *	struct vtl_input in = { .body = body, .headers = &headers, .context_json = S("{...}") };
 *	struct vtl_output out;
 *	if (vtl_render(a, template, &in, &out) != 0) ...	// out.why
 *
 * Directives: #set #if #elseif #else #end #foreach #break #stop #return #macro, comments, #[[ ]]#.
 * $input.body .json(path) .path(path) .params(); $context, $stageVariables, $util; methods of
 * strings, lists and maps as Java names them. A reference to nothing is printed as written, or not
 * at all when quiet ($!x).
 */
#include "codec/json.h"
#include "net/http.h"

#define VTL_BAD 1

struct vtl_input {
	struct str body;
	const struct http_headers *headers, *query,
	        *path;                              /* what $input.params() finds; may be NULL */
	struct str context_json;                    /* $context: an object, or absent */
	const struct http_headers *stage_variables; /* may be NULL */
};

struct vtl_output {
	struct str text;
	struct str
	        overrides; /* what the template set below $context: JSON {"requestOverride": ...} */
	struct str why;    /* when it failed */
};

int vtl_render(struct arena *a, struct str template, const struct vtl_input *in,
        struct vtl_output *out) MUST_USE;
