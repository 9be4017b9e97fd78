/*
 * position: events' ids. 192 bits (timestamp 48, stream 48, sequence 64, index 32), written in
 * decimal nine digits at a time.
 */
#include "services/logs/chunk.h"

#define LIMBS       6 /* of 32 bits, the highest first */
#define GROUP       1000000000u
#define GROUP_CHARS 9

static int cmp(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int logs_position_cmp(const struct logs_position *a, const struct logs_position *b)
{
	int c = cmp((uint64_t)a->timestamp, (uint64_t)b->timestamp);

	if (c == 0)
		c = cmp(a->stream_id, b->stream_id);
	if (c == 0)
		c = cmp(a->sequence, b->sequence);
	return c ? c : cmp(a->index, b->index);
}

struct str logs_position_id(struct arena *a, const struct logs_position *p)
{
	uint64_t ts = (uint64_t)p->timestamp;
	uint32_t limbs[LIMBS] = {
		(uint32_t)(ts >> 16),
		(uint32_t)(ts << 16) | (uint32_t)(p->stream_id >> 32 & 0xffff),
		(uint32_t)p->stream_id,
		(uint32_t)(p->sequence >> 32),
		(uint32_t)p->sequence,
		(uint32_t)p->index,
	};
	char *digits = arena_bytes(a, LOGS_ID_DIGITS);
	size_t at = LOGS_ID_DIGITS;

	while (at > 0) {
		uint64_t rest = 0;
		for (int i = 0; i < LIMBS; i++) {
			rest = rest << 32 | limbs[i];
			limbs[i] = (uint32_t)(rest / GROUP);
			rest %= GROUP;
		}
		for (int i = 0; i < GROUP_CHARS && at > 0; i++, rest /= 10)
			digits[--at] = (char)('0' + rest % 10);
	}
	return (struct str){ digits, LOGS_ID_DIGITS };
}

bool logs_position_parse(struct str id, struct logs_position *p)
{
	uint32_t limbs[LIMBS] = { 0 };

	if (id.n != LOGS_ID_DIGITS)
		return false;
	for (size_t at = 0; at < id.n; at++) {
		if (id.p[at] < '0' || id.p[at] > '9')
			return false;
		uint64_t carry = (uint64_t)(id.p[at] - '0');
		for (int i = LIMBS - 1; i >= 0; i--) {
			carry += (uint64_t)limbs[i] * 10;
			limbs[i] = (uint32_t)carry;
			carry >>= 32;
		}
	}
	p->timestamp = (int64_t)((uint64_t)limbs[0] << 16 | limbs[1] >> 16);
	p->stream_id = (uint64_t)(limbs[1] & 0xffff) << 32 | limbs[2];
	p->sequence = (uint64_t)limbs[3] << 32 | limbs[4];
	p->index = limbs[5];
	return true;
}
