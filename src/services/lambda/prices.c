/* prices: the tiers of compute. */
#include "services/lambda/prices.h"

static const struct {
	double up_to, price; /* GB-seconds a month; per GB-second */
} tiers[2][3] = {
	{ { 6e9, 0.0000166667 }, { 15e9, 0.000015 }, { 1e300, 0.0000133334 } },
	{ { 7.5e9, 0.0000133334 }, { 18.75e9, 0.0000120001 }, { 1e300, 0.0000106667 } },
};

double price_compute(bool arm64, double gb_seconds)
{
	double sum = 0, from = 0;

	for (size_t i = 0; i < ARRAY_LEN(tiers[0]) && gb_seconds > from; i++) {
		sum += (MIN(gb_seconds, tiers[arm64][i].up_to) - from) * tiers[arm64][i].price;
		from = tiers[arm64][i].up_to;
	}
	return sum;
}

double price_invocation(bool arm64, double billed_ms, double memory_mib)
{
	return PRICE_REQUEST + billed_ms / 1000 * memory_mib / 1024 * tiers[arm64][0].price;
}
