/* arn: taking apart and making. */
#include "api/arn.h"

#include "base/arena.h"

bool arn_parse(struct str text, struct arn *arn)
{
	struct str rest = text;

	*arn = (struct arn){ 0 };
	if (!str_eq(str_cut(&rest, ':'), S("arn")))
		return false;
	arn->partition = str_cut(&rest, ':');
	arn->service = str_cut(&rest, ':');
	arn->region = str_cut(&rest, ':');
	arn->account = str_cut(&rest, ':');
	arn->resource = rest;
	return arn->partition.n && arn->service.n && arn->resource.n;
}

struct str arn_make(struct arena *a, const char *service, struct str region, struct str account,
        const char *format, ...)
{
	va_list args;

	va_start(args, format);
	struct str resource = str_vprintf(a, format, args);
	va_end(args);
	return str_printf(
	        a, "arn:aws:%s:%.*s:%.*s:%.*s", service, STR(region), STR(account), STR(resource));
}
