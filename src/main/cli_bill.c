/* cli_bill: `wolke bill`. */
#include "main/cli.h"
#include "main/command.h"

int command_bill(struct arena *a, const struct options *o)
{
	return 0;
}
