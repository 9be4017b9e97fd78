/* filter_match: one value against one condition. */
#include "services/logs/filter_parse.h"

static bool text_fits(const struct filter_operand *o, struct str text)
{
	if (o->open_start && o->open_end)
		return str_find(text, o->text) >= 0;
	if (o->open_start)
		return str_ends(text, o->text);
	if (o->open_end)
		return str_starts(text, o->text);
	return str_eq(text, o->text);
}

static bool number_fits(enum filter_op op, double a, double b)
{
	switch (op) {
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	case OP_GE:
		return a >= b;
	default:
		return a == b;
	}
}

/* Equal as numbers where both are, else as texts. */
static bool is_equal(struct arena *a, const struct filter_operand *o, struct str text)
{
	double v;

	if (o->regex)
		return filter_regex_match(a, o->regex, text);
	if (o->is_number && filter_number(text, &v) && v == o->number)
		return true;
	return text_fits(o, text);
}

bool filter_compare(
        struct arena *a, enum filter_op op, const struct filter_operand *operand, struct str text)
{
	double v;

	if (op == OP_EQ)
		return is_equal(a, operand, text);
	if (op == OP_NE)
		return !is_equal(a, operand, text);
	return filter_number(text, &v) && number_fits(op, v, operand->number);
}
