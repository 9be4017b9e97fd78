/* vtl_reference: what a reference means: a variable, then its properties, methods and elements. */
#include "services/apigateway/vtl_run.h"

static struct vtl_value element(struct vtl_run *r, struct vtl_value on, struct vtl_value index)
{
	if (on.type == VTL_LIST && index.type == VTL_INT) {
		int64_t i = index.i < 0 ? index.i + (int64_t)on.list->n : index.i;
		return i >= 0 && i < (int64_t)on.list->n ? on.list->v[i] : vtl_null();
	}
	if (on.type != VTL_MAP)
		return vtl_null();
	struct vtl_value *v = vtl_map_get(on.map, vtl_text(r->arena, index));
	if (!v && on.map->lenient)
		return vtl_str(S(""));
	return v ? *v : vtl_null();
}

static struct vtl_value property(struct vtl_run *r, struct vtl_value on, struct str name)
{
	if (on.type == VTL_INPUT && str_eq(name, S("body")))
		return vtl_str(r->input->body.p ? r->input->body : S(""));
	if (on.type == VTL_STRING || on.type == VTL_LIST) {
		if (str_eq(name, S("empty")))
			return vtl_method(r, on, S("isEmpty"), NULL, 0);
		/* $context.identity.x where there is no identity */
		return on.type == VTL_STRING && on.s.n == 0 ? vtl_str(S("")) : vtl_null();
	}
	return element(r, on, vtl_str(name));
}

static int access(struct vtl_run *r, const struct vtl_accessor *x, struct vtl_value *v)
{
	struct vtl_value args[8];

	if (x->kind == VTL_PROPERTY) {
		*v = property(r, *v, x->name);
		return 0;
	}
	if (x->n_args > ARRAY_LEN(args))
		return vtl_failed(r, "too many arguments");
	for (size_t i = 0; i < x->n_args; i++)
		TRY(vtl_evaluate(r, x->args[i], &args[i]));
	if (x->kind == VTL_INDEX)
		*v = element(r, *v, args[0]);
	else
		*v = vtl_method(r, *v, x->name, args, x->n_args);
	return 0;
}

int vtl_resolve(struct vtl_run *r, const struct vtl_reference *ref, struct vtl_value *v)
{
	struct vtl_value *variable = vtl_map_get(r->variables, ref->name);

	*v = variable ? *variable : vtl_null();
	for (const struct vtl_accessor *x = ref->accessors; x && v->type != VTL_NULL; x = x->next) {
		TRY(vtl_step(r));
		TRY(access(r, x, v));
	}
	return 0;
}
