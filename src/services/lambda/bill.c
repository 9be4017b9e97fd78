/* bill: what the usage that the runtime has counted would have cost. */
#include "services/lambda/operate.h"

int lambda_bill(struct task *t, struct operating *o)
{
	return 0;
}
